"""Pages that follow their workspace: what they show is renewed when something was written, and only then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ...modules import mounting
from ..events import QUIET


def when_changed(
    refresh: Callable[..., Any],
    inputs: gr.components.Component | Sequence[gr.components.Component] | None,
    outputs: gr.components.Component | Sequence[gr.components.Component],
    api_name: str | None = None,
) -> None:
    """Call ``refresh`` once the page has loaded, and after every write to the database of the workspace.

    The page's frame asks for the state of the database anyway, in four milliseconds. An event of Gradio costs far more,
    so that timers which sent one each second kept a third of a core busy for as long as a page was open. Should writes
    come faster than ``refresh`` is done, one call runs and one waits; its inputs should thus be gr.State, which is read
    when the call begins.
    """
    changes = mounting("components/changes/changes.js")
    told = gr.HTML(js_on_load=changes, elem_classes="sa-unseen", apply_default_css=False)
    told.change(
        refresh,
        inputs,
        outputs,
        concurrency_limit=None,
        trigger_mode="always_last",
        api_name=api_name,
        **QUIET,
    )
