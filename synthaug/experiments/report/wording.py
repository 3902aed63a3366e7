"""A result in words: numbers as text, verdicts as sentences, what a run was made with."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthaug.experiments.base import Result, Row, Run
from synthaug.measures.evidence import (
    CONFIDENCE,
    FEWEST_SEEDS,
    MOST_SEEDS,
    SMALLEST_EFFECT,
    look_confidence,
)
from synthaug.stages.weighing import percentage

GENERATOR_DATA = {
    "none": "no synthetic images",
    "full": "saw all real images",
    "view": "saw this arm's real images only",
    "other": "trained on other images",
}
"""What the generator of an arm had seen, for a table cell."""

HARDWARE = ("hardware", "platform", "cpu", "cpus", "threads", "memory_gib", "gpu")
"""Facts of an environment that are no versions."""

SHOWN_APART = ("accuracy", "per_class", "confusion", "auc", "recipe", "history")
"""Entries of a run's metrics that have a place of their own."""


RULE = (
    "The difference is paired by seed. Its first interval is Student's t, on which the verdict rests; it speaks of the "
    "variation between training runs on this one test set. The second, for seeds and images, adds what other test "
    "images of the same kind would change. The third is the BCa bootstrap over seeds, too narrow for so few.",
    "Helped, harmed: the interval lies above 0, below 0. No worthwhile difference: it lies within "
    f"{100 * SMALLEST_EFFECT:g} points on either side. Seeds needed: how many would settle it with a chance of 80%, "
    "were the difference and spread those seen. More seeds are a further look at the same question: the first is at "
    f"{percentage(look_confidence(1))}, the second at {percentage(look_confidence(2))}, so that all looks together "
    "err in at most 5 of 100 cases. Every verdict stands for itself; none is corrected for the number of rows.",
)
EARLIER_RULE = (
    "The difference is paired by seed. Its first interval is Student's t, on which the verdict rests; the second "
    "is the percentile bootstrap, which is too narrow for so few seeds. Both speak of the variation between "
    "training runs on this one test set, not of other data. Every verdict stands for itself, at 95%; none is "
    "corrected for the number of rows.",
    "Helped: the interval lies above 0. Did not help: it rules out a gain of half a point. This is the rule of release "
    "0.1, under which the result was written.",
)
KNOWLEDGE = (
    "AUC is the area under the ROC curve of each class against the rest, and its mean over classes: how well the "
    "classes are told apart, however often each is named. Prior matched is the accuracy after a bias that makes each "
    "class as probable as the test set's shares say, found on the scores of the other half of the test images without "
    "their labels. A gain of accuracy that shows in neither is a shifted prior, no knowledge."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run was made with and measured, as names and texts."""

    measured: dict[str, str]
    recipe: dict[str, str]
    versions: dict[str, str]
    hardware: dict[str, str]
    command: str


def percent(share: float | None) -> str:
    """0.8123 as ``81.23``; a dash for what was not measured."""
    return "–" if share is None else f"{100 * share:.2f}"


def points(difference: float) -> str:
    """0.0123 as ``+1.23``: percentage points."""
    return f"{100 * difference:+.2f}"


def span(interval: tuple[float, float]) -> str:
    """An interval of a difference: ``+0.52 to +2.10``."""
    return f"{points(interval[0])} to {points(interval[1])}"


def number(value: object) -> str:
    """Any figure of a table or a run; floats with four significant digits, large counts with commas."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def p_value(p: float) -> str:
    """``p < 0.001`` or ``p = 0.034``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def moment(written: str) -> str:
    """An ISO time as people read it: ``2026-11-21 09:41:07 UTC``."""
    return re.sub(r"T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00:00|Z)$", r" \1 UTC", written)


def baseline_row(result: Result) -> Row:
    """The row that the others are compared with."""
    return next(row for row in result.rows if row.arm == result.baseline)


def heading_of_verdict(row: Row) -> str:
    """``baseline``, or the verdict."""
    return row.verdict or "baseline"


def verdict_sentence(row: Row, result: Result) -> str:
    """What the row says against the baseline, with what it rests on."""
    seeds = f"{len(row.accuracies)} seed{'s' * (len(row.accuracies) != 1)}"
    if row.difference is None:
        return f"{row.title}: {percent(row.accuracy)}% over {seeds}. The other rows are compared with it."
    gain = f"{points(row.difference)} points of accuracy against {row.against or baseline_row(result).title}"
    if row.difference_interval:
        gain += f", {percentage(row.confidence)} interval {span(row.difference_interval)}"
    sentence = {
        "helped": f"{row.title} helped: {gain}, {seeds}.",
        "harmed": f"{row.title} did harm: {gain}, {seeds}.",
        "no worthwhile difference": f"{row.title} makes no worthwhile difference: {gain}, {seeds}.",
        "did not help": f"{row.title} did not help: {gain}, {seeds}.",  # release 0.1
    }.get(row.verdict or "", f"Not enough evidence on {row.title}: {gain}, {seeds}.{_more_seeds(row)}")
    return " ".join([sentence, *row.reservations, *_reservations(row, result)])


def _more_seeds(row: Row) -> str:
    if len(row.accuracies) < FEWEST_SEEDS:
        return f" A verdict takes at least {FEWEST_SEEDS} seeds."
    if row.seeds_needed is None:
        return f" Not even {MOST_SEEDS:,} seeds are likely to settle it."
    return f" About {row.seeds_needed} seeds might settle it."


def judged(result: Result) -> tuple[Row, ...]:
    """The rows of the table: the arms, and those that stand against another arm than the baseline."""
    return (*result.rows, *result.contrasts)


def _reservations(row: Row, result: Result) -> list[str]:
    sentences = []
    if row.generator_data == "full":
        sentences.append("Its generator had seen real images that the arm lacks, which flatters the gain.")
    before, after = baseline_row(result).published.get("accuracy"), row.published.get("accuracy")
    if not row.against and before is not None and after is not None:
        sentences.append(f"Published, on other data and another network: {points(after - before)}.")
    return sentences


def scale_sentence(result: Result) -> str:
    """The scale, and how it is less than what was published."""
    if not result.reduction:
        return f"Scale {result.scale}: as published."
    return f"Scale {result.scale}, reduced: {result.reduction.rstrip('.')}."


def how_to_read(result: Result) -> tuple[str, ...]:
    """What the columns of the table mean, and what they do not."""
    lines = [
        "Accuracy is on real test images only, in percent, the mean over seeds with its 95% t interval. The small "
        "figures under it are the single runs; each leads to its run.",
        *(EARLIER_RULE if _is_earlier(result) else RULE),
    ]
    if any(row.generator_data != "none" for row in result.rows):
        lines.append(
            f'"Generator {GENERATOR_DATA["full"]}" (generator data: full): also those that the arm lacks, so that '
            f'what it adds comes in part from them, and the gain is flattered. "Generator {GENERATOR_DATA["view"]}" '
            "(generator data: view): the honest case."
        )
    if any(row.macro_auc for row in result.rows):
        lines.append(KNOWLEDGE)
    if any(row.published for row in result.rows):
        lines.append(
            "Published figures are those of the source, on other data and another network: compare their "
            "differences with ours, not the figures themselves."
        )
    return tuple(lines)


def _is_earlier(result: Result) -> bool:
    """Whether a result was written under the rule of release 0.1, which had 95% for every look."""
    weighed = [row for row in result.rows if row.verdict]
    return bool(weighed) and all(row.confidence == CONFIDENCE for row in weighed)


def facts(run: Run) -> Facts:
    """Everything a run keeps beside its figures."""
    metrics, environment = run.metrics, run.environment
    recipe = metrics.get("recipe", {})
    return Facts(
        measured={name: number(value) for name, value in metrics.items() if name not in SHOWN_APART},
        recipe=_texts(recipe) if isinstance(recipe, Mapping) else {"name": number(recipe)},
        versions=_texts({k: v for k, v in environment.items() if k not in (*HARDWARE, "command")}),
        hardware=_texts({name: environment[name] for name in HARDWARE if name in environment}),
        command=str(environment.get("command", "")),
    )


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): "none" if value is None else number(value) for name, value in values.items()}


def listed(values: Mapping[str, str]) -> str:
    """``torch 2.13.0, numpy 2.5.1``."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
