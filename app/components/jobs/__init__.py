"""The job strip: what runs, how fast, how long it will take, and a way to stop it."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ...modules import mounting


def job_strip(kinds: Sequence[str], empty: str, limit: int = 6) -> gr.HTML:
    """The latest jobs of some kinds, kept fresh by the shell's own polling; it survives a reload by design."""
    return gr.HTML(
        html_template='<ol class="sa-jobs" aria-label="Jobs"></ol><p class="sa-jobs-empty"></p>',
        js_on_load=mounting("components/jobs/jobs.js"),
        apply_default_css=False,
        kinds=list(kinds),
        empty=empty,
        limit=limit,
    )
