"""A result as a self-contained HTML page. Every text is escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any, Literal

from markupsafe import Markup

from synthaug.experiments.base import Panel, Result
from synthaug.experiments.report import row_figures
from synthaug.experiments.report.markup import filled, joined
from synthaug.experiments.report.page_runs import runs_section
from synthaug.experiments.report.page_tables import panel_table, table
from synthaug.experiments.report.serial import plain
from synthaug.experiments.report.table import TONES, class_columns, columns
from synthaug.experiments.report.wording import (
    heading_of_verdict,
    how_to_read,
    judged,
    moment,
    scale_sentence,
    verdict_sentence,
)

Plotly = Literal["inline", "cdn", "none"]

WITHOUT_FIGURES = (
    "This copy omits the figures to keep the file small. To create them from result.json in the same folder, run in "
    "Python: from pathlib import Path; from synthaug.experiments.report import read, write; "
    'write(read(Path("result.json")), Path("report"))'
)


def to_html(result: Result, plotly: Plotly = "inline") -> str:
    """The whole page. ``plotly`` says where plotly.js comes from; "none" leaves the figures out."""
    page = _Page(result, plotly)
    return str(
        filled(
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n<title>{} · synthaug</title>\n'
            "<style>\n{}</style>\n{}</head>\n<body>\n<main>\n{}</main>\n<script>\n{}</script>\n</body>\n</html>\n",
            result.title,
            _asset("report.css"),
            _library(plotly),
            joined(page.sections()),
            _asset("report.js"),
        )
    )


def _asset(name: str) -> Markup:
    """The text of a style sheet or script that comes with synthaug."""
    return Markup((resources.files("synthaug_assets") / "report" / name).read_text("utf-8"))  # noqa: S704


def _library(plotly: Plotly) -> Markup:
    if plotly == "none":
        return Markup("")
    from plotly.offline import get_plotlyjs, get_plotlyjs_version

    script = get_plotlyjs()
    if plotly == "inline":
        return filled("<script>{}</script>\n", Markup(script))  # noqa: S704
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return filled(
        '<script src="https://cdn.plot.ly/plotly-{}.min.js" integrity="sha256-{}" crossorigin="anonymous"></script>\n',
        get_plotlyjs_version(),
        digest,
    )


class _Page:
    """The sections of one result's page."""

    def __init__(self, result: Result, plotly: Plotly) -> None:
        self.result = result
        self.plotly = plotly

    def sections(self) -> Iterable[Markup]:
        """The sections from top to bottom."""
        result = self.result
        yield self._head()
        yield self._caution()
        yield _section("verdicts", "Did it help?", "", _verdicts(result))
        yield _section("table", "Results", "", table(columns(result), judged(result)), _reading(result))
        yield self._figures()
        yield joined(self._panel(index, panel) for index, panel in enumerate(result.panels, 1))
        yield _section(
            "runs",
            "Runs",
            "Every training run behind the figures: its recipe, epochs, versions and machine.",
            runs_section(result),
        )

    def _head(self) -> Markup:
        result = self.result
        facts = {
            "Source": result.source,
            "Scale": result.scale,
            "Workspace": result.workspace,
            "Training runs": str(len({run.id for run in result.runs})),
            "Written": moment(result.created_at),
        }
        places = {"verdicts": "Verdicts", "table": "Table", "classes": "Classes", "confusion": "Confusion"}
        places |= {f"panel-{index}": panel.title for index, panel in enumerate(result.panels, 1)}
        return filled(
            '<header><p class="eyebrow">synthaug · {}</p><h1>{}</h1><p class="question">{}</p>'
            "<dl>{}</dl><p><code>{}</code></p><nav>{}</nav></header>\n",
            result.name,
            result.title,
            result.question,
            joined(filled("<div><dt>{}</dt><dd>{}</dd></div>", *fact) for fact in facts.items()),
            result.command,
            joined(filled('<a href="#{}">{}</a>', *place) for place in (*places.items(), ("runs", "Runs"))),
        )

    def _caution(self) -> Markup:
        """The caveats that a reader should see before the results."""
        return filled(
            '<aside><h2>Read this first</h2><p class="scale"><b>{}</b></p>{}{}</aside>\n',
            scale_sentence(self.result),
            filled("<ul>{}</ul>", joined(filled("<li>{}</li>", note) for note in self.result.notes))
            if self.result.notes
            else "",
            filled('<p class="left-out">{}</p>', WITHOUT_FIGURES) if self.plotly == "none" else "",
        )

    def _figures(self) -> Markup:
        """The results by seed, by class and as confusion matrices."""
        rows = self.result.rows
        several = any(len(row.per_class) > 1 for row in rows)
        parts = [
            _section(
                "seeds",
                "Every run",
                "Accuracy on the real test images. The dotted line is the mean of the baseline.",
                self._figure(row_figures.seeds_dots(rows)),
            )
        ]
        if several:
            parts.append(
                _section(
                    "classes",
                    "Classes",
                    "Accuracy of each class in percent, and its change against the baseline in points. * marks a "
                    "change that is significant at 5% after Holm's correction for the number of classes.",
                    self._figure(row_figures.per_class_bars(rows)),
                    table(class_columns(self.result), judged(self.result)),
                )
            )
        matrices = [row for row in rows if row.confusion]
        if matrices:
            parts.append(
                _section(
                    "confusion",
                    "Confusion matrices",
                    "Rows are true classes, columns predicted ones; values are percent of the row, summed over seeds. "
                    "Errors are shaded twice as strongly as correct predictions.",
                    self._figure(row_figures.confusion(matrices)),
                )
            )
        return joined(parts)

    def _panel(self, index: int, panel: Panel) -> Markup:
        parts = [self._figure(panel.figure)] if panel.figure is not None else []
        if panel.rows:
            parts.append(panel_table(panel))
        return _section(f"panel-{index}", panel.title, panel.text, *parts)

    def _figure(self, figure: Any) -> Markup:
        """A placeholder with the data of a figure, which the script of the page draws."""
        if self.plotly == "none":
            return Markup('<p class="left-out">This copy omits the figure; see the top of the page.</p>')
        data = json.dumps(plain(figure), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
        return filled(
            '<div class="figure" style="min-height:{}px"><script type="application/json">{}</script></div>',
            int(figure.get("layout", {}).get("height", 400)),
            Markup(data),  # noqa: S704 - it contains no "<"
        )


def _section(name: str, title: str, text: str, *parts: Markup) -> Markup:
    intro = filled("<p>{}</p>", text) if text else ""
    return filled(
        '<section id="{}"><h2>{}</h2>{}{}</section>\n', name, title, intro, joined(part for part in parts)
    )


def _verdicts(result: Result) -> Markup:
    items = (
        filled(
            '<li><span class="chip {}">{}</span><span>{}</span></li>',
            TONES.get(row.verdict or "", ""),
            heading_of_verdict(row),
            verdict_sentence(row, result),
        )
        for row in judged(result)
    )
    return filled('<ul class="verdicts">{}</ul>', joined(items))


def _reading(result: Result) -> Markup:
    return filled(
        '<details class="reading" open><summary>How to read the table</summary>{}</details>',
        joined(filled("<p>{}</p>", line) for line in how_to_read(result)),
    )
