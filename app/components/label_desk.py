"""The label desk: one image, one key. Its JavaScript holds the queue; see ``label_desk.js``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from .palette import class_color

HERE = Path(__file__).parent
RESERVED_KEYS = frozenset("xuz")  # reject, unsure, undo
NUMBER_ROW = "1234567890"
SCRIPTS = ("label_outbox.js", "label_queue.js", "label_desk.js")  # one scope, in this order
LETTERS = "qwertyasdfghjkopilcvbnm"

ORDERS = (
    ("newest", "Newest first"),
    ("least-confident", "Least confident first"),
    ("disagreement", "Disagreement with the prompt first"),
    ("random", "Random"),
)
SCOPES = (
    ("unreviewed", "Unreviewed synthetic"),
    ("synthetic", "All synthetic"),
    ("real", "Real"),
    ("all", "Everything"),
)


def class_keys(names: Sequence[str]) -> list[str]:
    """The key of every class ("" where keys ran out).

    A class called by a single free character is reached by it: pressing 8 says "8". The others take
    1..9, 0 and then letters, in order.
    """
    own = {
        name.lower()
        for name in names
        if len(name) == 1 and name.lower() in NUMBER_ROW + LETTERS and name.lower() not in RESERVED_KEYS
    }
    if len(own) < sum(name.lower() in own for name in names):  # "A" and "a": one key cannot say both
        own = set()
    free = iter([key for key in NUMBER_ROW + LETTERS if key not in own])
    return [name.lower() if name.lower() in own else next(free, "") for name in names]


class LabelDesk(gr.HTML):
    """The desk over one workspace's classes. The markup is fixed and all text is set from JavaScript."""

    def __init__(self, workspace: str, classes: Sequence[str], **props: Any) -> None:
        keys = class_keys(classes)
        super().__init__(
            html_template=(HERE / "label_desk.html").read_text(encoding="utf-8"),
            js_on_load="\n".join((HERE / script).read_text(encoding="utf-8") for script in SCRIPTS),
            apply_default_css=False,
            workspace=workspace,
            classes=[
                {"name": name, "key": key, "color": class_color(index)}
                for index, (name, key) in enumerate(zip(classes, keys, strict=True))
            ],
            orders=[list(order) for order in ORDERS],
            scopes=[list(scope) for scope in SCOPES],
            **props,
        )

    def get_block_name(self) -> str:
        """The front end knows this component as "html"."""
        return "html"
