"""The runs of a result as HTML: one line per run, which expands to its measurements, recipe and environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from synthaug.experiments.base import Result, Run
from synthaug.experiments.report.markup import filled, joined
from synthaug.experiments.report.wording import Facts, facts, moment, number, percent

WIDTH, HEIGHT = 220, 44
NOT_DRAWN = ("run", "epoch", "epochs", "images_per_second")
"""Entries of an epoch that are not drawn as curves."""


def runs_section(result: Result) -> Markup:
    """The runs of every row under its title; a run that two rows share appears under the first."""
    known = {run.id: run for run in result.runs}
    shown: set[int] = set()
    groups = []
    for index, row in enumerate(result.rows, 1):
        links = joined(
            filled('<a href="#run-{0}">run {0}</a>', run)
            for run in row.runs
            if run in shown or run not in known
        )
        fresh = [known[run] for run in row.runs if run in known and run not in shown]
        shown |= {run.id for run in fresh}
        groups.append(
            filled(
                '<h3 id="runs-{}">{} <small>{}</small></h3>{}{}',
                index,
                row.title,
                f"view {row.view}, {row.images:,} images, recipe {row.recipe}",
                filled('<p class="elsewhere">The same runs as above: {}</p>', links) if links else "",
                joined(_run(run, result) for run in fresh),
            )
        )
    return joined(groups)


def _run(run: Run, result: Result) -> Markup:
    shown = facts(run)
    seconds = run.metrics.get("seconds")
    return filled(
        '<details class="run" id="run-{0}"><summary><b>Run {0}</b><span>seed {1}</span><span>{2}%</span>'
        "<span>{3}</span><span>{4}</span></summary>{5}</details>",
        run.id,
        run.seed,
        percent(run.metrics.get("accuracy")),
        "" if seconds is None else f"{number(seconds)} s",
        moment(run.created_at),
        filled('<div class="facts">{}</div>', joined(_parts(run, shown, result.classes))),
    )


def _parts(run: Run, shown: Facts, classes: Sequence[str]) -> Iterable[Markup]:
    history = run.metrics.get("history") or []
    if history:
        yield _epochs(history)
    yield _facts("Measured", shown.measured | _by_class(run.metrics.get("per_class"), classes))
    yield _facts("Recipe", shown.recipe)
    yield _facts("Hardware", shown.hardware)
    yield _facts("Versions", shown.versions)
    yield filled("<div><h4>Command</h4><p><code>{}</code></p></div>", shown.command)


def _by_class(recalls: Any, classes: Sequence[str]) -> dict[str, str]:
    """Accuracy of every class in percent."""
    if isinstance(recalls, Mapping):
        return {str(name): f"{percent(value)}%" for name, value in recalls.items()}
    return {name: f"{percent(value)}%" for name, value in zip(classes, recalls or (), strict=False)}


def _facts(title: str, values: Mapping[str, str]) -> Markup:
    if not values:
        return Markup("")
    items = joined(filled("<div><dt>{}</dt><dd>{}</dd></div>", *item) for item in values.items())
    return filled("<div><h4>{}</h4><dl>{}</dl></div>", title, items)


def _epochs(history: Sequence[Mapping[str, Any]]) -> Markup:
    """A small curve for each quantity recorded per epoch."""
    names = [name for name in history[-1] if name not in NOT_DRAWN and _is_number(history[-1][name])]
    curves = []
    for name in names:
        values = [float(entry[name]) for entry in history if _is_number(entry.get(name))]
        curves.append(
            filled(
                "<figure><figcaption>{} <small>{} → {}</small></figcaption>{}</figure>",
                name.replace("_", " "),
                number(values[0]),
                number(values[-1]),
                _sparkline(values),
            )
        )
    return filled('<div><h4>{} epochs</h4><div class="curves">{}</div></div>', len(history), joined(curves))


def _sparkline(values: Sequence[float]) -> Markup:
    low, high = min(values), max(values)
    across, tall = (WIDTH - 8) / max(len(values) - 1, 1), (HEIGHT - 8) / ((high - low) or 1)
    places = [(4 + across * at, HEIGHT - 4 - tall * (value - low)) for at, value in enumerate(values)]
    return filled(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="from {} to {}"><polyline points="{}"/>'
        '<circle cx="{:.1f}" cy="{:.1f}" r="2.5"/></svg>',
        WIDTH,
        HEIGHT,
        number(values[0]),
        number(values[-1]),
        " ".join(f"{x:.1f},{y:.1f}" for x, y in places),
        *places[-1],
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
