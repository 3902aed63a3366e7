"""Commands for landmark models: training one on placed landmarks, and predicting landmarks with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli.landmarks import landmarks_group
from synthaug.cli.support import Result, command, open_workspace, workspace_option
from synthaug.running.progress_bar import by_epoch, progress_bar

if TYPE_CHECKING:
    from synthaug.measures.agreement import AngleAgreement
    from synthaug.stages.landmark_metrics import LandmarkMetrics

SHOWN = 5  # images with the largest errors that are listed


@command(landmarks_group, "train")
@click.option(
    "--recipe",
    metavar="R",
    help="Training recipe: landmarks (a small pretrained network, for a CPU), efficientnet-b0 or, as published, "
    "efficientnet-b7 (for a GPU). [default: landmarks]",
)
@click.option("--epochs", type=int, metavar="N", help="Training epochs. [default: the recipe's]")
@click.option(
    "--image-size", type=int, metavar="PX", help="Side to which images are resized. [default: the recipe's]"
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed; the same seed gives the same result.",
)
@click.option("--name", metavar="NAME", help="Name of the new model. [default: landmarks-N]")
@workspace_option
def train(
    recipe: str | None,
    epochs: int | None,
    image_size: int | None,
    seed: int,
    name: str | None,
    workspace_path: Path | None,
) -> Result:
    """Train a model that places landmarks, and test its angles.

    It learns from the landmarks that people placed on training images. Its angles are compared with those that people
    measured on the test images, or on held-out training images if there are none.

    \b
      $ synthaug landmarks train
    """
    from synthaug.stages.landmark_metrics import LandmarkMetrics
    from synthaug.stages.landmark_model import train_landmarks

    with progress_bar() as report:
        model = train_landmarks(
            open_workspace(workspace_path),
            recipe,
            seed,
            name,
            epochs=epochs,
            image_size=image_size,
            progress=by_epoch(report),
        )
    return {
        "model": model.name,
        **model.metrics,
        "message": f"{model.name}: {figures_in_words(LandmarkMetrics.from_json(model.metrics))}",
    }


@command(landmarks_group, "predict")
@click.option("--model", metavar="NAME", help="Model to use. [default: the newest landmark model]")
@workspace_option
def predict(model: str | None, workspace_path: Path | None) -> Result:
    """Predict the landmarks of every image with a model.

    The Label page shows them as proposals, which a person confirms or corrects.

    \b
      $ synthaug landmarks predict
    """
    from synthaug.stages.landmark_model import predict_landmarks

    with progress_bar() as report:
        name, count = predict_landmarks(open_workspace(workspace_path), model, report)
    return {"model": name, "predicted": count, "message": f"{name} predicted landmarks on {count} images"}


def figures_in_words(metrics: LandmarkMetrics) -> str:
    """The test results in words, ending with the images that have the largest errors."""
    where = "real test images" if metrics.measured_on == "test" else "held-out training images"
    lines = [
        f"trained on {metrics.train_images} images of {metrics.image_size} px a side, tested on "
        f"{metrics.images} {where}; mean error of the points {metrics.point_error:.1f} px"
    ]
    if metrics.accuracy is not None:
        lines.append(f"the class that follows from the angles is right in {100 * metrics.accuracy:.1f}%")
    lines += [_agreement(name, found) for name, found in metrics.angles.items()]
    lines += [f"  {each.sha256[:12]}: error {each.error:.1f} degrees" for each in metrics.failures[:SHOWN]]
    lines.append(f"uncertainty: {metrics.doubt}")
    return "\n".join(lines)


def _agreement(name: str, found: AngleAgreement) -> str:
    """The agreement of one angle with that of people (Bland & Altman 1986), in degrees."""
    pearson, spearman = ("-" if each is None else f"{each:.2f}" for each in (found.pearson, found.spearman))
    return (
        f"{name}: mean absolute error {found.mean_absolute_error:.2f} degrees, bias {found.bias:+.2f}, limits of "
        f"agreement {found.low:+.1f} to {found.high:+.1f}, Pearson {pearson}, Spearman {spearman}"
    )
