"""What events share: how quiet they are, and what a person is told when one fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from synthaug.errors import UserError

from .markup import Markup, markup

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Arguments of every event: no spinner over the page, and no entry in Gradio's public API."""

NO_HINT = Markup("")


def outcome(act: Callable[[], Any], hint: Markup = NO_HINT) -> Any:
    """Do it; hide the panel if it worked, and show the reason and what to do if it did not."""
    try:
        act()
    except UserError as error:
        return gr.update(value=markup('<p class="sa-error">{}{}</p>', first_line(error), hint), visible=True)
    return gr.update(visible=False)


def first_line(error: UserError) -> str:
    """The message without the template that some errors quote below it: the page shows that itself."""
    return str(error).partition("\n")[0]
