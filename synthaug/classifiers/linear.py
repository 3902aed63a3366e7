"""A classifier in seconds: logistic regression on the features of a network that was trained on ImageNet.

The network itself is not trained. The strength of the regularisation and the temperature of the probabilities are
those with the lowest log loss in cross-validation on the training images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from synthaug.classifiers.base import Floats, Images
from synthaug.classifiers.feature_diffusion import fill_up
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.logistic import (
    Head,
    Judged,
    Rows,
    Scale,
    distinct,
    fit_logistic,
    judge,
    log_prior,
)
from synthaug.classifiers.networks import Network, build, choose_device, fill_pretrained, place
from synthaug.classifiers.pixels import IMAGENET_MEAN, IMAGENET_STD
from synthaug.classifiers.recipes import Recipe
from synthaug.classifiers.training_record import TrainingRecord
from synthaug.errors import Cancelled, UserError
from synthaug.progress import EpochProgress, EpochReport


def body_only(recipe: Recipe, num_classes: int, device: torch.device) -> Network:
    """The recipe's network with its pretrained body on ``device``; its head has random weights."""
    network = build(recipe.network, num_classes)
    fill_pretrained(network, recipe.network)
    return place(network, device).eval()


def fit_linear(
    images: Images,
    labels: NDArray[np.integer[Any]],
    recipe: Recipe,
    seed: int,
    *,
    class_names: Sequence[str],
    weights: NDArray[np.floating[Any]] | None = None,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
    synthetic: NDArray[np.bool_] | None = None,
) -> FittedClassifier:
    """Fit a head to the features of ``images`` (N, H, W, 3); arguments and errors as for :func:`.fit.fit`."""
    network = body_only(recipe, len(class_names), choose_device(device))
    features = FittedClassifier(network, recipe, class_names, IMAGENET_MEAN, IMAGENET_STD).features(images)
    return fit_head(
        features, labels, recipe, seed, weights=weights, class_names=class_names, progress=progress,
        should_cancel=should_cancel, network=network, synthetic=synthetic,
    )  # fmt: skip


def fit_head(
    features: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    recipe: Recipe,
    seed: int,
    *,
    class_names: Sequence[str],
    weights: NDArray[np.floating[Any]] | None = None,
    progress: EpochProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    network: Network | None = None,
    device: str | None = None,
    extractor: str | None = None,
    synthetic: NDArray[np.bool_] | None = None,
) -> FittedClassifier:
    """Fit the head of a classifier with a pretrained body to features (N, D) and labels (N,) in 0 .. K - 1.

    ``seed`` decides how the images are divided into folds, in a recipe that resamples how they are weighted, and in one
    that draws features which.
    ``network`` is the network whose head is set; None: a new one. ``extractor`` is the revision of the network that
    computed the features. ``synthetic`` (N,) says which images are synthetic, so that real ones alone choose the
    regularisation; None: no image.

    Raises UserError unless there are images of at least two classes, and Cancelled on request.
    """
    from scipy.special import log_softmax

    started = time.perf_counter()
    classes = len(class_names)
    _check(labels, classes, class_names)
    if should_cancel is not None and should_cancel():
        raise Cancelled("training stopped before the head was fitted")
    weight = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    if recipe.resample:
        weight = weight * np.random.default_rng(seed).exponential(size=len(labels))
    known = distinct(features, labels, weight, real_of(synthetic, len(labels)))
    scale, rows = _standardised(known, recipe, classes)
    judged = judge(rows, classes, seed)
    if recipe.drawn_features:
        scale, rows = _standardised(fill_up(known, classes, seed), recipe, classes)
    head = scale.undo(fit_logistic(rows, classes, judged.inverse_penalty))
    if recipe.loss == "logit-adjusted":
        head = replace(head, bias=head.bias - log_prior(labels, weight, classes))
    network = network or body_only(recipe, classes, choose_device(device))
    _set_head(network, head)
    report = _report(log_softmax(head.logits(features) / judged.temperature, axis=1), labels, started)
    if progress is not None:
        progress(report)
    training = _record(judged, report, seed, len(labels), extractor)
    kept = replace(recipe, temperature=judged.temperature)
    return FittedClassifier(network, kept, class_names, IMAGENET_MEAN, IMAGENET_STD, training)


def refit_head(
    classifier: FittedClassifier, images: Images, labels: NDArray[np.integer[Any]], seed: int
) -> FittedClassifier:
    """The classifier with its head fitted anew to images (N, H, W, 3) and labels (N,), with classes of equal weight.

    ``seed`` divides the images into folds. Raises UserError unless there are images of at least two classes.
    """
    found = fit_head(
        classifier.features(images),
        labels,
        replace(classifier.recipe, loss="class-weighted"),
        seed,
        class_names=classifier.class_names,
        network=classifier.network,
    )
    recipe = replace(classifier.recipe, temperature=found.recipe.temperature)
    training: TrainingRecord = {
        **classifier.training,
        "inverse_penalty": found.training["inverse_penalty"],
        "held_out_log_loss": found.training["held_out_log_loss"],
        "held_out_accuracy": found.training["held_out_accuracy"],
    }
    return FittedClassifier(
        found.network, recipe, found.class_names, classifier.mean, classifier.std, training
    )


def real_of(synthetic: NDArray[np.bool_] | None, count: int) -> NDArray[np.bool_]:
    """Which images (N,) are real, from which are synthetic (N,); all ``count`` if that is None."""
    return np.ones(count, np.bool_) if synthetic is None else ~synthetic


def _standardised(rows: Rows, recipe: Recipe, classes: int) -> tuple[Scale, Rows]:
    """The rows with standardised features and weights of mean 1, and the scale that standardised them."""
    if recipe.loss == "class-weighted":
        rows = replace(rows, weight=rows.weight / np.bincount(rows.labels, rows.weight, classes)[rows.labels])
    scale = Scale.of(rows.features)
    return scale, replace(rows, features=scale.apply(rows.features), weight=rows.weight / rows.weight.mean())


def _report(log_probs: NDArray[np.float64], labels: NDArray[np.integer[Any]], started: float) -> EpochReport:
    """The report of the only epoch, from log probabilities (N, K) of the training images."""
    return {
        "epoch": 1,
        "epochs": 1,
        "loss": float(-log_probs[np.arange(len(labels)), labels].mean()),
        "train_accuracy": float((log_probs.argmax(1) == labels).mean()),
        "images_per_second": len(labels) / (time.perf_counter() - started),
    }


def _record(
    judged: Judged, report: EpochReport, seed: int, images: int, extractor: str | None
) -> TrainingRecord:
    record: TrainingRecord = {
        "seed": seed,
        "images": images,
        "train_accuracy": report["train_accuracy"],
        "inverse_penalty": judged.inverse_penalty,
        "held_out_log_loss": _known(judged.log_loss),
        "held_out_accuracy": _known(judged.accuracy),
    }
    return record if extractor is None else {**record, "extractor": extractor}


def _known(value: float) -> float | None:
    """The value; None for NaN, which JSON does not have."""
    return None if np.isnan(value) else value


def _set_head(network: Network, head: Head) -> None:
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(head.weight))
        network.head.bias.copy_(torch.from_numpy(head.bias))


def _check(labels: NDArray[Any], classes: int, names: Sequence[str]) -> None:
    present = np.unique(labels)
    if len(present) < 2:
        only = f"all images have the class {names[present[0]]!r}" if len(present) else "there are no images"
        raise UserError(f"{only}; training needs images of at least two of the {classes} classes")


def head_probabilities(classifier: FittedClassifier, features: NDArray[np.floating[Any]]) -> Floats:
    """Class probabilities (N, K) float32 from the body's features (N, D)."""
    found: Floats = np.exp(head_log_probabilities(classifier, features))
    return found


def head_log_probabilities(classifier: FittedClassifier, features: NDArray[np.floating[Any]]) -> Floats:
    """Logarithms (N, K) float32 of the class probabilities from the body's features (N, D)."""
    head = classifier.network.head
    rows = torch.from_numpy(np.ascontiguousarray(features, np.float32)).to(head.weight.device)
    with torch.inference_mode():
        found: Floats = (head(rows) / classifier.recipe.temperature).log_softmax(1).cpu().numpy()
    return found
