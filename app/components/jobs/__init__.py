"""The job strip: the latest jobs with their speed, the remaining time, and a button to stop or resume."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from synthaug.records import JobState

from ...modules import mounting

ACTIVE: tuple[JobState, ...] = ("queued", "running")
"""The states of a job that has not ended."""


def job_strip(kinds: Sequence[str], empty: str, limit: int = 6) -> gr.HTML:
    """The latest jobs of some kinds, updated by the polling of the shell; ``empty`` is shown if there are none."""
    return gr.HTML(
        html_template='<ol class="sa-jobs" aria-label="Jobs"></ol><p class="sa-jobs-empty"></p>',
        js_on_load=mounting("components/jobs/jobs.js"),
        apply_default_css=False,
        kinds=list(kinds),
        empty=empty,
        limit=limit,
    )
