"""The form of the Fine-tune page, and its values as the arguments of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import gradio as gr

from synthaug.errors import UserError

from ..events import QUIET
from ..markup import Markup, Panel, markup

STEPS = 500
METHODS = [("LoRA", "lora"), ("DreamBooth", "dreambooth"), ("Full fine-tuning", "full")]
EXPLAINED = {
    "lora": "Trains a small adapter on the attention layers. This is the fastest method, and it forgets the least.",
    "dreambooth": "Teaches one subject under a new word. Images of its class are generated and trained on as well, "
    "so that the class is not forgotten.",
    "full": "Trains all weights of the U-Net. It learns the most, and forgets the most.",
}


class FormValues(NamedTuple):
    """The values of the form, in the order of its fields."""

    view: str | None
    caption: str | None
    base: str | None
    method: Any  # one of METHODS; finetune.submit checks it
    instance: str | None
    class_prompt: str | None
    steps: float | None
    batch: float | None
    every: float | None
    prompts: str | None
    name: str | None


class JobArguments(TypedDict):
    """The arguments of finetune.submit."""

    view: str
    base: str | None
    method: Any
    caption: str | None
    instance_prompt: str | None
    class_prompt: str | None
    validation_prompts: list[str]
    validate_every: int | None
    name: str | None
    steps: int
    batch_size: int


class Form(NamedTuple):
    """The components of the form; ``fields`` in the order of :class:`FormValues`."""

    view: gr.Dropdown
    base: gr.Dropdown
    fields: list[gr.components.Component]
    note: Panel  # where captions come from, or that there is no view
    message: Panel
    start: gr.Button
    stop: gr.Button
    resume: gr.Button


def finetune_form(views: Sequence[str], bases: Sequence[tuple[str, str]], base: str, note: Markup) -> Form:
    """The form with the views and (label, name) of the generators to choose from; ``note`` stands at the top."""
    Panel(Markup("<h2 class='sa-h2'>Training images</h2>"))
    shown = Panel(note)
    view = gr.Dropdown(
        list(views), label="Dataset view", info="A frozen selection of training images", elem_id="tune-view"
    )
    caption = gr.Textbox(
        label="Caption",
        placeholder="a photo of a {class}",
        info="For images without a caption and without a prompt; {class} stands for the class of the image",
        max_lines=1,
    )
    Panel(Markup("<h2 class='sa-h2'>Training</h2>"))
    with gr.Row():
        generator = gr.Dropdown(
            list(bases), value=base, label="Base generator", allow_custom_value=True, min_width=150
        )
        method = gr.Dropdown(METHODS, value="lora", label="Method", min_width=180)
    subject = _method_details(method)
    lengths = _lengths()
    prompts = gr.Textbox(
        label="Validation prompts",
        placeholder="One per line. Empty: some of the captions.",
        info="Images of these prompts are generated from fixed seeds, before the first step and then at the "
        "interval above",
        lines=2,
        max_lines=6,
    )
    name = gr.Textbox(label="Name", placeholder="Empty: the view and the method", max_lines=1)
    fields: list[gr.components.Component] = [
        view,
        caption,
        generator,
        method,
        *subject,
        *lengths,
        prompts,
        name,
    ]
    return Form(view, generator, fields, shown, Panel(visible=False), *_buttons())


def _method_details(method: gr.Dropdown) -> tuple[gr.Textbox, gr.Textbox]:
    """What the chosen method does, and the two prompts that only DreamBooth needs."""
    explained = Panel(_explanation("lora"))
    with gr.Row(visible=False) as row:
        instance = gr.Textbox(
            label="Prompt of the subject",
            placeholder="a photo of sks cat",
            info="With a new word for the subject",
            max_lines=1,
        )
        class_prompt = gr.Textbox(
            label="Prompt of its class",
            placeholder="a photo of a cat",
            info="What must not be forgotten",
            max_lines=1,
        )
    method.change(
        lambda chosen: [_explanation(chosen), gr.Row(visible=chosen == "dreambooth")],
        method,
        [explained, row],
        **QUIET,
    )
    return instance, class_prompt


def _lengths() -> tuple[gr.Number, gr.Number, gr.Number]:
    with gr.Row():
        steps = gr.Number(STEPS, label="Steps", info="Of the optimizer", precision=0, minimum=1, min_width=90)
        batch = gr.Number(4, label="Batch size", info="Images per step", precision=0, minimum=1, min_width=90)
        every = gr.Number(
            STEPS // 10,
            label="Validate every",
            info="Number of steps",
            precision=0,
            minimum=1,
            min_width=110,
        )
    return steps, batch, every


def _buttons() -> tuple[gr.Button, gr.Button, gr.Button]:
    with gr.Row():
        return (
            gr.Button(
                "Start fine-tuning", variant="primary", min_width=160, elem_id="tune-start", interactive=False
            ),
            gr.Button("Stop", min_width=100, visible=False, elem_id="tune-stop"),
            gr.Button("Continue", min_width=100, visible=False, elem_id="tune-resume"),
        )


def submit_arguments(values: FormValues) -> JobArguments:
    """The arguments of finetune.submit; the two prompts count for DreamBooth only. Raises UserError."""
    if not values.view:
        raise UserError("choose a dataset view to train on")
    if values.steps is None or values.batch is None:
        raise UserError("enter the number of steps and the batch size")
    subject = values.method == "dreambooth"
    return {
        "view": values.view,
        "base": _text(values.base),
        "method": values.method,
        "caption": _text(values.caption),
        "instance_prompt": _text(values.instance) if subject else None,
        "class_prompt": _text(values.class_prompt) if subject else None,
        "validation_prompts": [line.strip() for line in (values.prompts or "").splitlines() if line.strip()],
        "validate_every": None if values.every is None else int(values.every),
        "name": _text(values.name),
        "steps": int(values.steps),
        "batch_size": int(values.batch),
    }


def _text(value: str | None) -> str | None:
    """The text without spaces at both ends; None if nothing is left."""
    return (value or "").strip() or None


def _explanation(method: str) -> Markup:
    return markup('<p class="sa-hint">{}</p>', EXPLAINED[method])
