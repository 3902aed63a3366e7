"""Charts as escaped HTML and SVG: numbers in, markup out. Colours are the theme's variables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypedDict

from ..markup import Markup, joined, markup

VERDICTS = {
    "helped": "Helped",
    "harmed": "Harmed",
    "no worthwhile difference": "No worthwhile difference",
    "not enough evidence": "Not enough evidence",
    "did not help": "Did not help",  # release 0.1
}
"""The verdicts as headings."""

SIDES = ("baseline", "oversampled", "augmented")
"""The sides of a retraining, as runs are named (``baseline/0``); each has its colour in the style sheet."""

CURVE_WIDTH, CURVE_HEIGHT = 640, 230
CURVE_LEFT, CURVE_RIGHT, CURVE_TOP, CURVE_BOTTOM = 44, 12, 12, 28


LANES = 4  # rows of dots below an interval

Scale = Callable[[float], float]
"""From a value to its position: percent of a width, or units of an SVG."""


class Epoch(TypedDict):
    """What a training job reports after an epoch of a run; ``run`` is a side with a seed (``baseline/0``)."""

    run: str
    epoch: int  # from 1
    epochs: int
    train_accuracy: float  # 0..1
    loss: float


class ClassPair(NamedTuple):
    """One class on both sides; accuracies 0..1, None if the class has no test images."""

    name: str
    baseline: float | None
    augmented: float | None
    significant: bool


def points_of(share: float, signed: bool = False) -> str:
    """0.0123 as ``1.23``, or ``+1.23``: percentage points."""
    return f"{100 * share:+.2f}" if signed else f"{100 * share:.2f}"


def interval(difference: float, ci: tuple[float, float], seeds: Sequence[float], confidence: float) -> Markup:
    """The difference with its interval around a zero line, and a dot per seed. Differences are shares, -1..1."""
    low, high = _around_zero([*ci, *seeds, difference])
    ticks = _ticks(low, high, 6)
    place = _scale(min(low, ticks[0]), max(high, ticks[-1]))
    return markup(
        '<div class="sa-interval" role="img" aria-label="Difference {difference} points, {confidence:.4g}% interval '
        '{low} to {high}"><div class="sa-interval-plot">'
        '<div class="sa-interval-zero" style="left:{zero:.2f}%"></div>'
        '<em class="worse" style="right:{before:.2f}%">&larr; worse</em>'
        '<em class="better" style="left:{zero:.2f}%">better &rarr;</em>'
        '<div class="sa-interval-range" style="left:{start:.2f}%;width:{width:.2f}%"></div>'
        '<div class="sa-interval-mean" style="left:{mean:.2f}%"><b>{difference}</b></div>{dots}</div>'
        '<div class="sa-interval-axis">{axis}</div>'
        '<p class="sa-chart-note">Accuracy of augmented minus baseline, in percentage points. Bar: {confidence:.4g}% '
        "interval. Small dots: one per seed.</p></div>",
        difference=points_of(difference, signed=True),
        confidence=100 * confidence,
        low=points_of(ci[0], signed=True),
        high=points_of(ci[1], signed=True),
        zero=place(0),
        before=100 - place(0),
        start=place(ci[0]),
        width=max(place(ci[1]) - place(ci[0]), 0.4),
        mean=place(difference),
        dots=joined(_seed_dot(place, index, value) for index, value in enumerate(seeds)),
        axis=joined(_axis_label(place, tick) for tick in ticks),
    )


def _seed_dot(place: Scale, index: int, value: float) -> Markup:
    return markup(
        '<i class="sa-interval-seed" style="left:{:.2f}%;top:{}px" title="seed {}: {} points"></i>',
        place(value),
        66 + 7 * (index % LANES),
        index,
        points_of(value, signed=True),
    )


def _axis_label(place: Scale, tick: float) -> Markup:
    return markup(
        '<span style="left:{:.2f}%"{}>{}</span>',
        place(tick),
        Markup(' class="zero"') if not tick else "",
        f"{round(100 * tick, 6):+g}" if tick else "0",
    )


def class_bars(pairs: Sequence[ClassPair], names: tuple[str, str] = ("baseline", "augmented")) -> Markup:
    """Accuracy of every class: a ring for the first side, a dot for the second, and the change."""
    known = [value for pair in pairs for value in (pair.baseline, pair.augmented) if value is not None]
    floor = math.floor(min(known, default=0.0) * 10 - 0.5) / 10
    place = _scale(max(0.0, floor), 1.0)
    rows = joined(_class_row(pair, place, names) for pair in pairs)
    ends = markup("<span>{:.0f}%</span><span>100%</span>", 100 * max(0.0, floor))
    return markup(
        '<div class="sa-pairs"><div class="sa-key"><span><i class="ring"></i>{}</span>'
        '<span><i class="dot"></i>{}</span></div>{}'
        '<div class="sa-pair sa-pair-axis"><span></span><div>{}</div><b></b></div></div>',
        *names,
        rows,
        ends,
    )


def _class_row(pair: ClassPair, place: Scale, names: tuple[str, str]) -> Markup:
    if pair.baseline is None or pair.augmented is None:
        return markup(
            '<div class="sa-pair"><span title="{0}">{0}</span><div class="none">no test images</div><b></b></div>',
            pair.name,
        )
    change = pair.augmented - pair.baseline
    tone = "flat" if abs(change) < 5e-5 else "up" if change > 0 else "down"
    left, right = sorted((place(pair.baseline), place(pair.augmented)))
    return markup(
        '<div class="sa-pair {tone}" title="{name}: {first} {before}%, {second} {after}%">'
        '<span>{name}</span><div class="track"><i class="link" style="left:{left:.2f}%;width:{width:.2f}%"></i>'
        '<i class="ring" style="left:{ring:.2f}%"></i><i class="dot" style="left:{dot:.2f}%"></i></div>'
        "<b>{change}{mark}</b></div>",
        tone=tone,
        name=pair.name,
        first=names[0],
        second=names[1],
        before=points_of(pair.baseline),
        after=points_of(pair.augmented),
        left=left,
        width=right - left,
        ring=place(pair.baseline),
        dot=place(pair.augmented),
        change=f"{100 * change:+.1f}",
        mark=Markup('<sup title="Significant after correction for the number of classes">*</sup>')
        if pair.significant
        else "",
    )


def confusion(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], title: str, key: str | None = None
) -> Markup:
    """A confusion matrix as a heatmap: rows true, columns predicted, shade = share of the row.

    ``key``: the key of the side, if the images of a cell can be opened.
    """
    head = joined(markup('<th scope="col" title="{0}">{0}</th>', name) for name in classes)
    body = joined(
        markup(
            '<tr><th scope="row" title="{0}">{0}</th>{1}</tr>', name, _confusion_row(row, index, classes, key)
        )
        for index, (name, row) in enumerate(zip(classes, matrix, strict=True))
    )
    return markup(
        '<figure class="sa-confusion"><figcaption>{}</figcaption><div class="sa-table-holder"><table>'
        "<thead><tr><th></th>{}</tr></thead><tbody>{}</tbody></table></div></figure>",
        title,
        head,
        body,
    )


def _confusion_row(row: Sequence[int], true: int, classes: Sequence[str], key: str | None) -> Markup:
    total = sum(row)
    cells = []
    for predicted, count in enumerate(row):
        share = count / total if total else 0.0
        shade = round(100 * math.sqrt(share)) if predicted != true else round(100 * share)
        cells.append(
            markup(
                '<td class="{kind}{strong}" style="--share:{shade}%" title="{true}, predicted {predicted}: '
                '{count} of {total} ({percent:.1f}%)">{text}</td>',
                kind="hit" if predicted == true else "miss",
                strong=" strong" if shade > 55 else "",
                shade=shade,
                true=classes[true],
                predicted=classes[predicted],
                count=count,
                total=total,
                percent=100 * share,
                text=_cell(key, true, predicted, _percent(share)) if count else "",
            )
        )
    return joined(cells)


def _cell(key: str | None, true: int, predicted: int, text: str) -> Markup | str:
    """The figure of a cell, as a button if its images can be opened."""
    if key is None:
        return text
    return markup(
        '<button type="button" data-side="{}" data-true="{}" data-predicted="{}">{}</button>',
        key,
        true,
        predicted,
        text,
    )


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"


def view_counts(classes: Sequence[str], baseline: Mapping[str, int], augmented: Mapping[str, int]) -> Markup:
    """Training images of every class on both sides: those in both, and those that were added."""
    most = max([1, *baseline.values(), *augmented.values()])
    rows = joined(
        markup(
            '<div class="sa-count" title="{name}: {before} in the baseline, {after} augmented"><span>{name}</span>'
            '<div><i class="base" style="width:{base:.2f}%"></i><i class="more" style="width:{more:.2f}%"></i></div>'
            "<b>{before}{arrow}</b></div>",
            name=name,
            before=f"{baseline.get(name, 0):,}",
            after=f"{augmented.get(name, 0):,}",
            base=100 * min(baseline.get(name, 0), augmented.get(name, 0)) / most,
            more=100 * max(0, augmented.get(name, 0) - baseline.get(name, 0)) / most,
            arrow=_arrow(baseline.get(name, 0), augmented.get(name, 0)),
        )
        for name in classes
    )
    return markup(
        '<div class="sa-counts"><div class="sa-key"><span><i class="base"></i>in both</span>'
        '<span><i class="more"></i>added: synthetic</span></div>{}</div>',
        rows,
    )


def _arrow(before: int, after: int) -> Markup | str:
    return "" if before == after else markup(" <em>&rarr; {}</em>", f"{after:,}")


def learning_curve(history: Iterable[Epoch]) -> Markup:
    """Training accuracy by epoch, one line per run; ``history`` as in ``Job.result``."""
    runs: dict[str, list[tuple[int, float]]] = {}
    epochs = 1
    for entry in history:
        if entry["epoch"] == 1:  # a run that was stopped may start again
            runs.pop(entry["run"], None)
        runs.setdefault(entry["run"], []).append((entry["epoch"], entry["train_accuracy"]))
        epochs = max(epochs, entry["epochs"])
    accuracies = [accuracy for run in runs.values() for _, accuracy in run]
    floor = math.floor(10 * min(accuracies, default=0.0)) / 10
    across = _scale(1, max(epochs, 2), CURVE_LEFT, CURVE_WIDTH - CURVE_RIGHT)
    down = _scale(floor, 1.0, CURVE_HEIGHT - CURVE_BOTTOM, CURVE_TOP)
    newest = next(reversed(runs), None)
    lines = joined(_curve(name, run, across, down, name == newest) for name, run in runs.items())
    return markup(
        '<div class="sa-curve"><div class="sa-key">{}</div>'
        '<svg viewBox="0 0 {} {}" role="img" aria-label="Training accuracy by epoch">{}{}</svg>'
        '<p class="sa-chart-note">Accuracy on the training images by epoch, one line per run. The test images '
        "are used only after the last epoch.</p></div>",
        joined(
            markup('<span><i class="line {0}"></i>{0}</span>', side)
            for side in SIDES
            if any(name.startswith(side) for name in runs)
        ),
        CURVE_WIDTH,
        CURVE_HEIGHT,
        _curve_axes(floor, epochs, across, down),
        lines,
    )


def _curve(name: str, run: Sequence[tuple[int, float]], across: Scale, down: Scale, newest: bool) -> Markup:
    side = next((each for each in SIDES if name.startswith(each)), SIDES[0])
    path = " ".join(f"{across(epoch):.1f},{down(accuracy):.1f}" for epoch, accuracy in run)
    epoch, accuracy = run[-1]
    end = markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="{}"/>', across(epoch), down(accuracy), 4 if newest else 2
    )
    return markup(
        '<g class="{}{}"><title>{}, epoch {}: {}%</title><polyline points="{}"/>{}</g>',
        side,
        " newest" if newest else "",
        name.replace("/", ", seed "),
        epoch,
        points_of(accuracy),
        path,
        end,
    )


def _curve_axes(floor: float, epochs: int, across: Scale, down: Scale) -> Markup:
    right = CURVE_WIDTH - CURVE_RIGHT
    levels = joined(
        markup(
            '<line x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/><text x="{}" y="{text:.1f}" text-anchor="end">{}%</text>',
            CURVE_LEFT,
            right,
            CURVE_LEFT - 8,
            round(100 * level),
            y=down(level),
            text=down(level) + 4,
        )
        for level in _ticks(floor, 1.0, 4)
        if level <= 1.0
    )
    steps = [
        epoch for epoch in range(1, epochs + 1) if epoch in (1, epochs) or epoch % max(1, epochs // 5) == 0
    ]
    bottom = CURVE_HEIGHT - 8
    labels = joined(
        markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>', across(epoch), bottom, epoch)
        for epoch in steps
    )
    return markup('<g class="axes">{}{}</g>', levels, labels)


def runs_strip(history: Sequence[Epoch], seeds: int, sides: Sequence[str]) -> Markup:
    """One row per side, one cell per training run: waiting, running or finished."""
    latest = {entry["run"]: entry for entry in history}
    current = history[-1]["run"] if history else None

    def cell(run: str) -> Markup:
        entry = latest.get(run)
        share = entry["epoch"] / entry["epochs"] if entry else 0.0
        state = "finished" if share == 1.0 else "running" if run == current else "waiting"
        named = run.replace("/", ", seed ")
        return markup(
            '<i class="{}" style="--share:{:.0f}%" title="{}: {}"></i>', state, 100 * share, named, state
        )

    rows = joined(
        markup(
            '<div class="sa-run {0}"><span>{0}</span><div>{1}</div></div>',
            side,
            joined(cell(f"{side}/{seed}") for seed in range(seeds)),
        )
        for side in sides
    )
    return markup('<div class="sa-runs" aria-label="Training runs">{}</div>', rows)


def _scale(low: float, high: float, start: float = 0.0, end: float = 100.0) -> Scale:
    span = (high - low) or 1.0
    return lambda value: start + (end - start) * min(1.0, max(0.0, (value - low) / span))


def _around_zero(values: Sequence[float]) -> tuple[float, float]:
    """A range that contains all values and zero, with a margin at both ends."""
    low, high = min(0.0, *values), max(0.0, *values)
    room = 0.12 * (high - low) or 0.005
    return low - room, high + room


def _ticks(low: float, high: float, wanted: int) -> list[float]:
    """Round values that cover a range, in steps of 1, 2 or 5 times a power of ten; the first is at most ``low``."""
    rough = (high - low) / wanted or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * index, 12) or 0.0 for index in range(first, last + 1)]
