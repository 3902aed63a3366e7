"""The preview of the Generate page, and the second setting that it can be compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import gradio as gr

from synthaug.errors import UserError
from synthaug.stages.generate import PREVIEWS
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.guidance import guidance_text, read_guidance

from ..events import QUIET
from ..markup import Markup, Panel
from .form import FormValues, generation_spec
from .preview import NOTHING_DRAWN

PREVIEW_HEAD = Markup(
    "<h2 class='sa-h2'>Preview</h2><p class='sa-note'>The first eight images that Start would generate. "
    "They are not stored.</p>"
)
THE_SAME = ("The same", "")


class SideBySide(NamedTuple):
    """The components of the preview and of the second setting."""

    compare: gr.Checkbox
    row: gr.Row
    generator: gr.Dropdown
    guidance: gr.Textbox
    both: gr.Button
    stop: gr.Button
    shown: Panel


def side_by_side() -> SideBySide:
    """The card of the preview, without images: one setting, or two side by side."""
    Panel(PREVIEW_HEAD)
    compare = gr.Checkbox(False, label="Compare with a second setting", elem_id="compare")
    with gr.Row(visible=False, elem_classes="sa-compare") as row:
        generator = gr.Dropdown(
            [THE_SAME],
            value="",
            label="Second generator",
            allow_custom_value=True,
            min_width=170,
            elem_id="second-generator",
        )
        guidance = gr.Textbox(
            label="Second guidance",
            placeholder="The same",
            max_lines=1,
            min_width=110,
            elem_id="second-guidance",
        )
        both = gr.Button("Preview both", min_width=140, scale=0)
    shown = Panel(NOTHING_DRAWN, elem_id="preview")
    stop = gr.Button("Stop the preview", size="sm", visible=False, elem_id="stop-preview")
    compare.change(lambda on: gr.Row(visible=on), compare, row, **QUIET)
    return SideBySide(compare, row, generator, guidance, both, stop, shown)


def settings_of(
    values: FormValues, compared: bool, generator: str | None, guidance: str | None
) -> list[tuple[str, GenerationSpec]]:
    """(caption, specification) of the setting in the form, and of the second one if compared. Raises UserError."""
    first = generation_spec(values._replace(images=PREVIEWS))
    if not compared:
        return [(_caption(first), first)]
    second = first
    if (generator or "").strip():
        second = replace(second, generator=(generator or "").strip())
    if (guidance or "").strip():
        second = replace(second, guidance=read_guidance(guidance))
    if second == first:
        raise UserError(
            "the two settings are equal; choose another generator or another guidance for the second one"
        )
    return [(_caption(first), first), (_caption(second), second)]


def _caption(spec: GenerationSpec) -> str:
    guidance = "default guidance" if spec.guidance is None else f"guidance {guidance_text(spec.guidance)}"
    generator = spec.generator or "the default generator"
    return f"{generator.rpartition('/')[2]}, {guidance}"
