"""Fine-tune: teach a generator what a view's images show, and watch it learn."""

from __future__ import annotations

from typing import Any

import gradio as gr

from synthaug.errors import UserError
from synthaug.reading import generator_choice, overview
from synthaug.records import Job
from synthaug.stages import finetune
from synthaug.stages.generation_params import usual_generator

from ..components.events import QUIET
from ..components.finetuning import ACTIVE, finished, live
from ..components.markup import Markup, Panel, markup
from ..context import AppContext
from ..shell import POLL_JOBS, empty_state, heading

POLL_SECONDS = 0.7
STEPS = 500
METHODS = [("LoRA", "lora"), ("DreamBooth", "dreambooth"), ("Full fine-tune", "full")]
EXPLAINED = {
    "lora": "Trains a small adapter on the attention layers: the quickest, and the least likely to forget.",
    "dreambooth": "Teaches one subject under a word of its own, and draws images of its class meanwhile so that "
    "the class is not forgotten.",
    "full": "Trains all weights of the U-Net: the most it can learn, the most it can forget.",
}


def page(context: AppContext) -> None:
    """The form on the left, the training as it runs on the right, the generators it gave below."""
    heading(
        "Fine-tune",
        "Teach a generator what your images show. Only training images are taken; the result is a generator "
        "like any other, in this workspace.",
    )
    with gr.Row(elem_classes="sa-split"):
        with gr.Column(scale=4, min_width=380, elem_classes="sa-card sa-tune-form"):
            form = _form(context)
        with gr.Column(scale=7, min_width=460):
            running = Panel(elem_id="tuning")
            done = Panel()
    _wire(context, form, running, done)


def _form(context: AppContext) -> dict[str, Any]:
    Panel(Markup("<h2 class='sa-h2'>What it learns from</h2>"))
    form: dict[str, Any] = {}
    form["none"] = Panel(_no_views(context))
    form["view"] = gr.Dropdown(
        overview.view_names(context.workspace),
        label="Dataset view",
        info="A frozen selection of training images",
        elem_id="tune-view",
    )
    form["caption"] = gr.Textbox(
        label="Caption",
        placeholder="a photo of a {class}",
        info="For images that came without a caption and were not generated; {class} is their class",
        max_lines=1,
    )
    Panel(Markup("<h2 class='sa-h2'>How it learns</h2>"))
    with gr.Row():
        form["base"] = gr.Dropdown(
            _names(context),
            value=usual_generator(context.workspace),
            label="Base generator",
            allow_custom_value=True,
            min_width=150,
        )
        form["method"] = gr.Dropdown(METHODS, value="lora", label="Method", min_width=180)
    form["explained"] = Panel(_explained("lora"))
    with gr.Row(visible=False) as subject:
        form["instance"] = gr.Textbox(
            label="The subject", placeholder="a photo of sks cat", info="With a word of its own", max_lines=1
        )
        form["class"] = gr.Textbox(
            label="Its class", placeholder="a photo of a cat", info="What must not be forgotten", max_lines=1
        )
    form["subject"] = subject
    with gr.Row():
        form["steps"] = gr.Number(STEPS, label="Steps", info="How long", precision=0, minimum=1, min_width=90)
        form["batch"] = gr.Number(
            4, label="Batch", info="Images a step", precision=0, minimum=1, min_width=90
        )
        form["every"] = gr.Number(
            STEPS // 10, label="Pictures every", info="So many steps", precision=0, minimum=1, min_width=110
        )
    form["prompts"] = gr.Textbox(
        label="Validation prompts",
        placeholder="one a line; empty: some of the captions",
        info="Drawn on fixed seeds before the first step and every so many steps",
        lines=2,
        max_lines=6,
    )
    form["name"] = gr.Textbox(label="Name", placeholder="empty: view and method", max_lines=1)
    form["message"] = Panel(visible=False)
    with gr.Row():
        form["start"] = gr.Button("Start fine-tuning", variant="primary", min_width=160, elem_id="tune-start")
        form["stop"] = gr.Button("Stop", min_width=100, visible=False, elem_id="tune-stop")
        form["resume"] = gr.Button("Continue", min_width=100, visible=False, elem_id="tune-resume")
    return form


def _wire(context: AppContext, form: dict[str, Any], running: Panel, done: Panel) -> None:
    workspace = context.workspace
    seen = gr.State(None)
    watched = [running, done, form["stop"], form["resume"], form["start"], seen]
    fields = [
        form[name]
        for name in (
            *("view", "caption", "base", "method", "instance", "class", "steps", "batch", "every"),
            *("prompts", "name"),
        )
    ]

    def opened() -> list[Any]:
        names = overview.view_names(context.workspace)
        chosen = names[0] if names else None
        return [
            gr.Dropdown(names, value=chosen),
            gr.Dropdown(_names(context)),
            _no_views(context),
            *_refresh(context, None),
        ]

    def submit(*values: Any) -> list[Any]:
        try:
            finetune.submit(workspace, **asked(*values))
        except UserError as error:
            message = markup('<p class="sa-error" role="alert">{}</p>', str(error))
            return [gr.update(value=message, visible=True), *[gr.skip()] * len(watched)]
        return [gr.update(visible=False), *_refresh(context, None)]

    def ask(action: str) -> list[Any]:
        job = _latest(context)
        if job is not None:
            (context.jobs.cancel if action == "stop" else context.jobs.resume)(job.id)
        return _refresh(context, None)

    gr.on(None, opened, None, [form["view"], form["base"], form["none"], *watched], **QUIET)
    form["method"].change(
        lambda method: [_explained(method), gr.Row(visible=method == "dreambooth")],
        form["method"],
        [form["explained"], form["subject"]],
        **QUIET,
    )
    form["start"].click(submit, fields, [form["message"], *watched], **QUIET).then(None, js=POLL_JOBS)
    form["stop"].click(lambda: ask("stop"), None, watched, **QUIET)
    form["resume"].click(lambda: ask("resume"), None, watched, **QUIET).then(None, js=POLL_JOBS)
    gr.Timer(POLL_SECONDS).tick(
        lambda before: _refresh(context, before), seen, watched, concurrency_limit=None, **QUIET
    )


def asked(
    view: str | None,
    caption: str | None,
    base: str | None,
    method: Any,
    instance: str | None,
    class_prompt: str | None,
    steps: float | None,
    batch: float | None,
    every: float | None,
    prompts: str | None,
    name: str | None,
) -> dict[str, Any]:
    """The form's values as the arguments of finetune.submit. Raises UserError."""
    if not view:
        raise UserError("choose a dataset view to learn from")
    if steps is None or batch is None:
        raise UserError("say how many steps to train, and how many images a step takes")
    subject = method == "dreambooth"
    return {
        "view": view,
        "base": (base or "").strip() or None,
        "method": method,
        "caption": (caption or "").strip() or None,
        "instance_prompt": ((instance or "").strip() or None) if subject else None,
        "class_prompt": ((class_prompt or "").strip() or None) if subject else None,
        "validation_prompts": [line.strip() for line in (prompts or "").splitlines() if line.strip()],
        "validate_every": None if every is None else int(every),
        "name": (name or "").strip() or None,
        "steps": int(steps),
        "batch_size": int(batch),
    }


def _names(context: AppContext) -> list[tuple[str, str]]:
    return [(each.label, each.name) for each in generator_choice.choices(context.workspace)]


def _latest(context: AppContext) -> Job | None:
    jobs = context.jobs.list(1, kinds=(finetune.KIND,))
    return jobs[0] if jobs else None


def _refresh(context: AppContext, before: str | None) -> list[Any]:
    """Only what changed since the last look."""
    job = _latest(context)
    now = "none" if job is None else f"{job.id} {job.state} {job.done} {job.note} {job.cancel_requested}"
    now += "" if job is None else f" {len(job.result.get('validation', ()))}"
    if now == before:
        return [gr.skip()] * 6
    active = job is not None and job.state in ACTIVE
    models = finetune.list_finetuned(context.workspace)
    return [
        _nothing_yet(context) if job is None else live(job),
        finished(models),
        gr.Button(visible=active),
        gr.Button(visible=job is not None and job.state in ("failed", "cancelled")),
        gr.Button(interactive=not active),
        now,
    ]


def _nothing_yet(context: AppContext) -> Markup:
    if not overview.view_names(context.workspace):
        return empty_state(
            "Nothing to learn from yet",
            "Fine-tuning learns from a dataset view. The Train page makes one when it trains a model.",
            ("Train a model", "/train#first-model"),
            ("Import images", "/#import"),
        )
    return empty_state(
        "Nothing was fine-tuned yet",
        "Choose a view and start. The loss curve and a row of pictures every few steps appear here.",
    )


def _no_views(context: AppContext) -> Markup:
    if overview.view_names(context.workspace):
        return Markup(
            '<p class="sa-note">Captions come from the images\' own, else from their prompts, else from the '
            "caption below.</p>"
        )
    return Markup(
        '<p class="sa-note">There is no dataset view yet. <a href="/train#first-model">The Train page</a> makes one '
        "when it trains a model.</p>"
    )


def _explained(method: str) -> Markup:
    return markup('<p class="sa-hint">{}</p>', EXPLAINED[method])
