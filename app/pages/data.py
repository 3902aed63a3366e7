"""The Data page: what the workspace contains, where the images came from, and the import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from synthaug.reading.guide import counts_of, steps
from synthaug.reading.overview import ClassCounts, Overview, Source, overview, sources
from synthaug.records import Job

from ..components.changes import when_changed
from ..components.guide import guide
from ..components.importing import importing
from ..components.jobs import ACTIVE, job_strip
from ..components.markup import Markup, Panel, joined, markup
from ..components.palette import class_colour
from ..context import AppContext
from ..shell import heading

MOST_REJECTED = 200
MOST_SOURCES = 30


def page(context: AppContext) -> None:
    """The workflow, the import, the figures, the class balance, the dataset views and the sources."""
    heading(
        "Data",
        "What this workspace contains: real images, split into train and test, and synthetic images generated "
        "from prompts. The test split is frozen: it is used to measure, never to train.",
    )
    held = overview(context.workspace)
    way = Panel(_workflow(context))
    with gr.Column(elem_classes="sa-card sa-for-owner sa-import-card"):
        importing()
        job_strip(("import",), "", limit=3)
        outcome = Panel(visible=False)
    figures = Panel(figures_panel(held))
    with gr.Row(elem_classes="sa-split"):
        with gr.Column(scale=5, min_width=520):
            balance = Panel(balance_panel(held))
            views = Panel(views_panel(held))
        with gr.Column(scale=3, min_width=320):
            sources = Panel()

    _refresh_with_jobs(context, [way, figures, balance, views, sources, outcome])


def _refresh_with_jobs(context: AppContext, panels: list[gr.components.Component]) -> None:
    """Fill the panels when the page opens, and again whenever a job has made progress."""
    seen = gr.State(None)
    shown = [*panels, seen]

    def refresh(before: str | None) -> Any:
        now = _version(context)
        if now == before:
            return [gr.skip()] * len(shown)
        held = overview(context.workspace)
        import_outcome = outcome_panel(_latest(context))
        return [
            _workflow(context),
            figures_panel(held),
            balance_panel(held),
            views_panel(held),
            gr.skip() if _states(before) == _states(now) else sources_panel(_sources(context)),
            gr.update(value=import_outcome, visible=bool(import_outcome)),
            now,
        ]

    when_changed(refresh, seen, shown, api_name="data_changed")


def _workflow(context: AppContext) -> Markup:
    return guide(steps(counts_of(context.workspace)))


def figures_panel(held: Overview) -> Markup:
    """Five figures of the workspace."""
    train = sum(row.train_real for row in held.classes)
    test = sum(row.test_real for row in held.classes)
    share = f"{100 * held.labeled // held.synthetic}%" if held.synthetic else ""
    cells = (
        ("Images", held.images, ""),
        ("Real, train", train, ""),
        ("Real, test", test, "frozen"),
        ("Synthetic", held.synthetic, ""),
        ("Synthetic reviewed", held.labeled, share),
    )
    return markup(
        '<dl class="sa-figures">{}</dl>',
        joined(
            markup("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>", name, f"{number:,}", note)
            for name, number, note in cells
        ),
    )


LEGEND = Markup(
    '<ul class="sa-legend"><li><i class="sa-swatch real"></i>Real, train</li>'
    '<li><i class="sa-swatch curated"></i>Synthetic, curated</li>'
    '<li><i class="sa-swatch unreviewed"></i>Synthetic, unreviewed</li>'
    '<li><i class="sa-swatch test"></i>Real, test</li></ul>'
)


def balance_panel(held: Overview) -> Markup:
    """One bar per class for the images to train on, with a thin bar below it for the frozen test images."""
    largest = max((_height(row) for row in held.classes), default=0) or 1
    return markup(
        '<section class="sa-card"><h2>Class balance</h2><p>Images per class. "Curated" means that a person or a '
        "rule confirmed the class of a synthetic image. Rejected and unsure images are counted separately.</p>{legend}"
        '<div class="sa-table-holder"><table class="sa-table sa-balance"><thead><tr><th>Class</th>'
        '<th aria-label="Share"></th><th class="sa-num">Train</th><th class="sa-num">Test</th>'
        '<th class="sa-num">Curated</th><th class="sa-num">Unreviewed</th><th class="sa-num">Rejected</th>'
        '<th class="sa-num">Unsure</th></tr></thead><tbody>{rows}</tbody></table></div></section>',
        legend=LEGEND,
        rows=joined(_balance_row(row, largest) for row in held.classes),
    )


def _height(row: ClassCounts) -> int:
    return max(row.train_real + row.accepted + row.unreviewed, row.test_real)


def _balance_row(row: ClassCounts, largest: int) -> Markup:
    def segment(kind: str, number: int) -> Markup:
        return markup('<i class="{}" style="width:{:.2f}%"></i>', kind, 100 * number / largest)

    numbers = (row.train_real, row.test_real, row.accepted, row.unreviewed, row.rejected, row.unsure)
    return markup(
        '<tr><td class="sa-class-name" title="{name}"><i class="sa-swatch" style="background:{color}"></i>{name}'
        '</td><td class="sa-bars"><div>{stack}</div><div class="thin">{test}</div></td>{numbers}</tr>',
        name=row.name,
        color=class_colour(row.index),
        stack=segment("real", row.train_real)
        + segment("curated", row.accepted)
        + segment("unreviewed", row.unreviewed),
        test=segment("test", row.test_real),
        numbers=joined(
            markup('<td class="sa-num{}">{}</td>', "" if each else " sa-zero", f"{each:,}")
            for each in numbers
        ),
    )


def views_panel(held: Overview) -> Markup:
    """The named, frozen selections of training images."""
    if not held.views:
        body = Markup(
            '<p class="sa-muted">There are no views yet. The Train page makes those that it needs.</p>'
        )
    else:
        rows = joined(
            markup(
                "<tr><td>{}</td><td class='sa-num'>{}</td><td class='sa-muted'>{}</td>"
                "<td class='sa-muted sa-when'>{}</td></tr>",
                view.name,
                f"{view.images:,}",
                _counts(view.counts),
                view.created_at[:16].replace("T", " "),
            )
            for view in held.views
        )
        body = markup(
            "<div class='sa-table-holder'><table class='sa-table'><thead><tr><th>Name</th><th class='sa-num'>Images"
            "</th><th>By class</th><th>Created (UTC)</th></tr></thead><tbody>{}</tbody></table></div>",
            rows,
        )
    return markup(
        '<section class="sa-card"><h2>Dataset views</h2><p>Named, frozen selections of training images. A view '
        "never changes, so that a result can always be traced to its images.</p>{}</section>",
        body,
    )


def _counts(counts: Mapping[str, int]) -> str:
    """Counts by class in one line, without empty classes; "50 each" if all counts are equal."""
    values = list(counts.values())
    if len(set(values)) == 1 and len(values) > 1:
        return f"{values[0]:,} each"
    return ", ".join(f"{name}:\N{NO-BREAK SPACE}{count:,}" for name, count in counts.items() if count)


def sources_panel(sources: Sequence[Source]) -> Markup:
    """The folders, archives and jobs that the images came from, those with the most images first."""
    if not sources:
        body = Markup('<p class="sa-muted">There are no images yet. Import real images first.</p>')
    else:
        rows = joined(
            markup(
                "<tr><td><span class='sa-chip {0}'>{0}</span></td><td class='sa-wrap'>{1}</td>"
                "<td class='sa-num'>{2}</td></tr>",
                source.origin,
                source.name,
                f"{source.images:,}",
            )
            for source in sources[:MOST_SOURCES]
        )
        body = markup(
            "<div class='sa-table-holder'><table class='sa-table'><thead><tr><th>Origin</th><th>From</th>"
            "<th class='sa-num'>Images</th></tr></thead><tbody>{}</tbody></table></div>",
            rows,
        )
    return markup(
        '<section class="sa-card"><h2>Sources</h2><p>The folder or archive of imported images; '
        "the job and the template of generated images.</p>{}</section>",
        body,
    )


def _sources(context: AppContext) -> list[Source]:
    """The sources of the images, those with the most images first; jobs with their templates."""
    templates = {f"job {job.id}": job.params["template"] for job in context.jobs.list(kinds=("generate",))}
    return [
        replace(each, name=f"{each.name} · {templates[each.name]}") if each.name in templates else each
        for each in sources(context.workspace)
    ]


def outcome_panel(job: Job | None) -> Markup:
    """The notes of the latest import, and a list of the files that were not imported, with the reasons."""
    if job is None:
        return Markup("")
    notes = joined(markup("<li>{}</li>", note) for note in job.result.get("notes", ()))
    listed = markup('<ul class="sa-import-notes">{}</ul>', notes) if notes else Markup("")
    return listed + _rejected(job.id, job.result.get("rejected", ()))


def _rejected(job_id: int, rejected: Sequence[Sequence[str]]) -> Markup:
    if not rejected:
        return Markup("")
    rows = joined(
        markup("<tr><td>{}</td><td>{}</td></tr>", path, reason) for path, reason in rejected[:MOST_REJECTED]
    )
    more = len(rejected) - MOST_REJECTED
    return markup(
        '<details class="sa-rejected-files"><summary>{} not imported</summary>'
        "<div class='sa-table-holder sa-rejected'><table class='sa-table'><thead>"
        "<tr><th>File</th><th>Reason</th></tr></thead><tbody>{}</tbody></table></div>"
        '<p class="sa-note">{}<a href="/data/imports/{}/rejected" download>Download the list (CSV)</a></p></details>',
        "1 file was" if len(rejected) == 1 else f"{len(rejected):,} files were",
        rows,
        markup("and {} more: ", f"{more:,}") if more > 0 else Markup(""),
        job_id,
    )


def _latest(context: AppContext) -> Job | None:
    """The latest import that has ended."""
    job = context.jobs.latest("import")
    return None if job is None or job.state in ACTIVE else job


def _version(context: AppContext) -> str:
    """A text that changes with the latest jobs: their states, then their progress."""
    jobs = context.jobs.list(3)
    states = " ".join(f"{job.id}{job.state}" for job in jobs)
    done = " ".join(str(job.done) for job in jobs)
    return f"{states}|{done}"


def _states(version: str | None) -> str | None:
    """The part that changes when a job starts or ends; reading all sources more often would be too slow."""
    return None if version is None else version.partition("|")[0]
