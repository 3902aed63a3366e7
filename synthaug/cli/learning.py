"""Commands that run classifiers: predict, score and train."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, executor_options, open_workspace, workspace_option
from synthaug.errors import UserError
from synthaug.running.progress_bar import by_epoch, progress_bar

if TYPE_CHECKING:
    from synthaug.classifiers.recipes import Loss, Selection, SyntheticUse
    from synthaug.executors.base import ExecutorSpec
    from synthaug.workspace import Workspace


@command(cli, "predict")
@click.option("--model", metavar="NAME", help="Classifier to use. [default: the newest]")
@click.option(
    "--cross-fit",
    "folds",
    type=int,
    metavar="K",
    help="Also predict the images that the classifier was trained on, with K models (linear heads on pretrained "
    "features), each of which was fitted without one K-th of these images.",
)
@click.option(
    "--full-recipe", is_flag=True, help="With --cross-fit: train the classifier's own recipe K times."
)
@executor_options
@workspace_option
def predict(
    model: str | None,
    folds: int | None,
    full_recipe: bool,
    executor: ExecutorSpec,
    workspace_path: Path | None,
) -> Result:
    """Predict the class of every image that the model has not predicted yet.

    A model is overconfident about the images that it was trained on. With --cross-fit, the predictions shown for these
    images come from models that were trained without them.

    \b
      $ synthaug predict
      $ synthaug predict --cross-fit 5
    """
    from synthaug.stages.predict import predict as stage

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        result = stage(workspace, model, report, executor=executor, folds=folds, full_recipe=full_recipe)
    figures: dict[str, object] = {"predicted": result.predicted, "model": result.model}
    message = f"{result.predicted} images predicted by {result.model}"
    if (fitted := result.cross_fit) is not None:
        figures["cross_fit"] = asdict(fitted)
        message += (
            f"; {fitted.images} training images cross-fitted in {fitted.folds} folds ({fitted.recipe}): "
            f"{fitted.accuracy:.1%} have their label as the likeliest class, log loss {fitted.log_loss:.3f}"
        )
    return {**figures, "message": message}


@command(cli, "score")
@click.option(
    "--features",
    "--model",
    "features",
    metavar="NAME",
    help="Features to use: a classifier of the workspace, efficientnet-lite0 (pretrained on ImageNet; needs no labels) "
    "or timm:NETWORK from the hub. [default: the classifier that predicted last, or else efficientnet-lite0]",
)
@click.option("--seed", default=0, show_default=True, help="Random seed of UMAP.")
@click.option("--recompute", is_flag=True, help="Extract all features again, including those already stored.")
@click.option(
    "--refit", is_flag=True, help="Fit UMAP again to all images. [default: place new images among the old]"
)
@click.option(
    "--ood",
    "method",
    default="knn",
    show_default=True,
    metavar="METHOD",
    help="Distance for out-of-distribution scores: knn (nearest neighbours) or, if there are labels, mahalanobis, "
    "energy or max-softmax (the last two of a linear head on the features).",
)
@executor_options
@workspace_option
def score(
    features: str | None,
    seed: int,
    recompute: bool,
    refit: bool,
    method: str,
    executor: ExecutorSpec,
    workspace_path: Path | None,
) -> Result:
    """Compute map coordinates, uncertainty, out-of-distribution scores and near-duplicates.

    \b
      $ synthaug score
    """
    from synthaug.stages.score import score as stage

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        result = stage(
            workspace,
            features,
            seed,
            report,
            recompute=recompute,
            method=method,
            executor=executor,
            refit=refit,
        )
    message = f"{result.scored} images scored with the features of {result.model}"
    if result.placed:
        message += f"; {result.placed} of them were placed in the earlier UMAP (--refit fits it again)"
    return {**asdict(result), "message": message}


@command(cli, "train")
@click.option(
    "--view",
    metavar="VIEW",
    help="View to train on. [default: every labeled training image, with recipe linear: a first model in seconds]",
)
@click.option(
    "--recipe",
    metavar="R",
    help="Training recipe: linear (a head on pretrained features, in seconds), pretrained (fine-tuned, for photographs "
    "and radiographs), small-cnn, resnet18-30 ... [default: by the images]",
)
@click.option("--epochs", type=int, metavar="N", help="Training epochs. [default: the recipe's]")
@click.option(
    "--selection",
    type=click.Choice(["last", "validation", "test"]),
    help="Epoch whose weights are kept: the last one, the best one on images held out of the view, or the best one on "
    "the test set (as in some papers; the accuracy is then too high). [default: the recipe's]",
)
@click.option(
    "--loss",
    type=click.Choice(["plain", "class-weighted", "logit-adjusted"]),
    help="Loss: plain, or one of two remedies for class imbalance. [default: the recipe's]",
)
@click.option(
    "--synthetic",
    type=click.Choice(["mixed", "first", "body"]),
    help="What is learned from synthetic images. mixed: the same as from real ones. first: the last quarter of the "
    "epochs sees real images only. body: the head is finally fitted to the real images alone, with classes of equal "
    "weight. [default: the recipe's]",
)
@click.option(
    "--image-size",
    type=int,
    metavar="PX",
    help="Side that images are resized to. [default: by the images; 224 for photographs and radiographs]",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    metavar="S",
    help="Random seed; the same seed gives the same result.",
)
@click.option("--name", metavar="NAME", help="Name of the new model. [default: VIEW-RECIPE-SEED]")
@workspace_option
def train(
    view: str | None,
    recipe: str | None,
    epochs: int | None,
    selection: Selection | None,
    loss: Loss | None,
    synthetic: SyntheticUse | None,
    image_size: int | None,
    seed: int,
    name: str | None,
    workspace_path: Path | None,
) -> Result:
    """Train a classifier on a view and test it on the real test images.

    \b
      $ synthaug train --view imbalanced
      $ synthaug train --view augmented --synthetic body
    """
    from synthaug.stages.train import describe_images
    from synthaug.stages.train import train as stage

    workspace = open_workspace(workspace_path)
    if view is None:
        return _first_model(workspace, name, seed, recipe, epochs, selection, loss, synthetic, image_size)
    with progress_bar() as report:
        model = stage(
            workspace,
            view,
            recipe,
            seed,
            name,
            by_epoch(report),
            epochs=epochs,
            selection=selection,
            loss=loss,
            image_size=image_size,
            synthetic=synthetic,
        )
    accuracy = model.metrics["accuracy"]
    per_class = dict(zip(workspace.classes, model.metrics["per_class"], strict=True))
    message = f"{model.name}: {100 * accuracy:.2f}% of {model.metrics['test_images']} real test images"
    message += f"\nRecipe {model.recipe}; images of {describe_images(model.metrics)}"
    images = {name: model.metrics[name] for name in ("image_size", "depth")}
    return {"model": model.name, "accuracy": accuracy, "per_class": per_class, **images, "message": message}


def _first_model(
    workspace: Workspace, name: str | None, seed: int, recipe: str | None, *others: object
) -> Result:
    """Train a quick model on all labeled images, and report its accuracy."""
    from synthaug.stages.quick_model import RECIPE, quick_model

    if recipe not in (None, RECIPE) or any(each is not None for each in others):
        raise UserError(
            "other recipes and settings than 'linear' need --view VIEW; see: synthaug view --help"
        )
    with progress_bar() as report:
        model = quick_model(workspace, name, seed, report)
    figures = model.metrics
    where = "training images, each held out in turn" if figures["held_out"] else "real test images"
    found = (
        "too few images for a figure" if figures["accuracy"] is None else f"{100 * figures['accuracy']:.2f}%"
    )
    message = f"{model.name}: {found} of the {where}; {figures['images']} training images"
    return {
        "model": model.name,
        "accuracy": figures["accuracy"],
        "held_out": figures["held_out"],
        "message": message,
    }
