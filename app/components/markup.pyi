"""HTML of our own: text is always escaped, and a panel shows the result as it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr
from markupsafe import Markup

__all__ = ["Markup", "Panel", "joined", "markup"]


def markup(template: str, /, *args: object, **values: object) -> Markup:
    """Fill ``{}`` and ``{name}`` of a trusted template; every value that is not Markup is escaped."""
    return Markup(template).format(*args, **values)  # noqa: S704 - the template is ours, values are escaped


def joined(parts: Iterable[Markup]) -> Markup:
    """Markup parts, one after the other."""
    return Markup("").join(parts)

from gradio.events import Dependency

class Panel(gr.HTML):
    """Escaped markup shown without Gradio's prose styles; an update keeps the nodes that stay alike."""

    def __init__(self, value: Markup | None = None, **props: Any) -> None:
        super().__init__(
            value=value,
            html_template="${value}",  # read as data; "{{value}}" would run what it holds
            js_on_load=None,
            apply_default_css=False,
            **props,
        )

    def get_block_name(self) -> str:
        """The front end knows this component as "html"."""
        return "html"
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component