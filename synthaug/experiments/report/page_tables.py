"""The tables of the HTML report."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from synthaug.experiments.base import Panel, Row
from synthaug.experiments.report.markup import filled, joined
from synthaug.experiments.report.table import Cell, Column
from synthaug.experiments.report.wording import number


def table(columns: Sequence[Column], rows: Sequence[Row]) -> Markup:
    """A table of ``rows``, in which each number links to its runs."""
    head = joined(
        filled(
            '<th scope="col" class="{}">{}{}</th>',
            column.kind,
            column.heading,
            filled("<small>{}</small>", column.note) if column.note else "",
        )
        for column in columns
    )
    # A contrast links to the runs of its own arm, which is listed above it.
    places = {row.runs: index for index, row in reversed(list(enumerate(rows, 1)))}
    body = joined(
        filled(
            "<tr{}>{}</tr>",
            Markup(' class="baseline"') if row.difference is None else "",
            joined(
                _cell(column, column.cell(row), places[row.runs], not at) for at, column in enumerate(columns)
            ),
        )
        for row in rows
    )
    return _scrolling(head, body)


def _scrolling(head: Markup, body: Markup, more: str = "") -> Markup:
    return filled(
        '<div class="scrolling{}" tabindex="0"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        more,
        head,
        body,
    )


def _cell(column: Column, cell: Cell, row: int, first: bool) -> Markup:
    text: Markup | str = cell.text
    if column.heading == "Verdict":
        text = filled('<span class="chip {}">{}</span>', cell.tone, cell.text)
    elif cell.linked and cell.text:
        text = filled('<a href="#runs-{}">{}</a>', row, cell.text)
    parts = [filled('<span class="main">{}</span>', text)]
    if cell.beside:
        parts.append(filled(' <span class="beside">{}</span>', cell.beside))
    parts += [filled("<small>{}</small>", line) for line in cell.under]
    if cell.seeds:
        seeds = Markup(" · ").join(
            filled('<a href="#run-{}">{}</a>', run, shown) for shown, run in cell.seeds
        )
        parts.append(filled('<small class="seeds">{}</small>', seeds))
    tag = Markup('th scope="row"') if first else Markup("td")
    return filled(
        '<{} class="{} {}">{}</{}>',
        tag,
        column.kind,
        cell.tone,
        joined(parts),
        Markup("th") if first else tag,
    )


def panel_table(panel: Panel) -> Markup:
    """The table of a panel."""
    kinds = [_kind([row[at] for row in panel.rows]) for at in range(len(panel.columns))]
    head = joined(
        filled('<th scope="col" class="{}">{}</th>', kind, name)
        for kind, name in zip(kinds, panel.columns, strict=True)
    )
    body = joined(
        filled(
            "<tr>{}</tr>",
            joined(
                filled('<td class="{}">{}</td>', kind, number(value))
                for kind, value in zip(kinds, row, strict=True)
            ),
        )
        for row in panel.rows
    )
    return _scrolling(head, body, " narrow")


def _kind(values: Sequence[object]) -> str:
    return "number" if all(value is None or isinstance(value, int | float) for value in values) else "text"
