"""Explore: every image as a point beside the others, a loop around some of them, one decision for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from synthaug.errors import UserError
from synthaug.reading.explore import umap_placed
from synthaug.reading.overview import has_images, image_count
from synthaug.records import Job
from synthaug.stages import handlers

from ..components.changes import when_changed
from ..components.events import QUIET, panel, problem
from ..components.grid import grid
from ..components.jobs import ACTIVE
from ..components.markup import Markup, Panel, markup
from ..components.scatter import scatter
from ..components.suspects import suspects
from ..context import AppContext
from ..shell import heading

METHODS = [
    ("nearest neighbours", "knn"),
    ("Mahalanobis distance (needs labels)", "mahalanobis"),
    ("energy of a linear head (labels)", "energy"),
    ("max-softmax of a linear head (labels)", "max-softmax"),
]

EXPLAINER = Markup("""
<details class="sa-explainer"><summary>How to read this plot</summary><div>
<section><h3>A point is an image</h3><p>A network turns every image into a list of numbers: the classifier just before
it decides (its penultimate features), or, while there is none, a network that has seen ImageNet. Images that it
finds alike lie close together.</p></section>
<section><h3>Two maps of the same numbers</h3><p><b>PCA</b> keeps the two directions of greatest spread: distances
are honest, groups may overlap. <b>UMAP</b> keeps neighbours together: groups stand apart, but the gaps
between them and their sizes mean little. New images are placed in the UMAP that there is, whose points stay where
they are; <b>Fit again</b> fits it to all images.</p></section>
<section><h3>Two distances</h3><p>How far a synthetic image lies from the real ones and from the other synthetic
ones (by nearest neighbours: those of its class), as ranks: 0 is nearest, 1 farthest. Far from both: most often an
<b>artefact</b>; look, then reject. Near real, far from synthetic: <b>new coverage</b>;
keep. Far from real among many alike: <b>redundant</b>, a habit
of the generator. Near both: <b>typical</b>.</p></section>
<section><h3>Shapes and clicks</h3><p>A click on a point or a picture opens the image with all that is known of it;
the arrow keys walk on. A filled dot is a real training image, a ring a real test image, a diamond a synthetic
one. Test images stay locked: changing them would change the measure of success.</p></section>
</div></details>
""")


@dataclass(frozen=True, slots=True)
class Controls:
    """How distances are measured, and the buttons of the computation."""

    method: gr.Dropdown
    compute: gr.Button
    stop: gr.Button
    refit: gr.Button


def page(context: AppContext) -> None:
    """The plot, the grid beside it, and the button that computes what they show."""
    with gr.Row(elem_classes="sa-explore-top"):
        heading(
            "Explore",
            "Where synthetic images lie beside real ones. Draw a loop around a group and decide on it at once.",
        )
        controls = _controls()
    status = Panel(visible=False)
    suspects()
    with gr.Row(elem_classes="sa-explore"):
        plot = scatter(image_count(context.workspace))
        grid()
    Panel(EXPLAINER)
    _wire(context, controls, status, plot)


def _controls() -> Controls:
    owner = "sa-for-owner"
    return Controls(
        gr.Dropdown(METHODS, value="knn", label="Distances by", scale=0, min_width=280, elem_classes=owner),
        gr.Button("Compute features", scale=0, min_width=180, elem_classes=owner, interactive=False),
        gr.Button("Stop", scale=0, min_width=180, elem_classes=owner, visible=False),
        gr.Button("Fit again", scale=0, min_width=120, elem_classes=owner, interactive=False),
    )


def _wire(context: AppContext, controls: Controls, status: Panel, plot: gr.HTML) -> None:
    seen = gr.State(None)
    method, outputs = controls.method, [status, controls.compute, controls.stop, controls.refit, plot, seen]

    def refresh(before: str | None) -> list[Any]:
        return _refresh(context, before) or [gr.skip()] * len(outputs)

    def submit(how: str, again: bool) -> list[Any]:
        try:
            handlers.submit_score(context.workspace, method=how, refit=again)
        except UserError as error:
            return [panel(problem(error)), *[gr.skip()] * (len(outputs) - 1)]
        return refresh(None)

    def stop() -> list[Any]:
        job = context.jobs.latest("score")
        if job is not None and job.state in ACTIVE:
            context.jobs.cancel(job.id)
        return refresh(None)

    gr.on(None, lambda: image_count(context.workspace), None, plot, api_name="explore_images", **QUIET)
    when_changed(refresh, seen, outputs, api_name="explore_changed")
    controls.compute.click(lambda how: submit(how, False), method, outputs, **QUIET)
    controls.refit.click(lambda how: submit(how, True), method, outputs, **QUIET)
    controls.stop.click(stop, None, outputs, **QUIET)


def _refresh(context: AppContext, before: str | None) -> list[Any] | None:
    """The computation, and, when it ends, the number of images; None if all is as ``before`` says."""
    job = context.jobs.latest("score")
    now = "none" if job is None else f"{job.id} {job.state} {job.done} {job.note} {job.cancel_requested}"
    some = has_images(context.workspace)
    now += f" {some}"
    if now == before:
        return None
    busy = job is not None and job.state in ACTIVE
    return [
        panel(_status(job)),
        gr.Button(visible=not busy, interactive=some),
        _stop_button(job),
        gr.Button(interactive=not busy and umap_placed(context.workspace) > 0),
        gr.skip() if busy else image_count(context.workspace),
        now,
    ]


def _stop_button(job: Job | None) -> gr.Button:
    """In the place of the button that computes, while a computation waits or runs."""
    busy = job is not None and job.state in ACTIVE
    stopping = busy and job is not None and job.cancel_requested
    return gr.Button("Stopping" if stopping else "Stop", visible=busy, interactive=not stopping)


def _status(job: Job | None) -> Markup:
    """Of the last computation: how far it is, why it failed, that it was stopped; nothing when all is well."""
    if job is None or job.state == "done":
        return Markup("")
    if job.state == "failed":
        return problem(f"Computing features failed: {job.error}")
    if job.state == "cancelled":
        return Markup('<p class="sa-note">The last computation of features was stopped.</p>')
    return markup(
        '<div class="sa-explore-progress" role="status"><span>Computing features{}</span>'
        '<div class="sa-meter"><i style="width:{:.0f}%"></i></div></div>',
        f": {job.note}" if job.note else "",
        100 * job.done / job.total if job.total else 0,
    )
