"""Similarity of generated images as their set grows, compared with real ones: curves and a table from features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthaug.experiments.base import Panel
from synthaug.experiments.figures import Series, curves
from synthaug.measures.diversity import MEASURES, Point, curve
from synthaug.measures.fidelity import neighborhoods
from synthaug.measures.neighbors import Features

ByClass = Sequence[Features]
"""Features (N, D) of each class of a set; classes are measured separately, since they differ anyway."""

SMALLEST = 5  # images per class at the first point of a curve
MOST_POINTS = 6
REPEATS = 10
K = 5
DESCRIPTIONS = {
    "vendi": "Effective number of different images per class (Vendi score): higher = more diverse",
    "mean cosine": "Mean cosine over all pairs of images of a class: higher = more alike",
    "neighbor 5%": "Cosine distance to the nearest other image of the class, 5% quantile: near 0 = near-copies",
    "neighbor median": "Cosine distance to the nearest other image of the class, median: higher = more diverse",
}
"""A description of each of ``measures.diversity.MEASURES``."""


def similarity_panels(sets: Mapping[str, ByClass], real: str, whose: str) -> tuple[Panel, ...]:
    """One figure per measure with all sets, and a table that compares the sets with the set called ``real``.

    ``whose`` describes the features in words.
    """
    largest = min(len(each) for rows in sets.values() for each in rows)
    figures = tuple(_figure(measure, sets, sizes(largest), whose) for measure in MEASURES)
    return (*figures, _table(sets, real, largest, whose))


def sizes(largest: int) -> list[int]:
    """Sizes obtained by halving ``largest`` repeatedly down to SMALLEST, in ascending order."""
    halved = [largest // 2**i for i in range(MOST_POINTS)]
    return sorted({each for each in halved if each >= min(SMALLEST, largest)})


def mean_curve(rows: ByClass, at: Sequence[int], measure: str) -> list[Point]:
    """A measure on growing subsets of each class; mean, lowest and highest values are averaged over the classes."""
    by_class = [curve(each, at, 0, REPEATS, MEASURES[measure]) for each in rows]
    return [
        Point(
            points[0].size,
            float(np.mean([point.mean for point in points])),
            float(np.mean([point.low for point in points])),
            float(np.mean([point.high for point in points])),
            points[0].repeats,
        )
        for points in zip(*by_class, strict=True)
    ]


def _figure(measure: str, sets: Mapping[str, ByClass], at: Sequence[int], whose: str) -> Panel:
    found = {name: mean_curve(rows, at, measure) for name, rows in sets.items()}
    series: dict[str, Series] = {
        name: (
            [point.mean for point in points],
            [point.low for point in points],
            [point.high for point in points],
        )
        for name, points in found.items()
    }
    text = (
        f"{DESCRIPTIONS[measure]}. Computed on {whose}; mean over classes. The band spans {REPEATS} random subsets of "
        "each size."
    )
    return Panel(
        f"Similarity as the set grows: {measure}", text, curves(list(at), series, "images per class", measure)
    )


def _table(sets: Mapping[str, ByClass], real: str, count: int, whose: str) -> Panel:
    """All measures on ``count`` images per class, and the fidelity compared with the real images."""
    k = min(K, count - 1)
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, features in sets.items():
        alone = [round(mean_curve(features, [count], measure)[0].mean, 4) for measure in MEASURES]
        among: list[float | None] = [None] * 4
        if name != real:
            near = [
                neighborhoods(mine[:count], theirs[:count], k=k)
                for mine, theirs in zip(features, sets[real], strict=True)
            ]
            among = [
                round(float(np.mean([getattr(each, field) for each in near])), 3)
                for field in ("precision", "recall", "density", "coverage")
            ]
        rows.append((name, count, *alone, *among))
    text = (
        f"Computed on {whose}; mean over classes, with {count} images of each class and set. Precision, recall, "
        f"density and coverage compare with {real!r} (k = {k}); higher = better."
    )
    columns = ("images", "per class", *MEASURES, "precision", "recall", "density", "coverage")
    return Panel("Similarity and fidelity", text, columns=columns, rows=tuple(rows))
