"""The Generate page: from a prompt template to images, generated on this machine."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import gradio as gr

from synthaug.config import CROSS_FIT_FOLDS
from synthaug.errors import UserError
from synthaug.reading import generator_choice, overview, queue
from synthaug.reading.overview import has_classifier
from synthaug.stages import generate, handlers
from synthaug.stages.generation_params import usual_generator
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.retire import left_out, retired
from synthaug.templates import shipped_template, shipped_template_names

from ..components.changes import when_changed
from ..components.events import QUIET, first_line, outcome, panel
from ..components.generate.form import (
    ALL_REAL,
    Form,
    FormValues,
    form_values,
    generate_form,
    generation_spec,
)
from ..components.generate.fresh import fresh_images
from ..components.generate.generator_card import card, card_error
from ..components.generate.side_by_side import THE_SAME, side_by_side
from ..components.generate.template_panel import template_panel
from ..components.health import health_table
from ..components.jobs import job_strip
from ..components.markup import Markup, Panel
from ..context import AppContext
from ..shell import POLL_JOBS, heading
from .drawing import wire_drawing

FRESH = 24
FIRST_COUNT = 100
FIRST_TEMPLATE = {"digits": "eight"}
FIRST_CLASS = {"digits": "8"}

NO_CLASSIFIER = Markup(
    '<p class="sa-note">Predicting needs a classifier. <a href="/train#first-model">Train one</a>.</p>'
)
JOBS_HEAD = Markup(
    "<h2 class='sa-h2'>Jobs</h2><p class='sa-note'>Jobs continue when this page is closed, and resume after a "
    "restart of the app.</p>"
)


def page(context: AppContext) -> None:
    """The generator at the top, the form on the left, and on the right the preview, the jobs and the newest images."""
    heading(
        "Generate",
        "Describe the images with a template. The prompt, the slot values and the seed are stored with each "
        "image, so that it can be generated again, and slot values that fail can be found.",
    )
    with gr.Row(elem_classes="sa-card sa-gen-row"):
        generator, about = _generator(context)
    with gr.Row(elem_classes="sa-split"):
        with gr.Column(scale=4, min_width=400, elem_classes="sa-card sa-form"):
            values = last_values(context)
            prompts = live_panel(context, values.template, _chosen(context, values.generator))
            form = generate_form(values, context.workspace.classes, generator, prompts)
        with gr.Column(scale=5, min_width=460):
            with gr.Column(elem_classes="sa-card sa-preview-card"):
                shown = side_by_side()
            with gr.Column(elem_classes="sa-card"):
                Panel(JOBS_HEAD)
                job_strip(("generate", "predict"), "There are no jobs yet. Start queues the first one.")
            with gr.Column(elem_classes="sa-card"):
                fresh = Panel(fresh_panel(context))
                predict = _next_steps(context)
    health_table()
    _wire_form(context, form, shown.generator, about)
    _wire_job(context, form, [fresh, *predict])
    wire_drawing(context.workspace, form, shown)


def _generator(context: AppContext) -> tuple[gr.Dropdown, Panel]:
    name = _chosen(context, last_values(context).generator)
    with gr.Column(scale=0, min_width=300):
        generator = gr.Dropdown(
            generator_names(context),
            value=name,
            label="Generator",
            info="From the list, a folder, or a Hugging Face id (owner/model)",
            allow_custom_value=True,
            elem_id="generator",
        )
    return generator, Panel(card_panel(context, name), elem_classes="sa-gen-holder")


def _next_steps(context: AppContext) -> tuple[gr.Button, Panel]:
    """What follows; returns the button that predicts, and the reason why it cannot be pressed."""
    with gr.Row(elem_classes="sa-next"):
        predict = gr.Button("Predict new images", min_width=190, scale=0, interactive=False)
        cross_fit = gr.Checkbox(
            label="Cross-fit training images",
            info="The images that the classifier was trained on are predicted by models trained without them.",
            elem_id="cross-fit",
            min_width=260,
        )
        Panel(Markup('<a class="sa-button" href="/label">Review them on the Label page</a>'))
    lacking, message = Panel(visible=False), Panel(visible=False)
    predict.click(
        lambda wanted: outcome(
            lambda: handlers.submit_predict(context.workspace, folds=CROSS_FIT_FOLDS if wanted else None)
        ),
        cross_fit,
        message,
        **QUIET,
    ).then(None, js=POLL_JOBS)
    return predict, lacking


def _wire_form(context: AppContext, form: Form, compared: gr.Dropdown, about: Panel) -> None:
    """The form opens with the values of the latest job; the card and the prompts follow the form."""

    def opened(request: gr.Request) -> list[Any]:
        values = last_values(context)
        chosen = request.query_params.get("generator") or values.generator
        names = generator_names(context)
        kept = [ALL_REAL, *((name, name) for name in overview.view_names(context.workspace))]
        shown = {
            **values._asdict(),
            "generator": gr.Dropdown(names, value=chosen),
            "sources": gr.Dropdown(kept, value=values.sources),
        }
        ready = gr.update(interactive=True)
        return [*shown.values(), gr.Dropdown([THE_SAME, *names], value=""), ready, ready]

    gr.on(None, opened, None, [*form.fields, compared, form.preview, form.start], **QUIET)
    _follow_form(context, form, about)


def _follow_form(context: AppContext, form: Form, about: Panel) -> None:
    """The card follows the generator; the prompts follow it, the template, and the retired values in the table below.

    Each has one event that writes it, because only answers to one event keep their order: a second writer
    could put the prompts of an earlier template beside a later one.
    """

    def card_of(name: str | None) -> Markup:
        return card_panel(context, _chosen(context, name))

    def prompts(template: str, name: str | None, without: str) -> Markup:
        return live_panel(context, template, _chosen(context, name))

    def retired_now() -> str:
        return repr(retired(context.workspace))

    without = gr.State(retired_now())
    latest: dict[str, Any] = {"trigger_mode": "always_last", **QUIET}
    # Without a trigger, they run when the page opens and when one of their inputs changes.
    gr.on(None, card_of, form.generator, about, **latest)
    gr.on(None, prompts, [form.template, form.generator, without], form.live, **latest)
    when_changed(retired_now, None, without)


def _wire_job(context: AppContext, form: Form, follow: list[gr.components.Component]) -> None:
    """Start submits the job; its images, then the button that predicts them, ``follow`` it."""
    seen = gr.State(None)
    watched = [*follow, seen]

    def start(*values: Any) -> Any:
        return outcome(lambda: generate.submit(context.workspace, generation_spec(FormValues(*values))))

    def refresh(before: str | None) -> list[Any]:
        jobs = context.jobs.list(1, kinds=(generate.KIND,))
        predictable = has_classifier(context.workspace)
        now = " ".join(f"{job.id} {job.done} {job.state}" for job in jobs) + f" {predictable}"
        if now == before:
            return [gr.skip()] * len(watched)
        lacking = Markup("") if predictable else NO_CLASSIFIER
        return [fresh_panel(context), gr.Button(interactive=predictable), panel(lacking), now]

    form.start.click(start, form.fields, form.message, **QUIET).then(None, js=POLL_JOBS)
    when_changed(refresh, seen, watched)


def _chosen(context: AppContext, name: str | None) -> str:
    return (name or "").strip() or usual_generator(context.workspace)


def last_values(context: AppContext) -> FormValues:
    """The values of the latest job; before the first one, defaults that suit the workspace."""
    jobs = context.jobs.list(1, kinds=(generate.KIND,))
    if jobs:
        # A newer release may have stored parameters that are unknown here; the page must open nevertheless.
        with suppress(UserError):
            params = GenerationParams.from_json(jobs[0].params)
            return form_values(params.spec, params.generator)
    preset = context.workspace.preset
    template = shipped_template(FIRST_TEMPLATE.get(preset, shipped_template_names()[0]))
    label = FIRST_CLASS.get(preset, context.workspace.classes[0])
    return form_values(GenerationSpec(template, label, FIRST_COUNT), usual_generator(context.workspace))


def generator_names(context: AppContext) -> list[tuple[str, str]]:
    """(label, name) of the generators that need no download."""
    return [(each.label, each.name) for each in generator_choice.choices(context.workspace)]


def card_panel(context: AppContext, name: str) -> Markup:
    """The card of a generator, or the reason why there is none."""
    try:
        return card(generator_choice.choice(context.workspace, name))
    except UserError as error:
        return card_error(first_line(error))


def live_panel(context: AppContext, text: str, generator: str) -> Markup:
    """The prompts of the template, with their words marked if the generator's words are known."""
    try:
        vocabulary = generator_choice.vocabulary(context.workspace, generator)
    except UserError:  # the card names the problem with the generator
        vocabulary = None
    try:
        retired = left_out(context.workspace, text)
    except UserError:  # the panel names the error in the template
        retired = {}
    return template_panel(text, vocabulary, retired)


def fresh_panel(context: AppContext) -> Markup:
    """The newest synthetic images."""
    return fresh_images(queue.items(context.workspace, queue.newest_ids(context.workspace, FRESH)))
