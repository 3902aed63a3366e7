"""Runs: everything that was trained and compared, and the views and exports that trainings start from."""

from __future__ import annotations

from typing import Any, get_args

import gradio as gr

from synthaug.errors import UserError
from synthaug.exporters import EXPORTERS
from synthaug.reading.overview import exports, images_of, view_names
from synthaug.stages import export_download
from synthaug.stages.synthetic_pool import SyntheticOrder
from synthaug.stages.tag import counts
from synthaug.stages.view import ViewSpec, make_view
from synthaug.workspace import Workspace

from ..components.events import QUIET, first_line
from ..components.exports import exports_table
from ..components.markup import Markup, Panel, markup
from ..components.runs import runs
from ..context import AppContext
from ..shell import POLL_JOBS, heading

POLL_SECONDS = 1.0
ALL_REAL = "all labeled real training images"


def page(context: AppContext) -> None:
    """The list, and below it how a view is made and exported."""
    heading(
        "Runs",
        "Every training run and comparison, by date. Lay two side by side; a figure of a confusion matrix opens its "
        "images.",
    )
    runs()
    _views_and_exports(context.workspace)


def _views_and_exports(workspace: Workspace) -> None:
    with gr.Column(elem_classes="sa-card sa-for-owner"):
        Panel(
            Markup(
                '<h2 class="sa-h2">Make a view</h2><p class="sa-note">A view is a named, frozen choice of training '
                "images. Nothing of the test split ever enters one.</p>"
            )
        )
        with gr.Row(elem_classes="sa-exports-fields"):
            name = gr.Textbox(label="Name", placeholder="real-and-300-cats")
            base = gr.Dropdown([ALL_REAL], value=ALL_REAL, label="Start from")
            count = gr.Number(0, label="Synthetic images to add to each class", precision=0, minimum=0)
            order = gr.Dropdown(list(get_args(SyntheticOrder)), value="random", label="Which first")
        with gr.Row(elem_classes="sa-exports-fields"):
            curated = gr.Checkbox(True, label="Only with a confirmed class")
            oversample = gr.Checkbox(False, label="Repeat images until all classes are as large")
            tags = gr.Dropdown([], multiselect=True, label="Only synthetic images tagged")
            without = gr.Dropdown([], multiselect=True, label="Leave out images tagged")
            make = gr.Button("Make the view", scale=0, min_width=180)
        made = Panel(visible=False)
        Panel(
            Markup(
                '<h2 class="sa-h2">Export</h2><p class="sa-note">Writes a view and the real test images with a '
                "manifest that rebuilds them byte for byte.</p>"
            )
        )
        with gr.Row(elem_classes="sa-exports-fields"):
            view = gr.Dropdown([], label="View")
            format_ = gr.Dropdown(list(EXPORTERS), value="cifar10", label="Format")
            start = gr.Button("Export", scale=0, min_width=180)
        message = Panel(visible=False)
        written = Panel()

    seen = gr.State(None)
    shown = [base, view, tags, without, written, seen]

    def refresh(before: str | None) -> list[Any]:
        names, found = view_names(workspace), exports(workspace)
        known = list(counts(workspace))
        now = f"{names[:1]} {len(names)} {[each.id for each in found[:1]]} {known}"
        if now == before:
            return [gr.skip()] * len(shown)
        chosen: dict[str, Any] = {} if before else {"value": next(iter(names), None)}
        table = exports_table(found, workspace)
        tagged = [gr.update(choices=known)] * 2
        return [
            gr.update(choices=[ALL_REAL, *names]),
            gr.update(choices=names, **chosen),
            *tagged,
            table,
            now,
        ]

    def make_it(*values: Any) -> Any:
        try:
            said = _make(workspace, *values)
        except UserError as error:
            said = markup('<p class="sa-error" role="alert">{}</p>', first_line(error))
        return gr.update(value=said, visible=True)

    def export_it(chosen: str | None, how: str) -> Any:
        try:
            if not chosen:
                raise UserError("choose a view to export; make one above if there is none")
            export_download.submit(workspace, chosen, how)
        except UserError as error:
            return gr.update(value=markup('<p class="sa-error" role="alert">{}</p>', error), visible=True)
        said = markup('<p class="sa-ok" role="status">{} is being exported; it appears below.</p>', chosen)
        return gr.update(value=said, visible=True)

    make.click(make_it, [name, base, count, order, curated, oversample, tags, without], made, **QUIET)
    start.click(export_it, [view, format_], message, **QUIET).then(None, js=POLL_JOBS)
    gr.Timer(POLL_SECONDS).tick(refresh, seen, shown, concurrency_limit=None, api_name="runs_poll", **QUIET)


def _make(
    workspace: Workspace,
    name: str,
    base: str,
    count: float,
    order: str,
    curated: bool,
    oversample: bool,
    tags: list[str] | None,
    without_tags: list[str] | None,
) -> Markup:
    """Make a view as the form says; what there is now in words. Raises UserError."""
    added = dict.fromkeys(workspace.classes, int(count or 0)) if count else {}
    spec = ViewSpec(
        base=None if base == ALL_REAL else base,
        add_synthetic=added,
        order=order,  # type: ignore[arg-type]  # one of the choices
        curated=bool(added) and curated,
        oversample=oversample,
        tags=tuple(tags or ()),
        without_tags=tuple(without_tags or ()),
    )
    view = make_view(workspace, name.strip(), spec)
    said = '<p class="sa-ok" role="status">{} holds {:,} images.</p>'
    return markup(said, view.name, images_of(workspace, view))
