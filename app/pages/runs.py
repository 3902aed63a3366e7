"""Runs: everything that was trained and compared, and the views and exports that trainings start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import gradio as gr

from synthaug.errors import UserError
from synthaug.exporters import EXPORTERS
from synthaug.reading.overview import can_fill_a_view, exports, images_of, view_names
from synthaug.stages import export_download
from synthaug.stages.synthetic_pool import SyntheticOrder
from synthaug.stages.tag import counts
from synthaug.stages.view import ViewSpec, make_view
from synthaug.workspace import Workspace

from ..components.changes import when_changed
from ..components.events import QUIET, first_line, panel, problem
from ..components.exports import exports_table
from ..components.markup import Markup, Panel, markup
from ..components.runs import runs
from ..context import AppContext
from ..shell import POLL_JOBS, heading

if TYPE_CHECKING:
    from collections.abc import Callable

ALL_REAL = "all labeled real training images"
NO_IMAGES = Markup(
    '<p class="sa-note">A view needs labeled training images. <a href="/label?scope=unlabeled">Label images</a>, or '
    '<a href="/#import">import labeled ones</a>.</p>'
)
NO_VIEW = Markup('<p class="sa-note">There is no view to export yet. Make one above.</p>')


def page(context: AppContext) -> None:
    """The list, and below it how a view is made and exported."""
    heading(
        "Runs",
        "Every training run and comparison, by date. Lay two side by side; a figure of a confusion matrix opens its "
        "images.",
    )
    runs()
    _views_and_exports(context.workspace)


@dataclass(frozen=True, slots=True)
class ViewForm:
    """What a view is made from, the button, and where its answer goes."""

    name: gr.Textbox
    base: gr.Dropdown
    count: gr.Number
    order: gr.Dropdown
    curated: gr.Checkbox
    oversample: gr.Checkbox
    tags: gr.Dropdown
    without_tags: gr.Dropdown
    make: gr.Button
    lacking: Panel  # why no view can be made
    answer: Panel


@dataclass(frozen=True, slots=True)
class ExportForm:
    """The view to write and its format, the button, where its answer goes, and the exports that there are."""

    view: gr.Dropdown
    format: gr.Dropdown
    start: gr.Button
    lacking: Panel  # why nothing can be exported
    answer: Panel
    written: Panel


def _section(title: str, note: str) -> None:
    Panel(markup('<h2 class="sa-h2">{}</h2><p class="sa-note">{}</p>', title, note))


def _view_form() -> ViewForm:
    _section(
        "Make a view",
        "A view is a named, frozen choice of training images. Nothing of the test split ever enters one.",
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
        make = gr.Button("Make the view", scale=0, min_width=180, interactive=False)
    lacking, answer = Panel(visible=False), Panel(visible=False)
    return ViewForm(name, base, count, order, curated, oversample, tags, without, make, lacking, answer)


def _export_form() -> ExportForm:
    _section(
        "Export",
        "Writes a view and the real test images with a manifest that rebuilds them byte for byte.",
    )
    with gr.Row(elem_classes="sa-exports-fields"):
        view = gr.Dropdown([], label="View")
        format_ = gr.Dropdown(list(EXPORTERS), value="cifar10", label="Format")
        start = gr.Button("Export", scale=0, min_width=180, interactive=False)
    return ExportForm(view, format_, start, Panel(visible=False), Panel(visible=False), Panel())


def _views_and_exports(workspace: Workspace) -> None:
    with gr.Column(elem_classes="sa-card sa-for-owner"):
        view, export = _view_form(), _export_form()
    seen = gr.State(None)
    fields = [view.name, view.base, view.count, view.order, view.curated, view.oversample]
    shown = [view.base, export.view, view.tags, view.without_tags, export.written]
    shown += [view.make, view.lacking, export.start, export.lacking, seen]

    def make_it(*values: Any) -> Any:
        return _answer(lambda: _make(workspace, *values))

    def export_it(chosen: str | None, how: str) -> Any:
        return _answer(lambda: _export(workspace, chosen, how))

    def refresh(before: str | None) -> list[Any]:
        return _refresh(workspace, before) or [gr.skip()] * len(shown)

    view.make.click(make_it, [*fields, view.tags, view.without_tags], view.answer, **QUIET)
    asked = export.start.click(export_it, [export.view, export.format], export.answer, **QUIET)
    asked.then(None, js=POLL_JOBS)
    when_changed(refresh, seen, shown, api_name="runs_changed")


def _refresh(workspace: Workspace, before: str | None) -> list[Any] | None:
    """The views, tags and exports that can be chosen, and what is lacking; None if all is as ``before`` says."""
    names, found, known = view_names(workspace), exports(workspace), list(counts(workspace))
    fillable = can_fill_a_view(workspace)
    now = f"{names[:1]} {len(names)} {[each.id for each in found[:1]]} {known} {fillable}"
    if now == before:
        return None
    chosen: dict[str, Any] = {} if before else {"value": next(iter(names), None)}
    tagged = gr.update(choices=known)
    return [
        gr.update(choices=[ALL_REAL, *names]),
        gr.update(choices=names, **chosen),
        tagged,
        tagged,
        exports_table(found, workspace),
        gr.Button(interactive=fillable),
        panel(Markup("") if fillable else NO_IMAGES),
        gr.Button(interactive=bool(names)),
        panel(Markup("") if names else NO_VIEW),
        now,
    ]


def _answer(act: Callable[[], Markup]) -> Any:
    """What came of an act, or why nothing did."""
    try:
        answer = act()
    except UserError as error:
        answer = problem(first_line(error))
    return panel(answer)


def _export(workspace: Workspace, view: str | None, format_: str) -> Markup:
    """Start the export; what happens now in words. Raises UserError."""
    if not view:
        raise UserError("choose a view to export; make one above if there is none")
    export_download.submit(workspace, view, format_)
    return markup('<p class="sa-ok" role="status">{} is being exported; it appears below.</p>', view)


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
    answer = '<p class="sa-ok" role="status">{} holds {:,} images.</p>'
    return markup(answer, view.name, images_of(workspace, view))
