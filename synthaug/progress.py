"""Signatures of progress callbacks, and what they report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NotRequired, TypedDict

Progress = Callable[[int, int, str], None]
"""Called with (units done, total units, description of the current work)."""


Score = Literal["train_accuracy", "train_error", "selection_accuracy", "selection_error"]
SCORES: tuple[Score, ...] = ("train_accuracy", "train_error", "selection_accuracy", "selection_error")


class EpochReport(TypedDict):
    """Measurements of one training epoch. Accuracies are shares, 0 to 1; errors are in the unit of the targets.

    ``train_...`` is measured on the training images while they are learned, ``selection_...`` on the images that
    decide which epoch is kept.
    """

    epoch: int  # counted from 1
    epochs: int
    loss: float
    images_per_second: float
    train_accuracy: NotRequired[float]
    train_error: NotRequired[float]
    selection_accuracy: NotRequired[float]
    selection_error: NotRequired[float]


class RunReport(EpochReport):
    """The latest epoch of one of several training runs."""

    run: str  # "SIDE/SEED", such as "baseline/0"


EpochProgress = Callable[[EpochReport], None]
"""Called after each epoch with its measurements."""

RunProgress = Callable[[int, int, RunReport], None]
"""Called with (training runs done, total runs, measurements of the current run's last epoch)."""

StepProgress = Callable[[str, int, int, float], None]
"""Called with (phase, steps done, total steps, loss) after every step; raising an exception stops the training."""
