"""What all Gradio events share: their common arguments, and the message when one fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from synthaug.errors import UserError

from .markup import Markup, markup

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Arguments of every event: no spinner over the page, no entry in Gradio's public API."""

NO_HINT = Markup("")


def outcome(act: Callable[[], Any], hint: Markup = NO_HINT) -> Any:
    """Call ``act``; the update that is returned hides the panel, or shows the error with the hint."""
    try:
        act()
    except UserError as error:
        return gr.update(value=markup('<p class="sa-error">{}{}</p>', first_line(error), hint), visible=True)
    return gr.update(visible=False)


def panel(content: Markup) -> Any:
    """An update that shows ``content`` in a panel, or hides the panel while there is nothing to show."""
    return gr.update(value=content, visible=bool(content))


def problem(reason: object) -> Markup:
    """Why something was not done, as an alert."""
    return markup('<p class="sa-error" role="alert">{}</p>', reason)


def first_line(error: UserError) -> str:
    """The first line of the message: some errors quote the template below it, which the page shows itself."""
    return str(error).partition("\n")[0]
