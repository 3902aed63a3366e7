"""Commands about models of landmarks: train one on what was placed, and let it propose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from synthaug.cli.landmarks import landmarks_group
from synthaug.cli.support import Result, command, open_workspace, workspace_option
from synthaug.running.progress_bar import by_epoch, progress_bar

SHOWN = 5


@command(landmarks_group, "train")
@click.option(
    "--recipe",
    metavar="R",
    help="landmarks (a small pretrained network, for a CPU), efficientnet-b0, or efficientnet-b7 as published, for a "
    "GPU. [default: landmarks]",
)
@click.option("--epochs", type=int, metavar="N", help="Training epochs. [default: the recipe's]")
@click.option("--image-size", type=int, metavar="PX", help="Side of the square. [default: the recipe's]")
@click.option("--seed", default=0, show_default=True, metavar="S", help="Random seed.")
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
    """Train a model on landmarks that people placed; its angles are measured on the test set.

    \b
      $ synthaug landmarks train
    """
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
        "message": f"{model.name}: {figures_in_words(model.metrics)}",
    }


@command(landmarks_group, "predict")
@click.option("--model", metavar="NAME", help="Model to use. [default: the newest that places landmarks]")
@workspace_option
def predict(model: str | None, workspace_path: Path | None) -> Result:
    """Let a model propose landmarks on every image; the Label page shows them, to be corrected.

    \b
      $ synthaug landmarks predict
    """
    from synthaug.stages.landmark_model import predict_landmarks

    with progress_bar() as report:
        name, count = predict_landmarks(open_workspace(workspace_path), model, report)
    return {"model": name, "predicted": count, "message": f"{name} proposes landmarks on {count} images"}


def figures_in_words(figures: Mapping[str, Any]) -> str:
    """The figures for a person, the worst images last."""
    where = "real test images" if figures["measured_on"] == "test" else "held-out training images"
    lines = [
        f"{figures['images']} {where}, {figures['train_images']} trained on at {figures['image_size']} px; "
        f"points {figures['point_error']:.1f} px off"
    ]
    if figures["accuracy"] is not None:
        lines.append(f"class by the angles right in {100 * figures['accuracy']:.1f}%")
    lines += [_agreement(name, found) for name, found in figures.get("angles", {}).items()]
    lines += [
        f"  {each['sha256'][:12]} {each['error']:.1f} degrees off"
        for each in figures.get("failures", [])[:SHOWN]
    ]
    lines.append(f"uncertainty: {figures['doubt']}")
    return "\n".join(lines)


def _agreement(name: str, found: Mapping[str, Any]) -> str:
    pearson, spearman = (
        "-" if found[each] is None else f"{found[each]:.2f}" for each in ("pearson", "spearman")
    )
    return (
        f"{name}: {found['mean_absolute_error']:.2f} degrees off on average, bias {found['bias']:+.2f}, limits of "
        f"agreement {found['low']:+.1f} to {found['high']:+.1f}, Pearson {pearson}, Spearman {spearman}"
    )
