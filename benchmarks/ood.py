"""AUROC of out-of-distribution scores: unfamiliar images among further images of the reference classes.

    python benchmarks/ood.py CIFAR10 [--images 400]

The reference is real test images of cats, dogs and horses. The unfamiliar images are uniform noise, coarse blocks of
colour, scikit-learn's digits, and vehicles from CIFAR-10. Features come from the shipped labeler (trained on
CIFAR-10) and from EfficientNet-Lite0 (trained on ImageNet only). The benchmark compares every method of
:mod:`synthaug.measures.ood` (all on features of unit length, the last three with the labels of the reference) with
the Euclidean distance. Chance is 0.5.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.config import PRESETS
from synthaug.features import load_extractor
from synthaug.images import resize
from synthaug.measures.neighbors import nearest_neighbors
from synthaug.measures.ood import METHODS, ranked
from synthaug.stages.labeler import shipped_file
from synthaug.stages.sources import labeled_arrays

ANIMALS, VEHICLES = (3, 5, 7), (0, 1, 8, 9)
Images = NDArray[np.uint8]
Features = NDArray[np.float32]
Distance = Callable[[Features, Features], NDArray[np.floating]]


def unfamiliar_images(count: int, rng: np.random.Generator) -> dict[str, Images]:
    """Images (count, 32, 32, 3) uint8 of three kinds that do not look like photographs."""
    blocks = rng.integers(0, 256, (count, 4, 4, 3), np.uint8)
    digits = (load_digits().images[:count] * 15.9).astype(np.uint8)
    return {
        "noise": rng.integers(0, 256, (count, 32, 32, 3), np.uint8),
        "blocks": blocks.repeat(8, axis=1).repeat(8, axis=2),
        "digits": np.stack([resize(np.repeat(each[..., None], 3, axis=2), (32, 32)) for each in digits]),
    }


def euclidean(features: Features, reference: Features) -> NDArray[np.float32]:
    """Distance to the fifth nearest reference row, without scaling the features."""
    return nearest_neighbors(features, 5, reference)[0][:, -1]


def main(source: Path, count: int) -> None:
    """Print one row per kind of features and distance."""
    images, labels = labeled_arrays(source, PRESETS["cifar10"], "test", 32)
    rng = np.random.default_rng(0)
    animals, vehicles = (images[np.isin(labels, each)] for each in (ANIMALS, VEHICLES))
    classes = labels[np.isin(labels, ANIMALS)][:count]
    half = count // 2
    sets = {"reference": animals[:count], "fresh": animals[count : count + half], "vehicles": vehicles[:half]}
    sets |= unfamiliar_images(half, rng)
    lite = load_extractor("efficientnet-lite0", 32)
    size = (lite.image_size, lite.image_size)
    extractors: dict[str, Callable[[Images], Features]] = {
        "cifar10-labeler": FittedClassifier.load(shipped_file("cifar10-labeler")).features,
        "efficientnet-lite0": lambda some: lite.features(np.stack([resize(each, size) for each in some])),
    }
    for name, extract in extractors.items():
        features = {kind: extract(some) for kind, some in sets.items()}
        reference, fresh = features.pop("reference"), features.pop("fresh")
        distances: dict[str, Distance] = {
            method: partial(ranked, method, labels=classes) for method in METHODS
        } | {"euclidean": euclidean}
        for title, distance in distances.items():
            usual = distance(fresh, reference)
            truth = np.repeat([0, 1], [len(fresh), half])
            found = {
                kind: roc_auc_score(truth, np.concatenate([usual, distance(rows, reference)]))
                for kind, rows in features.items()
            }
            print(f"{name:20} {title:11}", "  ".join(f"{kind} {value:.3f}" for kind, value in found.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--images", type=int, default=400, help="Reference images.")
    arguments = parser.parse_args()
    main(arguments.source, arguments.images)
