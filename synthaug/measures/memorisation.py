"""Whether a generator copies its training images: how close its images come to them, compared with test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.measures.neighbors import Features, nearest_neighbors

QUANTILES = (0.01, 0.05, 0.5, 0.95)
COPY_QUANTILE = 0.01


@dataclass(frozen=True, slots=True)
class Memorisation:
    """Distances to the nearest training image, in the unit of the features."""

    generated: NDArray[np.float64]  # QUANTILES of the distance over the generated images
    test: NDArray[np.float64]  # QUANTILES over the test images, which no generator has memorised
    ratio: float  # median of generated / median of test; near 1 = no copying, far below 1 = copying
    closer: float  # chance that a generated image is closer than a test image, ties half; 0.5 = no copying
    copies: float  # share of generated images closer than COPY_QUANTILE of the test images; that quantile = no copying


def memorisation(generated: Features, train: Features, test: Features) -> Memorisation:
    """Nearest-neighbour distances of ``generated`` (N, D) to ``train`` (L, D), compared with those of ``test`` (M, D).

    ``closer`` is the Mann-Whitney statistic U / (N M), the test of Meehan et al. (2020, "A three sample hypothesis
    test for evaluating generative models") without its partition into cells; higher = more memorisation. Raises
    UserError for an empty set, or where half of the test images are copies of training images.
    """
    for name, each in (("generated", generated), ("training", train), ("test", test)):
        if len(each) == 0:
            raise UserError(
                f"memorisation needs generated, training and test images; there are no {name} images"
            )
    generated_distances, test_distances = nearest_distances(generated, train), nearest_distances(test, train)
    sorted_test = np.sort(test_distances)
    above = len(sorted_test) - np.searchsorted(sorted_test, generated_distances, side="right")
    ties = np.searchsorted(sorted_test, generated_distances, side="right") - np.searchsorted(
        sorted_test, generated_distances, side="left"
    )
    test_median = float(np.median(test_distances))
    if test_median == 0:
        raise UserError(
            "at least half of the test images are also in the training set, so they cannot tell copies from new images"
        )
    return Memorisation(
        generated=np.quantile(generated_distances, QUANTILES),
        test=np.quantile(test_distances, QUANTILES),
        ratio=float(np.median(generated_distances)) / test_median,
        closer=float((above + ties / 2).mean() / len(sorted_test)),
        copies=float((generated_distances < np.quantile(test_distances, COPY_QUANTILE)).mean()),
    )


def nearest_distances(features: Features, train: Features) -> NDArray[np.float64]:
    """Euclidean distance (N,) from each row to its nearest row in ``train``; lower = closer to a copy."""
    return nearest_neighbors(features, 1, train)[0][:, 0].astype(np.float64)
