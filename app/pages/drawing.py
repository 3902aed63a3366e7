"""Generating the images of the preview: one preview at a time per browser tab, and it can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from synthaug.errors import Cancelled, UserError
from synthaug.stages.generate import PREVIEWS, preview
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.workspace import Workspace

from ..components.events import QUIET, first_line, problem
from ..components.generate.form import Form, FormValues
from ..components.generate.preview import Side, preview_panel
from ..components.generate.side_by_side import SideBySide, settings_of
from ..components.markup import Markup


def wire_drawing(workspace: Workspace, form: Form, side_by_side: SideBySide) -> None:
    """Both preview buttons show the setting in the form and, if compared, the second setting beside it."""
    running: dict[str | None, threading.Event] = {}

    def draw(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        """The preview, updated with each image. A second preview, or Stop, ends it within one step."""
        stop_running(request)
        stop = running[request.session_hash] = threading.Event()
        compared, other, guidance = values[-3:]
        hidden, visible = gr.update(visible=False), gr.update(visible=True)
        try:
            sides = settings_of(FormValues(*values[:-3]), compared, other, guidance)
        except UserError as error:
            yield [problem(first_line(error)), hidden]
            return
        for panel in previews(workspace, sides, stop):
            yield [panel, hidden if stop.is_set() else visible]
        yield [gr.skip(), hidden]

    def stop_running(request: gr.Request) -> None:
        stop = running.pop(request.session_hash, None)
        if stop is not None:
            stop.set()

    gr.on(
        [form.preview.click, side_by_side.both.click],
        draw,
        [*form.fields, side_by_side.compare, side_by_side.generator, side_by_side.guidance],
        [side_by_side.shown, side_by_side.stop],
        **QUIET,
    )
    side_by_side.stop.click(stop_running, None, None, concurrency_limit=None, **QUIET)


def previews(
    workspace: Workspace, settings: list[tuple[str, GenerationSpec]], stop: threading.Event
) -> Iterator[Markup]:
    """The panel each time images arrive, one side after the other, with a message if it ends early."""
    sides = [Side(caption) for caption, _ in settings]
    yield preview_panel(sides, PREVIEWS, busy=True)
    try:
        for side, (_, spec) in zip(sides, settings, strict=True):
            for batch in preview(workspace, spec, PREVIEWS, stop.is_set):
                side.drawn += batch
                yield preview_panel(sides, PREVIEWS, busy=True)
    except Cancelled:
        yield preview_panel(sides, PREVIEWS, "The preview was stopped.")
    except UserError as error:
        yield problem(first_line(error))
    else:
        yield preview_panel(sides, PREVIEWS)
