"""Label: one image at a time, one key each."""

from __future__ import annotations

from ..components.label_desk import LabelDesk
from ..context import AppContext


def page(context: AppContext) -> None:
    """The label desk, over whatever queue the person chooses in it."""
    workspace = context.workspace
    LabelDesk(str(workspace.root.resolve()), workspace.classes, elem_id="label-desk")
