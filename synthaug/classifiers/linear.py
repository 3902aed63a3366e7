"""A classifier in seconds: logistic regression on the features of a network that stays as ImageNet left it.

How strongly it is regularised, and the temperature of its probabilities, are those of the least log loss on
training images held out in turn.
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
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.logistic import Head, Scale, distinct, fit_logistic, judge, log_prior
from synthaug.classifiers.networks import Network, build, choose_device, fill_pretrained, place
from synthaug.classifiers.pixels import IMAGENET_MEAN, IMAGENET_STD
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import Cancelled, UserError
from synthaug.progress import EpochProgress


def body_only(recipe: Recipe, num_classes: int, device: torch.device) -> Network:
    """The recipe's network with its pretrained body; what the head says is of no account yet."""
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
) -> FittedClassifier:
    """A head on the features of ``images``; arguments as for :func:`.fit.fit`."""
    network = body_only(recipe, len(class_names), choose_device(device))
    seeing = FittedClassifier(network, recipe, class_names, IMAGENET_MEAN, IMAGENET_STD)
    features = seeing.features(images)
    return fit_head(
        features, labels, recipe, seed, weights=weights, class_names=class_names, progress=progress,
        should_cancel=should_cancel, network=network,
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
) -> FittedClassifier:
    """The classifier whose head is fitted to features (N, D) and labels (N,) in 0..K-1, its body pretrained.

    The seed deals the images into folds, and weighs them where the recipe resamples. ``extractor`` is the revision of
    the extractor that the features come from. Raises UserError for one class alone, Cancelled.
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
    rows = distinct(features, labels, weight)
    if recipe.loss == "class-weighted":
        rows = replace(rows, weight=rows.weight / np.bincount(rows.labels, rows.weight, classes)[rows.labels])
    scale = Scale.of(rows.features)
    rows = replace(rows, features=scale.apply(rows.features), weight=rows.weight / rows.weight.mean())
    judged = judge(rows, classes, seed)
    head = scale.undo(fit_logistic(rows, classes, judged.inverse_penalty))
    if recipe.loss == "logit-adjusted":
        head = replace(head, bias=head.bias - log_prior(labels, weight, classes))
    network = network or body_only(recipe, classes, choose_device(device))
    _set_head(network, head)
    said = log_softmax(head.logits(features) / judged.temperature, axis=1)
    right = float((said.argmax(1) == labels).mean())
    seconds = time.perf_counter() - started
    if progress is not None:
        report = {
            "loss": float(-said[np.arange(len(labels)), labels].mean()),
            "train_accuracy": right,
            "images_per_second": len(labels) / seconds,
        }
        progress({"epoch": 1, "epochs": 1, **report})
    training: dict[str, Any] = {
        "seed": seed,
        "images": len(labels),
        "train_accuracy": right,
        "inverse_penalty": judged.inverse_penalty,
        "held_out_log_loss": _known(judged.log_loss),
        "held_out_accuracy": _known(judged.accuracy),
    }
    if extractor is not None:
        training["extractor"] = extractor
    kept = replace(recipe, temperature=judged.temperature)
    return FittedClassifier(network, kept, class_names, IMAGENET_MEAN, IMAGENET_STD, training)


def _known(value: float) -> float | None:
    """None for nan, which JSON does not know."""
    return None if np.isnan(value) else value


def _set_head(network: Network, head: Head) -> None:
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(head.weight))
        network.head.bias.copy_(torch.from_numpy(head.bias))


def _check(labels: NDArray[Any], classes: int, names: Sequence[str]) -> None:
    present = np.unique(labels)
    if len(present) < 2:
        only = f"all images have the class {names[present[0]]!r}" if len(present) else "there are no images"
        raise UserError(f"{only}; training needs images of two classes or more, of {classes}")


def head_probabilities(classifier: FittedClassifier, features: NDArray[np.floating[Any]]) -> Floats:
    """Class probabilities (N, K) from the body's features (N, D)."""
    found: Floats = np.exp(head_log_probabilities(classifier, features))
    return found


def head_log_probabilities(classifier: FittedClassifier, features: NDArray[np.floating[Any]]) -> Floats:
    """Their logarithms (N, K)."""
    head = classifier.network.head
    rows = torch.from_numpy(np.ascontiguousarray(features, np.float32)).to(head.weight.device)
    with torch.inference_mode():
        found: Floats = (head(rows) / classifier.recipe.temperature).log_softmax(1).cpu().numpy()
    return found
