"""The form of the Generate page, and its values as the specification of a job."""

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

ALL_REAL = ("All real training images", "")
STARTS = [
    ("Text only", "text"),
    ("A real image: vary all of it", "image"),
    ("A real image: replace the background (inpaint)", "inpaint"),
    ("A real image: move its subject to a new background (context)", "context"),
]

GUIDANCE_HINT = Markup(
    '<p class="sa-hint">Guidance sets how closely an image follows its prompt. With a range such as <code>1..5</code>, '
    "each image gets its own value. Varied images are more useful for training than faithful ones.</p>"
)
START_HINT = Markup(
    '<p class="sa-hint">A job that starts from real images of the class keeps their poses and scenes. Strength 0 '
    "keeps the image and strength 1 replaces it. If the background is new, the template describes it.</p>"
)


class FormValues(NamedTuple):
    """The values of the form, in the order of its fields."""

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
    """The form with these values; ``generator`` was built above it, ``prompts`` lists prompts of the template."""
    template = gr.Textbox(values.template, label="Template", lines=3, max_lines=8, elem_id="template")
    live = Panel(prompts)
    Panel(SYNTAX)
    with gr.Row():
        label = gr.Dropdown(
            list(classes), value=values.label, label="Class", info="What the images show", min_width=140
        )
        count = gr.Number(
            values.images, label="Images", info="How many", precision=0, minimum=1, min_width=120
        )
    with gr.Row():
        steps = gr.Number(values.steps, label="Steps", info="Empty: default", precision=0, min_width=90)
        guidance = gr.Textbox(
            values.guidance,
            label="Guidance",
            info="A number or a range",
            placeholder="Default",
            max_lines=1,
            min_width=90,
            elem_id="guidance",
        )
        seed = gr.Number(values.seed, label="Seed", info="A whole number", precision=0, min_width=90)
    Panel(GUIDANCE_HINT)
    from_images = _from_images(values)
    message = Panel(visible=False)
    with gr.Row(elem_classes="sa-form-actions"):
        preview = gr.Button(f"Preview {PREVIEWS}", min_width=120, interactive=False)
        start = gr.Button("Start", variant="primary", min_width=120, elem_id="start", interactive=False)
    fields = [template, label, count, generator, steps, guidance, seed, *from_images]
    return Form(template, generator, fields, live, message, preview, start)


def _from_images(values: FormValues) -> list[gr.components.Component]:
    """What a job starts from; strength and sources are shown unless it is text only."""
    images = values.start != "text"
    with gr.Accordion("Advanced: start from images", open=images, elem_classes="sa-more"):
        start_from = gr.Dropdown(STARTS, value=values.start, label="Start from", elem_id="start-from")
        with gr.Row(visible=images) as more:
            strength = gr.Number(
                values.strength,
                label="Strength",
                info="Empty: default",
                minimum=0,
                maximum=1,
                step=0.05,
                min_width=110,
            )
            sources = gr.Dropdown(
                [ALL_REAL], value="", label="Source images", info="All, or a dataset view", min_width=180
            )
        Panel(START_HINT)
    start_from.change(lambda chosen: gr.Row(visible=chosen != "text"), start_from, more, **QUIET)
    return [start_from, strength, sources]


def generation_spec(values: FormValues) -> GenerationSpec:
    """The specification; strength and sources count only if the job starts from images. Raises UserError."""
    if values.images is None:
        raise UserError("enter the number of images to generate")
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
    """The values that give ``spec`` with this generator and all real training images as sources."""
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
