"""A result as GitHub Markdown: the tables, and the runs behind them. Every text is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from synthaug.experiments.base import Panel, Result, Row
from synthaug.experiments.report.table import Cell, Column, class_columns, columns
from synthaug.experiments.report.wording import (
    Facts,
    facts,
    how_to_read,
    judged,
    listed,
    moment,
    number,
    percent,
    scale_sentence,
    verdict_sentence,
)

_MARKS = re.compile(r"([\\`*_{}\[\]|#~$])")
_START = re.compile(r"^(?:[-+](?=\s|$)|[-=](?=[-=]*$)|\d(?=\d*[.)](?:\s|$)))")


def to_markdown(result: Result) -> str:
    """The whole report, in which numbers link to their runs."""
    parts = [part.strip("\n") for part in _parts(result) if part]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Text escaped to appear literally on one line of Markdown, without starting a list or a rule."""
    line = " ".join(html.escape(text, quote=False).split())
    return _START.sub(lambda found: f"&#{ord(found.group())};", _MARKS.sub(r"\\\1", line))


def _parts(result: Result) -> Iterable[str]:
    yield f"# {escaped(result.title)}"
    yield escaped(result.question)
    yield _items(
        [
            f"Source: {escaped(result.source)}",
            f"Workspace: {escaped(result.workspace)}",
            f"Training runs: {len({run.id for run in result.runs})}",
            f"Written: {escaped(moment(result.created_at))}",
        ]
    )
    yield _code(result.command)
    yield "## Read this first"
    yield f"**{escaped(scale_sentence(result))}**"
    yield _items(escaped(note) for note in result.notes)
    yield "## Did it help?"
    yield _items(escaped(verdict_sentence(row, result)) for row in judged(result))
    yield "## Results"
    yield _table(columns(result), judged(result))
    yield "How to read the table:"
    yield _items(escaped(line) for line in how_to_read(result))
    if any(len(row.per_class) > 1 for row in result.rows):
        yield "## Classes"
        yield (
            "Accuracy of each class in percent, its change against the baseline in points, and the Holm-corrected p "
            r"of that change. \* marks changes that are significant at 5%."
        )
        yield _table(class_columns(result), judged(result))
    for panel in result.panels:
        yield from _panel(panel)
    yield "## Runs"
    yield from _runs(result)


def _table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    heads = [
        escaped(column.heading) + (f"<br><sub>{escaped(column.note)}</sub>" if column.note else "")
        for column in columns
    ]
    places = {row.runs: index for index, row in reversed(list(enumerate(rows, 1)))}
    body = ([_cell(column.cell(row), places[row.runs]) for column in columns] for row in rows)
    return _grid(heads, [column.kind == "text" for column in columns], body)


def _cell(cell: Cell, row: int) -> str:
    text = escaped(cell.text)
    if cell.linked and text:
        text = f"[{text}](#runs-{row})"
    if cell.tone == "published":
        text = f"*{text}*"
    first = f"{text} {escaped(cell.beside)}".strip()
    seeds = " · ".join(f"[{escaped(shown)}](#run-{run})" for shown, run in cell.seeds)
    return "<br>".join([first, *map(escaped, cell.under), *([seeds] if seeds else [])])


def _panel(panel: Panel) -> Iterable[str]:
    yield f"## {escaped(panel.title)}"
    yield escaped(panel.text)
    if panel.rows:
        left = [any(isinstance(row[at], str) for row in panel.rows) for at in range(len(panel.columns))]
        yield _grid(
            [escaped(name) for name in panel.columns],
            left,
            ([escaped(number(value)) for value in row] for row in panel.rows),
        )
    if panel.figure is not None:
        yield "The figure is in report.html."


def _runs(result: Result) -> Iterable[str]:
    titles = {row.arm: (index, row.title) for index, row in enumerate(result.rows, 1)}
    seen: set[int] = set()
    begun: set[str] = set()
    lines = []
    for run in result.runs:
        index, title = titles.get(run.arm, (0, run.arm))
        group = f'<a id="runs-{index}"></a>' if index and run.arm not in begun else ""
        own = f'<a id="run-{run.id}"></a>' if run.id not in seen else ""
        begun.add(run.arm)
        seen.add(run.id)
        seconds = number(run.metrics.get("seconds"))
        accuracy = percent(run.metrics.get("accuracy"))
        lines.append([f"{group}{own}{run.id}", escaped(title), str(run.seed), accuracy, seconds])
    yield _grid(
        ["Run", "Training set", "Seed", "Accuracy, %", "Seconds"], [False, True, False, False, False], lines
    )
    yield from _made_with(result)


def _made_with(result: Result) -> Iterable[str]:
    """Recipes, hardware, versions and commands, each listed once with its runs."""
    found: dict[str, list[int]] = {}
    commands: dict[str, None] = {}
    for run in result.runs:
        made_with = facts(run)
        commands.setdefault(made_with.command)
        for line in _lines(made_with):
            found.setdefault(line, []).append(run.id)
    yield _items(f"{escaped(line)} ({_numbered(sorted(set(runs)))})" for line, runs in found.items())
    yield "Every field, epoch by epoch, is in report.html and result.json."
    for command in commands:
        if command:
            yield _code(command)


def _lines(run: Facts) -> Iterable[str]:
    for title, values in (("Recipe", run.recipe), ("Hardware", run.hardware), ("Versions", run.versions)):
        if values:
            yield f"{title}: {listed(values)}"


def _numbered(runs: Sequence[int]) -> str:
    """Run ids as text, such as "runs 1-3, 7"."""
    spans: list[list[int]] = []
    for run in runs:
        if spans and run == spans[-1][1] + 1:
            spans[-1][1] = run
        else:
            spans.append([run, run])
    return "runs " + ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def _grid(heads: Sequence[str], left: Sequence[bool], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---" if each else "---:" for each in left]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, rule, *rows))


def _items(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _code(text: str) -> str:
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"
