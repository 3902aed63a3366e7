"""The job strip: what runs, how fast, how long it will take, and a way to stop it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

HERE = Path(__file__).parent


class JobStrip(gr.HTML):
    """The latest jobs of some kinds, kept fresh by the shell's own polling; it survives a reload by design."""

    def __init__(self, kinds: Sequence[str], empty: str, limit: int = 6, **props: Any) -> None:
        super().__init__(
            html_template='<ol class="sa-jobs" aria-label="Jobs"></ol><p class="sa-jobs-empty"></p>',
            js_on_load=(HERE / "jobs.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            kinds=list(kinds),
            empty=empty,
            limit=limit,
            **props,
        )

    def get_block_name(self) -> str:
        """The front end knows this component as "html"."""
        return "html"
