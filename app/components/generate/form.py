"""The form of the Generate page, and its values as the arguments of a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr

from synthaug.errors import UserError

from ...settings import read_guidance
from ..events import QUIET
from ..markup import Markup, Panel
from .preview import PREVIEWS
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


class Form(NamedTuple):
    """The components of the form; ``fields`` in the order of :func:`asked`."""

    template: gr.Textbox
    generator: gr.Dropdown
    fields: list[gr.components.Component]
    live: Panel
    said: Panel
    preview: gr.Button
    start: gr.Button


def generate_form(
    values: Mapping[str, Any], classes: Sequence[str], generator: gr.Dropdown, prompts: Markup
) -> Form:
    """The form filled with ``values``; ``generator`` stands above it, ``prompts`` is what the template gives."""
    template = gr.Textbox(values["template"], label="Template", lines=3, max_lines=8, elem_id="template")
    live = Panel(prompts)
    Panel(SYNTAX)
    with gr.Row():
        label = gr.Dropdown(
            list(classes), value=values["label"], label="Class", info="What they show", min_width=140
        )
        count = gr.Number(
            values["count"], label="Images", info="How many", precision=0, minimum=1, min_width=120
        )
    with gr.Row():
        steps = gr.Number(values["steps"], label="Steps", info="Empty: its own", precision=0, min_width=90)
        guidance = gr.Textbox(
            values["guidance"],
            label="Guidance",
            info="A number or a range",
            placeholder="its own",
            max_lines=1,
            min_width=90,
            elem_id="guidance",
        )
        seed = gr.Number(
            values["seed"], label="Seed", info="Same seed, same images", precision=0, min_width=90
        )
    Panel(GUIDANCE_HINT)
    from_images = _from_images(values)
    said = Panel(visible=False)
    with gr.Row(elem_classes="sa-form-actions"):
        preview = gr.Button(f"Preview {PREVIEWS}", min_width=120, interactive=False)
        start = gr.Button("Start", variant="primary", min_width=120, elem_id="start", interactive=False)
    fields = [template, label, count, generator, steps, guidance, seed, *from_images]
    return Form(template, generator, fields, live, said, preview, start)


def _from_images(values: Mapping[str, Any]) -> list[gr.components.Component]:
    """What a job starts from; strength and sources show once it is not text alone."""
    images = values["start"] != "text"
    with gr.Accordion("Advanced: start from images", open=images, elem_classes="sa-more"):
        start_from = gr.Dropdown(STARTS, value=values["start"], label="Start from", elem_id="start-from")
        with gr.Row(visible=images) as more:
            strength = gr.Number(
                values["strength"],
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


def asked(values: tuple[Any, ...]) -> dict[str, Any]:
    """The form's values as the arguments of generate.submit. Raises UserError."""
    template, label, number, generator, steps, guidance, seed, start, strength, sources = values
    if number is None:
        raise UserError("say how many images to make")
    images = start != "text"
    return {
        "template": template,
        "label": label,
        "count": int(number),
        "generator": (generator or "").strip() or None,
        "steps": None if steps is None else int(steps),
        "guidance": read_guidance(guidance),
        "seed": int(seed or 0),
        "start": start,
        "strength": float(strength) if images and strength is not None else None,
        "sources": (sources or None) if images else None,
    }
