"""Plotly figures for the panels of experiments: curves, border luminance and principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.experiments.base import Panel
from synthaug.experiments.plotting import BASELINE, COLOURS, Figure, axis, cycle, heading, layout, text
from synthaug.experiments.report.row_figures import confusion, per_class_bars, seeds_dots

if TYPE_CHECKING:
    from synthaug.classifiers.base import Classifier, Images

__all__ = [
    "confusion",
    "curves",
    "luminance_histogram",
    "pca_panel",
    "pca_scatter",
    "per_class_bars",
    "seeds_dots",
]

Values = Sequence[float | None]
Series = tuple[Values, Values | None, Values | None]
"""Means and the lower and upper ends of their intervals (or None), one value per position on the x axis."""

MOST_POINTS = 3000


def curves(x: Values, series: Mapping[str, Series], x_title: str, y_title: str) -> Figure:
    """One line per series over the positions ``x``, with its interval as a band."""
    data: list[Figure] = []
    for colour, (name, (means, low, high)) in zip(cycle(len(series)), series.items(), strict=True):
        if low is not None and high is not None:
            known = [each for each in zip(x, low, high, strict=True) if None not in each]
            band = {"type": "scatter", "mode": "lines", "fill": "toself", "line": {"width": 0}}
            data.append(
                band
                | {
                    "x": _plain([each[0] for each in known] + [each[0] for each in reversed(known)]),
                    "y": _plain([each[1] for each in known] + [each[2] for each in reversed(known)]),
                    "fillcolor": _faint(colour),
                    "hoverinfo": "skip",
                    "showlegend": False,
                    "legendgroup": text(name),
                }
            )
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": text(name),
                "legendgroup": text(name),
                "x": _plain(x),
                "y": _plain(means),
                "line": {"color": colour, "width": 2},
                "marker": {"color": colour, "size": 7},
                "connectgaps": True,
                "showlegend": True,
                "hovertemplate": "%{x:.4~g}: %{y:.4~g}<extra>%{fullData.name}</extra>",
            }
        )
    axes = {"xaxis": axis(text(x_title)), "yaxis": axis(text(y_title))}
    return {"data": data, "layout": layout(380, margin={"l": 64, "r": 16, "t": 36, "b": 52}, **axes)}


def luminance_histogram(groups: Mapping[str, NDArray[np.floating[Any]]], bins: int = 40) -> Figure:
    """Histogram outlines of the border luminances (N,), 0..1, of each group, in percent of its images."""
    edges = np.linspace(0, 1, bins + 1)
    data = []
    for colour, (name, values) in zip(cycle(len(groups)), groups.items(), strict=True):
        shares = 100 * np.histogram(values, edges)[0] / max(len(values), 1)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": text(name),
                "x": _plain(edges.round(4)),
                "y": _plain([*shares.round(4), shares[-1].round(4)]),
                "line": {"shape": "hv", "color": colour, "width": 2},
                "showlegend": True,
                "hovertemplate": "from %{x:.3f}: %{y:.2f}% of the images<extra>%{fullData.name}</extra>",
            }
        )
    axes = {
        "xaxis": axis("mean luminance of the border (0 black, 1 white)", range=[0, 1]),
        "yaxis": axis("images, %", rangemode="tozero"),
    }
    return {"data": data, "layout": layout(340, margin={"l": 56, "r": 16, "t": 36, "b": 52}, **axes)}


def pca_scatter(groups: Mapping[str, NDArray[np.floating[Any]]], caption: str = "") -> Figure:
    """Scatter plots of the points (n, 2) of each group, side by side on the same axes.

    The first group is shown in gray beneath every other: "real", "all synthetic" and "chosen" give the plots real,
    real + all synthetic, and real + chosen. Each group shows at most 3,000 random points. ``caption`` is shown below.
    """
    shown = {name: _sample(points) for name, points in groups.items()}
    first = next(iter(shown))
    low, high = _bounds(list(shown.values()))
    gap = 0.02
    width = (1 - gap * (len(shown) - 1)) / len(shown)
    data: list[Figure] = []
    axes: Figure = {}
    titles = []
    for index, (name, points) in enumerate(shown.items()):
        suffix = str(index + 1) if index else ""
        left = index * (width + gap)
        on = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "showlegend": False}
        data.append(_cloud(shown[first], BASELINE, first) | on)
        if index:
            data.append(_cloud(points, COLOURS[(index - 1) % len(COLOURS)], name) | on)
        side = {"showgrid": True, "nticks": 6}
        x_axis = axis("first component", domain=[left, left + width], anchor=f"y{suffix}", **side)
        y_axis = axis(
            "" if index else "second component", anchor=f"x{suffix}", showticklabels=not index, **side
        )
        axes[f"xaxis{suffix}"] = x_axis | {"range": [float(low[0]), float(high[0])]}
        axes[f"yaxis{suffix}"] = y_axis | {"range": [float(low[1]), float(high[1])]}
        title = f"{text(first)} +<br>{text(name)}" if index else text(name)
        titles.append(heading(title, left + width / 2, 1.0))
    below = {"x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top", "showarrow": False, "font": {"size": 11}}
    notes = [below | {"text": text(caption), "xref": "paper", "yref": "paper"}] if caption else []
    margin = {"l": 64, "r": 8, "t": 48, "b": 84 if caption else 56}
    return {"data": data, "layout": layout(446, annotations=titles + notes, margin=margin, **axes)}


def pca_panel(
    classifier: Classifier, groups: Mapping[str, Images], title: str = "", sentence: str = ""
) -> Panel:
    """Penultimate features of images (N, H, W, 3) uint8 on the first two principal components of the first group.

    The first group must be the real images. ``sentence`` describes the figure and the source of the features.
    """
    from synthaug.measures.projection import fit_pca

    features = {name: classifier.features(images) for name, images in groups.items()}
    first = next(iter(features))
    plane = fit_pca(features[first])
    shares = [round(100 * float(share), 1) for share in plane.explained_variance_ratio]
    points = {name: plane.transform(each) for name, each in features.items()}
    centre = points[first].mean(0)
    return Panel(
        title or "Penultimate features on two principal components",
        f"{sentence} The components are fitted to {first!r} only and explain {shares[0]}% and {shares[1]}% of its "
        f"variance; the other groups are projected onto them. The plots show at most {MOST_POINTS:,} points per "
        "group.".strip(),
        pca_scatter(points),
        ("group", "images", "distance of the mean from that of the first group", "spread"),
        tuple(
            (
                name,
                len(each),
                round(float(np.linalg.norm(each.mean(0) - centre)), 3),
                round(float(np.sqrt(each.var(0).sum())), 3),
            )
            for name, each in points.items()
        ),
    )


def _plain(values: Values | NDArray[Any]) -> list[float | None]:
    """The values as Python floats; None for missing and non-finite ones."""
    return [None if each is None or not np.isfinite(each) else float(each) for each in values]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.15)"


def _sample(points: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    if len(points) <= MOST_POINTS:
        return points
    return points[np.sort(np.random.default_rng(0).choice(len(points), MOST_POINTS, replace=False))]


def _bounds(groups: Sequence[NDArray[np.floating[Any]]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner of a box that contains every point, with a margin."""
    points = np.concatenate(groups).astype(np.float64)
    low, high = points.min(0), points.max(0)
    room = np.where(high > low, 0.04 * (high - low), 1.0)
    return low - room, high + room


def _cloud(points: NDArray[np.floating[Any]], colour: str, name: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": text(name),
        "x": [round(float(x), 4) for x in points[:, 0]],
        "y": [round(float(y), 4) for y in points[:, 1]],
        "marker": {"size": 4, "opacity": 0.45, "color": colour},
        "hoverinfo": "skip",
    }
