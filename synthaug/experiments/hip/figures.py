"""Figures of the hip experiment: predicted over true angles, and differences between readings of the same images."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from synthaug.experiments.base import Panel
from synthaug.experiments.hip.angles import Angles, as_targets
from synthaug.experiments.plotting import BASELINE, Figure, axis, cycle, layout, text

Degrees = NDArray[np.floating]
"""Angles (N, 2), left and right, in degrees."""


def true_against_predicted(truth: Degrees, predicted: Mapping[str, Degrees]) -> Figure:
    """One point per arm, test image and side, in degrees, with the line of perfect agreement."""
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
            "name": "exact",
        }
    ]
    for colour, (name, angles) in zip(cycle(len(predicted)), predicted.items(), strict=True):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": text(name),
                "x": truth.ravel().tolist(),
                "y": angles.ravel().tolist(),
                "marker": {"color": colour, "size": 5, "opacity": 0.6},
                "hovertemplate": "true %{x:.1f}, predicted %{y:.1f}<extra>%{fullData.name}</extra>",
            }
        )
    axes = {"xaxis": axis("true angle, degrees"), "yaxis": axis("predicted angle, degrees")}
    return {"data": data, "layout": layout(460, margin={"l": 64, "r": 16, "t": 64, "b": 52}, **axes)}


def readings_table(readings: Mapping[str, Angles]) -> Panel:
    """Mean absolute difference and correlation of each pair of readings of the generated images."""
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
        "Agreement of the angles of the generated images",
        "Differences between the prompted angles, those that the previous model predicts, and the corrected ones. If "
        "prompted and corrected angles do not correlate, the generator does not follow its prompts.",
        columns=("readings", "images", "mean absolute difference, degrees", "Pearson correlation"),
        rows=tuple(rows),
    )
