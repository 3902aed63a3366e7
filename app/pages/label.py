"""Label: one image at a time, one key each; or a hundred at a time, one key for the rest."""

from __future__ import annotations

from ..components.grid_review import grid_review
from ..components.label_desk import label_desk
from ..components.reading import reading_panels
from ..context import AppContext


def page(context: AppContext) -> None:
    """The label desk, over whatever queue the person chooses in it."""
    workspace = context.workspace
    label_desk(str(workspace.root.resolve()), workspace.classes)
    grid_review(workspace.classes)
    reading_panels()
