"""Training on real images only: the first model, and a newer one when there are more labels."""

from __future__ import annotations

from typing import Any

import gradio as gr

from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UserError
from synthaug.reading.guide import Counts, counts_of, lacking
from synthaug.stages import first_model, train

from ...context import AppContext
from ...shell import POLL_JOBS
from ..events import QUIET
from ..jobs import job_strip
from ..markup import Markup, Panel, markup


def first_model_card(context: AppContext) -> None:
    """What it is trained on, the recipe, the button, and how the training goes."""
    workspace = context.workspace
    with gr.Column(elem_classes="sa-card sa-for-owner", elem_id="first-model"):
        about = Panel()
        with gr.Row(elem_classes="sa-first-model"):
            recipe = gr.Dropdown(
                list(RECIPES), value=train.default_recipe(workspace), label="Recipe", scale=0, min_width=240
            )
            start = gr.Button("Train a model", interactive=False, scale=0, min_width=200)
        message = Panel(visible=False)
        job_strip(("train",), "", limit=1)

    def show() -> list[Any]:
        counts = counts_of(workspace)
        ready = not lacking(counts)
        button = gr.Button(interactive=ready, variant="secondary" if counts.models else "primary")
        return [_about(counts), button]

    def submit(name: str) -> list[Any]:
        try:
            first_model.submit(workspace, name)
        except UserError as error:
            said = markup('<p class="sa-error" role="alert">{}</p>', error)
            return [gr.update(value=said, visible=True), *show()]
        return [gr.update(visible=False), *show()]

    gr.on(None, show, None, [about, start], api_name="train_first", **QUIET)
    start.click(submit, recipe, [message, about, start], **QUIET).then(None, js=POLL_JOBS)


def _about(counts: Counts) -> Markup:
    title = "First model" if not counts.models else "A model of the real images"
    return markup(
        '<h2 class="sa-h2">{}</h2><p class="sa-note">Trained on the {} labeled real training images, measured on {} '
        "test images. It suggests classes while you label, and finds doubtful ones.{}</p>",
        title,
        f"{counts.train:,}",
        f"{counts.test:,}",
        _missing(counts),
    )


def _missing(counts: Counts) -> Markup:
    missing = lacking(counts)
    if not missing:
        return Markup("")
    label = Markup('<a href="/label?scope=unlabeled">label the images that wait</a>')
    bring = Markup('<a href="/#import">import images</a>')
    way = label if counts.unlabeled else bring
    return markup(' <span class="sa-warn">It {}:</span> {}.', missing, way)
