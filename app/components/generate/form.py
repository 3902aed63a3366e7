"""The form of the Generate page, and its values as the spec of a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import gradio as gr

from synthaug.errors import UserError
from synthaug.stages.generate import PREVIEWS
from synthaug.stages.generation_spec import GenerationSpec, Start
from synthaug.stages.guidance import guidance_text, read_guidance

from ..events import QUIET
from ..markup import Markup, Panel
from .template_panel import SYNTAX

ALL_REAL = ("The real training images", "")
STARTS = [
    ("Text alone", "text"),
    ("An image, redrawn as a whole", "image"),
    ("An image, but for its subject (inpaint)", "inpaint"),
    ("Its subject on a new background (context)", "context"),
]

GUIDANCE_HINT = Markup(
    '<p class="sa-hint">Guidance: how closely an image follows its prompt. A range such as <code>1..5</code> gives '
    "each image a value of its own: for training, diversity beats fidelity.</p>"
)
START_HINT = Markup(
    '<p class="sa-hint">Starting from real images of the class keeps their poses and scenes. Strength: 0 keeps '
    "the image, 1 draws it anew. On a new background, the template describes the background.</p>"
)


class FormValues(NamedTuple):
    """What the form holds, in the order of its fields."""

    template: str
    label: str | None
    images: float | None
    generator: str | None
    steps: float | None
    guidance: str | None
    seed: float | None
    start: Start
    strength: float | None
    sources: str | None


class Form(NamedTuple):
    """The components of the form; ``fields`` in the order of :class:`FormValues`."""

    template: gr.Textbox
    generator: gr.Dropdown
    fields: list[gr.components.Component]
    live: Panel
    message: Panel
    preview: gr.Button
    start: gr.Button


def generate_form(
    values: FormValues, classes: Sequence[str], generator: gr.Dropdown, prompts: Markup
) -> Form:
    """The form filled with ``values``; ``generator`` stands above it, ``prompts`` is what the template gives."""
    template = gr.Textbox(values.template, label="Template", lines=3, max_lines=8, elem_id="template")
    live = Panel(prompts)
    Panel(SYNTAX)
    with gr.Row():
        label = gr.Dropdown(
            list(classes), value=values.label, label="Class", info="What they show", min_width=140
        )
        count = gr.Number(
            values.images, label="Images", info="How many", precision=0, minimum=1, min_width=120
        )
    with gr.Row():
        steps = gr.Number(values.steps, label="Steps", info="Empty: its own", precision=0, min_width=90)
        guidance = gr.Textbox(
            values.guidance,
            label="Guidance",
            info="A number or a range",
            placeholder="its own",
            max_lines=1,
            min_width=90,
            elem_id="guidance",
        )
        seed = gr.Number(values.seed, label="Seed", info="Same seed, same images", precision=0, min_width=90)
    Panel(GUIDANCE_HINT)
    from_images = _from_images(values)
    message = Panel(visible=False)
    with gr.Row(elem_classes="sa-form-actions"):
        preview = gr.Button(f"Preview {PREVIEWS}", min_width=120, interactive=False)
        start = gr.Button("Start", variant="primary", min_width=120, elem_id="start", interactive=False)
    fields = [template, label, count, generator, steps, guidance, seed, *from_images]
    return Form(template, generator, fields, live, message, preview, start)


def _from_images(values: FormValues) -> list[gr.components.Component]:
    """What a job starts from; strength and sources show once it is not text alone."""
    images = values.start != "text"
    with gr.Accordion("Advanced: start from images", open=images, elem_classes="sa-more"):
        start_from = gr.Dropdown(STARTS, value=values.start, label="Start from", elem_id="start-from")
        with gr.Row(visible=images) as more:
            strength = gr.Number(
                values.strength,
                label="Strength",
                info="Empty: its own",
                minimum=0,
                maximum=1,
                step=0.05,
                min_width=110,
            )
            sources = gr.Dropdown(
                [ALL_REAL], value="", label="Images from", info="A dataset view", min_width=180
            )
        Panel(START_HINT)
    start_from.change(lambda chosen: gr.Row(visible=chosen != "text"), start_from, more, **QUIET)
    return [start_from, strength, sources]


def generation_spec(values: FormValues) -> GenerationSpec:
    """What the form asks for; strength and sources count only where it starts from images. Raises UserError."""
    if values.images is None:
        raise UserError("say how many images to make")
    images = values.start != "text"
    return GenerationSpec(
        values.template,
        values.label,
        int(values.images),
        generator=(values.generator or "").strip() or None,
        steps=None if values.steps is None else int(values.steps),
        guidance=read_guidance(values.guidance),
        seed=int(values.seed or 0),
        start=values.start,
        strength=float(values.strength) if images and values.strength is not None else None,
        sources=(values.sources or None) if images else None,
    )


def form_values(spec: GenerationSpec, generator: str) -> FormValues:
    """The form that asks for ``spec`` with this generator, its images taken from all real ones."""
    return FormValues(
        spec.template,
        spec.label,
        spec.count,
        generator,
        spec.steps,
        guidance_text(spec.guidance),
        spec.seed,
        spec.start,
        spec.strength,
        ALL_REAL[1],
    )
