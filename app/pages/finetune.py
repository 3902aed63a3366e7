"""The Fine-tune page: train a generator on the images of a view, and watch the training."""

from __future__ import annotations

from typing import Any

import gradio as gr

from synthaug.errors import UserError
from synthaug.reading import generator_choice, overview
from synthaug.stages import finetune
from synthaug.stages.generation_params import usual_generator

from ..components.changes import when_changed
from ..components.events import QUIET, panel, problem
from ..components.finetuning import finished, live
from ..components.finetuning.form import Form, FormValues, finetune_form, submit_arguments
from ..components.jobs import ACTIVE
from ..components.markup import Markup, Panel
from ..context import AppContext
from ..shell import POLL_JOBS, empty_state, heading


def page(context: AppContext) -> None:
    """The form on the left, the running job on the right, and below it the generators that were fine-tuned."""
    heading(
        "Fine-tune",
        "Train a generator on your own images. Only training images are used. The result is a new generator in "
        "this workspace.",
    )
    with gr.Row(elem_classes="sa-split"):
        with gr.Column(scale=4, min_width=380, elem_classes="sa-card sa-tune-form"):
            workspace = context.workspace
            form = finetune_form(
                overview.view_names(workspace), _names(context), usual_generator(workspace), _note(context)
            )
        with gr.Column(scale=7, min_width=460):
            running = Panel(elem_id="tuning")
            done = Panel()
    _wire(context, form, running, done)


def _wire(context: AppContext, form: Form, running: Panel, done: Panel) -> None:
    seen = gr.State(None)
    watched = [running, done, form.stop, form.resume, form.start, seen]

    def opened() -> list[Any]:
        names = overview.view_names(context.workspace)
        return [
            gr.Dropdown(names, value=names[0] if names else None),
            gr.Dropdown(_names(context)),
            _note(context),
            *_refresh(context, None),
        ]

    def submit(*values: Any) -> list[Any]:
        try:
            finetune.submit(context.workspace, **submit_arguments(FormValues(*values)))
        except UserError as error:
            return [panel(problem(error)), *[gr.skip()] * len(watched)]
        return [gr.update(visible=False), *_refresh(context, None)]

    def stop() -> list[Any]:
        job = context.jobs.latest(finetune.KIND)
        if job is not None:
            context.jobs.cancel(job.id)
        return _refresh(context, None)

    def resume() -> list[Any]:
        job = context.jobs.latest(finetune.KIND)
        if job is not None:
            context.jobs.resume(job.id)
        return _refresh(context, None)

    gr.on(None, opened, None, [form.view, form.base, form.note, *watched], **QUIET)
    form.start.click(submit, form.fields, [form.message, *watched], **QUIET).then(None, js=POLL_JOBS)
    form.stop.click(stop, None, watched, **QUIET)
    form.resume.click(resume, None, watched, **QUIET).then(None, js=POLL_JOBS)
    when_changed(lambda before: _refresh(context, before), seen, watched)


def _names(context: AppContext) -> list[tuple[str, str]]:
    return [(each.label, each.name) for each in generator_choice.choices(context.workspace)]


def _refresh(context: AppContext, before: str | None) -> list[Any]:
    """Updates of the watched components if the job has changed since the last call."""
    job = context.jobs.latest(finetune.KIND)
    now = "none" if job is None else f"{job.id} {job.state} {job.done} {job.note} {job.cancel_requested}"
    now += "" if job is None else f" {len(job.result.get('validation', ()))}"
    views = overview.view_names(context.workspace)
    now += f" {len(views)}"
    if now == before:
        return [gr.skip()] * 6
    active = job is not None and job.state in ACTIVE
    models = finetune.list_finetuned(context.workspace)
    return [
        _nothing_yet(context) if job is None else live(job),
        finished(models),
        gr.Button(visible=active),
        gr.Button(visible=job is not None and job.state in ("failed", "cancelled")),
        gr.Button(interactive=bool(views) and not active),
        now,
    ]


def _nothing_yet(context: AppContext) -> Markup:
    if not overview.view_names(context.workspace):
        return empty_state(
            "There is no dataset view yet",
            "Fine-tuning uses the images of a dataset view. The Train page makes a view when it trains a model.",
            ("Train a model", "/train#first-model"),
            ("Import images", "/#import"),
        )
    return empty_state(
        "No generator has been fine-tuned yet",
        "Choose a view and start. The loss curve and the validation images appear here.",
    )


def _note(context: AppContext) -> Markup:
    """Where the captions come from; without a view, how to get one."""
    if overview.view_names(context.workspace):
        return Markup(
            '<p class="sa-note">Each image is trained on with its own caption, or else its prompt, or else the '
            "caption below.</p>"
        )
    return Markup(
        '<p class="sa-note">There is no dataset view yet. <a href="/train#first-model">The Train page</a> makes one '
        "when it trains a model.</p>"
    )
