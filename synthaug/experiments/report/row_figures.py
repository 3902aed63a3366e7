"""Plotly figures of the rows of the table: accuracy by class and seed, and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np

from synthaug.experiments.base import Row
from synthaug.experiments.plotting import BASELINE, Figure, axis, cycle, heading, layout, text

HIT, MISS = "43, 143, 134", "214, 84, 62"
MOST_CELLS_WITH_TEXT = 12  # classes; in larger matrices numbers would not fit into the cells
LONGEST_TICK, LONGEST_LINE = 16, 34  # characters


def colours(rows: Sequence[Row]) -> list[str]:
    """One colour per row; gray for the baseline."""
    hues = iter(cycle(len(rows)))
    return [BASELINE if row.difference is None else next(hues) for row in rows]


def per_class_bars(rows: Sequence[Row]) -> Figure:
    """Accuracy of every class in percent, with one bar per arm."""
    bars = [
        {
            "type": "bar",
            "name": text(row.title),
            "x": [text(name) for name in row.per_class],
            "y": [_percent(value) for value in row.per_class.values()],
            "marker": {"color": colour},
            "hovertemplate": "%{x}: %{y:.2f}%<extra>%{fullData.name}</extra>",
        }
        for row, colour in zip(rows, colours(rows), strict=True)
    ]
    more = {"bargap": 0.22, "bargroupgap": 0.04, "margin": {"l": 56, "r": 16, "t": 40, "b": 40}}
    axes = {
        "xaxis": axis(type="category", showgrid=False),
        "yaxis": axis("accuracy, %", range=[0, 100]),
    }
    return {"data": bars, "layout": layout(420, barmode="group", **more, **axes)}


def seeds_dots(rows: Sequence[Row]) -> Figure:
    """Accuracy of every run, with one line per arm: dots for seeds, a diamond for the mean with its 95% interval."""
    axes = {
        "xaxis": axis("accuracy, %"),
        "yaxis": axis(
            tickvals=list(range(len(rows))),
            ticktext=[text(row.title) for row in rows],
            range=[len(rows) - 0.4, -0.6],
            showgrid=False,
        ),
    }
    lines = [_vertical(row.accuracy) for row in rows if row.difference is None]
    more = {"shapes": lines, "margin": {"l": 56, "r": 24, "t": 36, "b": 48}}
    return {
        "data": [_single_runs(rows), _means(rows)],
        "layout": layout(100 + 40 * len(rows), **more, **axes),
    }


def _single_runs(rows: Sequence[Row]) -> Figure:
    """A dot for every run, slightly below the line of its arm."""
    seeds = [
        (place, value, index) for place, row in enumerate(rows) for index, value in enumerate(row.accuracies)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "one seed",
        "x": [_percent(value) for _, value, _ in seeds],
        "y": [place + 0.3 for place, _, _ in seeds],
        "customdata": [index + 1 for _, _, index in seeds],
        "marker": {"size": 7, "opacity": 0.6, "color": [colours(rows)[place] for place, _, _ in seeds]},
        "hovertemplate": "run %{customdata}: %{x:.2f}%<extra></extra>",
    }


def _means(rows: Sequence[Row]) -> Figure:
    """A diamond for the mean of every arm, with its 95% interval."""
    half = [100 * (row.interval[1] - row.accuracy) if row.interval else 0.0 for row in rows]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "mean with its 95% interval",
        "x": [_percent(row.accuracy) for row in rows],
        "y": list(range(len(rows))),
        "marker": {"size": 10, "symbol": "diamond", "color": colours(rows)},
        "customdata": half,
        "error_x": {"type": "data", "array": half, "thickness": 1.5, "width": 5, "color": BASELINE},
        "hovertemplate": "mean %{x:.2f}% &#177; %{customdata:.2f}<extra></extra>",
    }


def _vertical(accuracy: float) -> Figure:
    """A dotted line through the whole figure at the accuracy of the baseline."""
    return {
        "type": "line",
        "xref": "x",
        "x0": _percent(accuracy),
        "x1": _percent(accuracy),
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": BASELINE, "width": 1, "dash": "dot"},
    }


def confusion(rows: Sequence[Row]) -> Figure:
    """One confusion matrix per arm, as small multiples, in percent of the test images of the true class."""
    columns = min(3, len(rows))
    deep = -(-len(rows) // columns)
    gap_x, gap_y = 0.03, 0.26 / (deep + 1)
    width, height = (1 - gap_x * (columns - 1)) / columns, (1 - gap_y * (deep - 1)) / deep
    data: list[Figure] = []
    axes: Figure = {}
    titles = []
    for index, row in enumerate(rows):
        down, across = divmod(index, columns)
        left, top = across * (width + gap_x), 1 - down * (height + gap_y)
        suffix = str(index + 1) if index else ""
        ticks = _ticks(list(row.per_class))
        lowest = index + columns >= len(rows)
        x_axis = axis(
            "predicted" if lowest else "", domain=[left, left + width], anchor=f"y{suffix}", **ticks
        )
        y_axis = axis(
            "true" if not across else "",
            domain=[max(0.0, top - height), top],
            anchor=f"x{suffix}",
            autorange="reversed",
            showticklabels=not across,
            **ticks,
        )
        axes[f"xaxis{suffix}"] = x_axis | {"showgrid": False, "showticklabels": lowest, "tickangle": -45}
        axes[f"yaxis{suffix}"] = y_axis | {"showgrid": False}
        data += [each | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"} for each in _matrix(row)]
        title = "<br>".join(map(text, wrap(row.title, LONGEST_LINE)))
        titles.append(heading(title, left + width / 2, top))
    margin = {"l": 72, "r": 8, "t": 48, "b": 84}
    return {"data": data, "layout": layout(126 + 350 * deep, annotations=titles, margin=margin, **axes)}


def _matrix(row: Row) -> list[Figure]:
    """Two overlaid heatmaps with different colours, one of correct predictions and one of errors."""
    counts = np.array(row.confusion, np.float64)
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    right = np.eye(len(counts), dtype=bool)
    written = len(counts) <= MOST_CELLS_WITH_TEXT
    names = [text(name) for name in row.per_class]
    return [
        {
            "type": "heatmap",
            "z": [
                [round(float(z), 2) if here else None for z, here in zip(line, place, strict=True)]
                for line, place in zip(shares, where, strict=True)
            ],
            "zmin": 0,
            "zmax": top,
            "colorscale": [[0, f"rgba({hue}, 0)"], [1, f"rgba({hue}, 0.85)"]],
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "customdata": [
                [[true, predicted, int(count)] for predicted, count in zip(names, line, strict=True)]
                for true, line in zip(names, counts, strict=True)
            ],
            "hovertemplate": "%{customdata[0]}, predicted %{customdata[1]}: %{z:.1f}% (%{customdata[2]})"
            "<extra></extra>",
            "hoverongaps": False,
        }
        | ({"texttemplate": "%{z:.0f}", "textfont": {"size": 10}} if written else {})
        for where, hue, top in ((right, HIT, 100), (~right, MISS, 50))
    ]


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 4)


def _ticks(names: Sequence[str]) -> Figure:
    short = [name if len(name) <= LONGEST_TICK else name[: LONGEST_TICK - 1] + "…" for name in names]
    return {"tickvals": list(range(len(names))), "ticktext": [text(name) for name in short], "ticks": ""}
