"""Texts of a report: formatted numbers, verdicts as sentences, explanations, and the facts about a run."""

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
    "full": "trained on all real images",
    "view": "trained on this arm's real images only",
    "other": "trained on other images",
}
"""Training data of the generator of an arm, for a table cell."""

HARDWARE = ("hardware", "platform", "cpu", "cpus", "threads", "memory_gib", "gpu")
"""Entries of an environment that are not versions."""

SHOWN_APART = ("accuracy", "per_class", "confusion", "auc", "recipe", "history")
"""Entries of a run's metrics that are shown separately."""


RULE = (
    "Differences are paired by seed. The first interval is Student's t interval, from which the verdict follows; it "
    "covers the variation between training runs on this one test set. The second interval, over seeds and images, also "
    "covers the variation between test images. The third is the BCa bootstrap over seeds, which is too narrow for so "
    "few.",
    "Helped or harmed: the interval lies above or below 0. No worthwhile difference: it lies within "
    f"{100 * SMALLEST_EFFECT:g} points of 0. Seeds needed: the number that would give a verdict with a probability of "
    "80% if the true difference and spread were the observed ones. Adding seeds is another look at the same question: "
    f"the first look is at {percentage(look_confidence(1))} confidence, the second at "
    f"{percentage(look_confidence(2))} and so on, so that all looks together are wrong in at most 5 of 100 cases. "
    "Verdicts are not corrected for the number of rows.",
)
EARLIER_RULE = (
    "Differences are paired by seed. The first interval is Student's t interval, from which the verdict follows; the "
    "second is the percentile bootstrap, which is too narrow for so few seeds. Both cover the variation between "
    "training runs on this one test set, not between test sets. Verdicts are at 95% confidence and not corrected for "
    "the number of rows.",
    "Helped: the interval lies above 0. Did not help: it excludes a gain of half a point. This is the rule of release "
    "0.1, with which the result was written.",
)
KNOWLEDGE = (
    "AUC is the area under the ROC curve of each class against the rest, and its mean over classes. It measures how "
    "well classes are separated, regardless of how often each is predicted. Prior matched is the accuracy after adding "
    "a bias that makes each class as probable as its share of the test set; the bias is fitted to the scores of the "
    "other half of the test images, without their labels. If accuracy rises but neither of these does, the classifier "
    "only predicts the classes with other frequencies."
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Measurements, recipe and environment of a run as text."""

    measured: dict[str, str]
    recipe: dict[str, str]
    versions: dict[str, str]
    hardware: dict[str, str]
    command: str


def percent(share: float | None) -> str:
    """A share in percent (0.8123 as ``81.23``); a dash for None."""
    return "–" if share is None else f"{100 * share:.2f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points (0.0123 as ``+1.23``)."""
    return f"{100 * difference:+.2f}"


def span(interval: tuple[float, float]) -> str:
    """An interval of a difference in percentage points, such as ``+0.52 to +2.10``."""
    return f"{points(interval[0])} to {points(interval[1])}"


def number(value: object) -> str:
    """A value as text: floats with four significant digits, large numbers with commas, a dash for None."""
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
    """A p value as ``p < 0.001`` or ``p = 0.034``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def moment(written: str) -> str:
    """An ISO time in readable form, such as ``2026-11-21 09:41:07 UTC``."""
    return re.sub(r"T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:\+00:00|Z)$", r" \1 UTC", written)


def baseline_row(result: Result) -> Row:
    """The row that the others are compared with."""
    return next(row for row in result.rows if row.arm == result.baseline)


def heading_of_verdict(row: Row) -> str:
    """The verdict, or ``baseline``."""
    return row.verdict or "baseline"


def verdict_sentence(row: Row, result: Result) -> str:
    """The comparison of a row with the baseline as a sentence, with its interval, seeds and caveats."""
    seeds = f"{len(row.accuracies)} seed{'s' * (len(row.accuracies) != 1)}"
    if row.difference is None:
        return f"{row.title}: {percent(row.accuracy)}% over {seeds}. The other rows are compared with it."
    gain = f"{points(row.difference)} points of accuracy against {row.against or baseline_row(result).title}"
    if row.difference_interval:
        gain += f", {percentage(row.confidence)} interval {span(row.difference_interval)}"
    sentence = {
        "helped": f"{row.title} helped: {gain}, {seeds}.",
        "harmed": f"{row.title} harmed: {gain}, {seeds}.",
        "no worthwhile difference": f"{row.title} makes no worthwhile difference: {gain}, {seeds}.",
        "did not help": f"{row.title} did not help: {gain}, {seeds}.",  # release 0.1
    }.get(row.verdict or "", f"Not enough evidence for {row.title}: {gain}, {seeds}.{_more_seeds(row)}")
    return " ".join([sentence, *row.reservations, *_reservations(row, result)])


def _more_seeds(row: Row) -> str:
    if len(row.accuracies) < FEWEST_SEEDS:
        return f" A verdict needs at least {FEWEST_SEEDS} seeds."
    if row.seeds_needed is None:
        return f" Even {MOST_SEEDS:,} seeds are unlikely to settle it."
    return f" About {row.seeds_needed} seeds would probably settle it."


def judged(result: Result) -> tuple[Row, ...]:
    """The rows of the table: the arms, and the contrasts with an arm other than the baseline."""
    return (*result.rows, *result.contrasts)


def _reservations(row: Row, result: Result) -> list[str]:
    sentences = []
    if row.generator_data == "full":
        sentences.append(
            "Its generator was trained on real images that the arm lacks, which inflates the gain."
        )
    before, after = baseline_row(result).published.get("accuracy"), row.published.get("accuracy")
    if not row.against and before is not None and after is not None:
        sentences.append(
            f"The published difference, with other data and another network, is {points(after - before)}."
        )
    return sentences


def scale_sentence(result: Result) -> str:
    """The scale, and how it is smaller than the published experiment."""
    if not result.reduction:
        return f"Scale {result.scale}: as published."
    return f"Scale {result.scale}, reduced: {result.reduction.rstrip('.')}."


def how_to_read(result: Result) -> tuple[str, ...]:
    """Explanations of the columns of the table."""
    lines = [
        "Accuracy is measured on real test images only, in percent: the mean over seeds with its 95% t interval. The "
        "small numbers below it are the individual runs, and link to them.",
        *(EARLIER_RULE if _is_earlier(result) else RULE),
    ]
    if any(row.generator_data != "none" for row in result.rows):
        lines.append(
            f'"Generator {GENERATOR_DATA["full"]}" (generator data: full) includes images that the arm lacks, which '
            f'inflates the gain. "Generator {GENERATOR_DATA["view"]}" (generator data: view) is the fair case.'
        )
    if any(row.macro_auc for row in result.rows):
        lines.append(KNOWLEDGE)
    if any(row.published for row in result.rows):
        lines.append(
            "Published numbers come from the source, with other data and another network: compare their differences "
            "with ours, not the numbers themselves."
        )
    return tuple(lines)


def _is_earlier(result: Result) -> bool:
    """Whether a result was written with the rule of release 0.1, which used 95% confidence for every look."""
    weighed = [row for row in result.rows if row.verdict]
    return bool(weighed) and all(row.confidence == CONFIDENCE for row in weighed)


def facts(run: Run) -> Facts:
    """The facts about a run, from its metrics and environment."""
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
    """Names and values in one line, such as ``torch 2.13.0, numpy 2.5.1``."""
    return ", ".join(f"{name} {value}" for name, value in values.items())
