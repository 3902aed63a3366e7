"""What the file of a trained network records about its training. Importing this module does not import torch."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic accepts the one in typing only from Python 3.12 on

from synthaug.progress import SCORES, EpochReport


class TargetStatistics(TypedDict):
    """Mean and standard deviation of each of the M training targets, in the targets' units."""

    mean: list[float]
    std: list[float]


class TrainingRecord(TypedDict, total=False):
    """The record of a training, which can be written as JSON; fields that do not apply to a training are absent.

    Files of later releases may have further fields, which are kept. Accuracies are shares, 0 to 1; errors are in the
    unit of the targets.
    """

    seed: int
    images: int  # training images
    start: str  # revision of the network that the training started from
    epochs: int  # epochs that ran
    steps: int  # updates of the weights
    selected_epoch: int  # epoch whose weights are kept, counted from 1
    loss: float  # mean training loss of the selected epoch
    train_accuracy: float
    train_error: float
    selection_accuracy: float  # on the images that selected the epoch
    selection_error: float
    # Of a head that was fitted to features:
    inverse_penalty: float  # scikit-learn's C
    held_out_log_loss: float | None  # on training images that were held out in turn; None: too few images
    held_out_accuracy: float | None
    extractor: str  # revision of the network that computed the features
    # Of a network that predicts numbers:
    targets: TargetStatistics
    scheme: str  # the landmark scheme as JSON
    doubt_scale: float  # factor from the spread of the Monte Carlo passes to the expected error
    doubt: str  # how ``doubt_scale`` was found, in a sentence


def selected(report: EpochReport) -> TrainingRecord:
    """The part of a record that the report of the selected epoch decides."""
    record: TrainingRecord = {"loss": report["loss"], "selected_epoch": report["epoch"]}
    for name in SCORES:
        if name in report:
            record[name] = report[name]
    return record
