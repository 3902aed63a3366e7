"""HTML that the app writes: values are always escaped, and a panel displays the result unchanged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr
from markupsafe import Markup

__all__ = ["Markup", "Panel", "joined", "markup"]


def markup(template: str, /, *args: object, **values: object) -> Markup:
    """Fill ``{}`` and ``{name}`` in a trusted template; every value that is not Markup is escaped."""
    return Markup(template).format(*args, **values)  # noqa: S704 - the template is ours, values are escaped


def joined(parts: Iterable[Markup]) -> Markup:
    """The parts, one after the other."""
    return Markup("").join(parts)


class Panel(gr.HTML):
    """Escaped markup without Gradio's prose styles; an update keeps the nodes that did not change."""

    def __init__(self, value: Markup | None = None, **props: Any) -> None:
        super().__init__(
            value=value,
            html_template="${value}",  # inserted as data; "{{value}}" would execute its content
            js_on_load=None,
            apply_default_css=False,
            **props,
        )

    def get_block_name(self) -> str:
        """The name of this component in Gradio's front end."""
        return "html"
