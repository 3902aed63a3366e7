"""The tables of a report as columns and cells, independent of the output format."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthaug.experiments.base import Result, Row
from synthaug.experiments.report.wording import GENERATOR_DATA, number, p_value, percent, points, span
from synthaug.measures.evidence import MOST_SEEDS, Evidence, mean_interval

TONES: dict[str, Literal["", "good", "bad", "warn"]] = {
    "helped": "good",
    "harmed": "bad",
    "did not help": "bad",
    "not enough evidence": "warn",
}
"""Visual tone of each verdict; "no worthwhile difference" has none."""

SIGNIFICANT = 0.05
"""Holm-corrected p value below which a change is marked."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with additional text and the runs behind it."""

    text: str
    beside: str = ""  # small text on the same line
    under: tuple[str, ...] = ()  # small lines below
    seeds: tuple[tuple[str, int], ...] = ()  # the value and the id of each run
    linked: bool = True  # whether it links to the runs of the row
    tone: Literal["", "good", "bad", "warn", "published"] = ""


EMPTY = Cell("", linked=False)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading with a note below it, and a function from a row to its cell."""

    heading: str
    cell: Callable[[Row], Cell]
    note: str = ""
    kind: Literal["text", "number", "published"] = "number"


def columns(result: Result) -> list[Column]:
    """The columns of the main table: training set, results, and comparison with the baseline."""
    focus = [name for name in result.focus if name in result.classes]
    measured = list(dict.fromkeys(name for row in result.rows for name in row.measures))
    published = dict.fromkeys(name for row in result.rows for name in row.published)
    chosen = [
        Column("Training set", _title, kind="text"),
        Column("Images", lambda row: Cell(f"{row.images:,}")),
        Column("Accuracy", _accuracy, "%, mean ± 95% t"),
    ]
    for name in ("accuracy", *focus):
        if name != "accuracy":
            chosen.append(Column(name, _of_class(name), "accuracy, %"))
            if any(row.auc.get(name) is not None for row in result.rows):
                chosen.append(Column(name, _auc_of_class(name), "AUC, %"))
        if name in published:
            chosen.append(_published(name, "Published" if name == "accuracy" else f"{name}, published"))
    if any(row.macro_auc for row in result.rows):
        chosen.append(Column("Prior matched", _matched, "accuracy, %; change"))
        chosen.append(Column("AUC", _macro_auc, "%, mean of classes; change"))
    chosen += [Column(name, _measure(name), "mean ± 95% t") for name in measured]
    chosen += [
        _published(name, f"{name}, published") for name in published if name not in ("accuracy", *focus)
    ]
    return [
        *chosen,
        Column("Difference", _difference, "points, paired by seed"),
        Column("Verdict", _verdict, "and seeds needed", "text"),
    ]


def class_columns(result: Result) -> list[Column]:
    """The columns of the table by class: accuracy, change from the baseline and its Holm-corrected p."""
    return [
        Column("Training set", lambda row: Cell(row.title, linked=False), kind="text"),
        *(Column(name, _class_change(name)) for name in result.classes),
    ]


def _title(row: Row) -> Cell:
    notes = [f"against: {row.against}"] if row.against else []
    if row.generator_data != "none":
        notes.append(f"generator {GENERATOR_DATA[row.generator_data]}")
    return Cell(row.title, under=tuple(notes), linked=False)


def _accuracy(row: Row) -> Cell:
    half = f"± {percent((row.interval[1] - row.interval[0]) / 2)}" if row.interval else "one seed"
    return Cell(percent(row.accuracy), half, seeds=_by_run(row, [percent(each) for each in row.accuracies]))


def _by_run(row: Row, figures: list[str]) -> tuple[tuple[str, int], ...]:
    return tuple(zip(figures, row.runs, strict=True))


def _of_class(name: str) -> Callable[[Row], Cell]:
    return lambda row: Cell(percent(row.per_class.get(name)))


def _auc_of_class(name: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        if name not in row.auc_changes:
            return Cell(percent(row.auc.get(name)))
        difference, p = row.auc_changes[name]
        return Cell(percent(row.auc[name]), under=(points(difference) + "*" * (p < SIGNIFICANT),))

    return cell


def _matched(row: Row) -> Cell:
    return _with_change(row, row.matched_accuracies, row.matched_change)


def _macro_auc(row: Row) -> Cell:
    return _with_change(row, row.macro_auc, row.auc_change)


def _with_change(row: Row, values: tuple[float, ...], change: Evidence | None) -> Cell:
    if not values:
        return EMPTY
    under: tuple[str, ...] = ()
    if change is not None:
        under = (points(change.difference), *([f"t {span(change.ci)}"] if change.ci else []))
    return Cell(percent(float(np.mean(values))), under=under)


def _published(name: str, heading: str) -> Column:
    def cell(row: Row) -> Cell:
        value = row.published.get(name)
        if value is None:
            return EMPTY
        return Cell(number(value) if name in row.measures else percent(value), linked=False, tone="published")

    return Column(heading, cell, "other data and network", "published")


def _measure(name: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        values = row.measures.get(name)
        if values is None:
            return EMPTY
        if not np.isfinite(values).all():
            return Cell("–", seeds=_by_run(row, [number(each) for each in values]))
        mean, interval = float(np.mean(values)), mean_interval(values)
        places = max(0, 3 - math.floor(math.log10(abs(mean)))) if mean else 2  # four significant digits
        half = f"± {(interval[1] - interval[0]) / 2:,.{places}f}" if interval else "one seed"
        return Cell(
            f"{mean:,.{places}f}", half, seeds=_by_run(row, [f"{each:,.{places}f}" for each in values])
        )

    return cell


def _difference(row: Row) -> Cell:
    if row.difference is None:
        return Cell("–", linked=False)
    under = []
    if row.difference_interval:
        under.append(f"t {span(row.difference_interval)}")
    if row.difference_over_images:
        under.append(f"seeds and images {span(row.difference_over_images)}")
    if row.difference_bootstrap:
        under.append(f"bootstrap {span(row.difference_bootstrap)}")
    return Cell(points(row.difference), under=tuple(under))


def _verdict(row: Row) -> Cell:
    if row.verdict is None:
        return Cell("baseline", linked=False)
    under: tuple[str, ...] = ()
    if row.verdict == "not enough evidence":
        under = (
            f"{'over ' if row.seeds_needed is None else 'about '}{row.seeds_needed or MOST_SEEDS:,} seeds needed",
        )
    return Cell(row.verdict, under=under, linked=False, tone=TONES.get(row.verdict, ""))


def _class_change(name: str) -> Callable[[Row], Cell]:
    def cell(row: Row) -> Cell:
        accuracy = percent(row.per_class.get(name))
        if name not in row.class_changes:
            return Cell(accuracy)
        difference, p = row.class_changes[name]
        clear = p < SIGNIFICANT
        tone: Literal["", "good", "bad"] = ("good" if difference > 0 else "bad") if clear else ""
        under = [points(difference) + "*" * clear, p_value(p)]
        if name in row.auc_changes:
            change, p_auc = row.auc_changes[name]
            under.append(f"AUC {percent(row.auc[name])}, {points(change)}" + "*" * (p_auc < SIGNIFICANT))
        return Cell(accuracy, under=tuple(under), tone=tone)

    return cell
