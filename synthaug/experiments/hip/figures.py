"""Figures of the hip experiment: predicted over true angles, and how far readings of the same images differ."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from synthaug.experiments.base import Panel
from synthaug.experiments.hip.angles import Angles, as_targets
from synthaug.experiments.plotting import BASELINE, Figure, axis, cycle, layout, text

Degrees = NDArray[np.floating]
"""(N, 2): left and right."""


def true_against_predicted(truth: Degrees, predicted: Mapping[str, Degrees]) -> Figure:
    """A point a side of a test image and arm, over the line of perfect agreement. Degrees."""
    ends = [float(truth.min()), float(truth.max())]
    line = {"color": BASELINE, "width": 1, "dash": "dot"}
    data: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": ends,
            "y": ends,
            "line": line,
            "hoverinfo": "skip",
            "name": "right",
        }
    ]
    for color, (name, angles) in zip(cycle(len(predicted)), predicted.items(), strict=True):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": text(name),
                "x": truth.ravel().tolist(),
                "y": angles.ravel().tolist(),
                "marker": {"color": color, "size": 5, "opacity": 0.6},
                "hovertemplate": "true %{x:.1f}, predicted %{y:.1f}<extra>%{fullData.name}</extra>",
            }
        )
    axes = {"xaxis": axis("true angle, degrees"), "yaxis": axis("predicted angle, degrees")}
    return {"data": data, "layout": layout(460, margin={"l": 64, "r": 16, "t": 64, "b": 52}, **axes)}


def readings_table(readings: Mapping[str, Angles]) -> Panel:
    """Mean absolute difference and correlation of every two readings of the generated images."""
    from synthaug.measures import metrics

    rows = []
    for first, second in combinations(readings, 2):
        both = [sha256 for sha256 in readings[first] if sha256 in readings[second]]
        one, other = (as_targets(both, readings[name]).ravel() for name in (first, second))
        rows.append(
            (
                f"{first} and {second}",
                len(both),
                round(float(metrics.mean_absolute_error(one, other)), 2),
                round(float(metrics.pearson(one, other)), 3),
            )
        )
    return Panel(
        "Whose angles the generated images carry",
        "How far the angles that were asked for, those that the previous model reads, and the corrected ones lie "
        "apart. Where prompted and corrected angles do not correlate, the generator does not draw what it is asked.",
        columns=("readings", "images", "mean absolute difference, degrees", "Pearson correlation"),
        rows=tuple(rows),
    )
