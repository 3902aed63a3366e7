"""Whether a generator repeats its training images: their distance to it, beside that of images it never saw."""

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
    """Distances to the nearest training image, in units of the features."""

    generated: NDArray[np.float64]  # QUANTILES over the generated images
    test: NDArray[np.float64]  # QUANTILES over the test images: what no memory of the training set looks like
    ratio: float  # median of generated over median of test; far below 1 = repeats, near 1 = does not
    closer: (
        float  # chance that a generated image is nearer than a test image, ties half; 0.5 = as test images
    )
    copies: float  # share of generated nearer than COPY_QUANTILE of the test images; that quantile = as test images


def memorisation(generated: Features, train: Features, test: Features) -> Memorisation:
    """Nearest-neighbour distances of ``generated`` (N, D) to ``train`` against those of ``test`` (M, D) to it.

    ``closer`` is the Mann-Whitney statistic U / (N M), the test of Meehan et al. (2020, "A three sample hypothesis
    test for evaluating generative models") without its cells; higher = memorises more.
    """
    for name, each in (("generated", generated), ("training", train), ("test", test)):
        if len(each) == 0:
            raise UserError(
                f"memorisation is measured against training and test images; there are no {name} ones"
            )
    ours, theirs = nearest_distances(generated, train), nearest_distances(test, train)
    ordered = np.sort(theirs)
    above = len(ordered) - np.searchsorted(ordered, ours, side="right")
    ties = np.searchsorted(ordered, ours, side="right") - np.searchsorted(ordered, ours, side="left")
    middle = float(np.median(theirs))
    if middle == 0:
        raise UserError(
            "half of the test images stand in the training set; they cannot tell copies from new images"
        )
    return Memorisation(
        generated=np.quantile(ours, QUANTILES),
        test=np.quantile(theirs, QUANTILES),
        ratio=float(np.median(ours)) / middle,
        closer=float((above + ties / 2).mean() / len(ordered)),
        copies=float((ours < np.quantile(theirs, COPY_QUANTILE)).mean()),
    )


def nearest_distances(features: Features, train: Features) -> NDArray[np.float64]:
    """Euclidean distance (N,) from each row to the nearest of ``train``; lower = closer to a repeat."""
    return nearest_neighbors(features, 1, train)[0][:, 0].astype(np.float64)
