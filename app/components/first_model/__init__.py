"""Training on real images only: the first model, and a newer one when there are more labels."""

from __future__ import annotations

from typing import Any

import gradio as gr

from synthaug.classifiers.recipes import RECIPES
from synthaug.errors import UserError
from synthaug.reading.guide import Counts, counts_of, lacking
from synthaug.stages import first_model, train
from synthaug.workspace import Workspace

from ...context import AppContext
from ...shell import POLL_JOBS
from ..events import QUIET, panel, problem
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
        job_strip(("train", "quick-model"), "", limit=1)

    def show() -> list[Any]:
        counts = counts_of(workspace)
        ready = not lacking(counts)
        button = gr.Button(interactive=ready, variant="secondary" if counts.models else "primary")
        return [_about(counts), _recipes(workspace, counts), button]

    def submit(name: str) -> list[Any]:
        try:
            first_model.submit(workspace, name)
        except UserError as error:
            return [panel(problem(error)), *show()]
        return [gr.update(visible=False), *show()]

    gr.on(None, show, None, [about, recipe, start], api_name="train_first", **QUIET)
    start.click(submit, recipe, [message, about, recipe, start], **QUIET).then(None, js=POLL_JOBS)


def _recipes(workspace: Workspace, counts: Counts) -> Any:
    """The recipes to choose from: all of them where there are test images, else the one that needs none."""
    if not counts.test:
        return gr.update(choices=[first_model.UNTESTED], value=first_model.UNTESTED, interactive=False)
    return gr.update(choices=list(RECIPES), value=train.default_recipe(workspace), interactive=True)


def _about(counts: Counts) -> Markup:
    title = "First model" if not counts.models else "A model of the real images"
    tested = f"{counts.test:,} test image{'' if counts.test == 1 else 's'}"
    held_out = "training images that are held out in turn, because no test image has a label"
    return markup(
        '<h2 class="sa-h2">{}</h2><p class="sa-note">The model is trained on the {} labeled real training images and '
        "measured on {}. It suggests classes while you label, and finds doubtful labels.{}</p>",
        title,
        f"{counts.train:,}",
        tested if counts.test else held_out,
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
