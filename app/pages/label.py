"""The Label page: one image at a time with one key per class, or a page of a hundred images at a time."""

from __future__ import annotations

from ..components.grid_review import grid_review
from ..components.label_desk import label_desk
from ..components.reading import reading_panels
from ..context import AppContext


def page(context: AppContext) -> None:
    """The label desk, the grid review and the panels for several readers."""
    workspace = context.workspace
    label_desk(str(workspace.root.resolve()), workspace.classes)
    grid_review(workspace.classes)
    reading_panels()
