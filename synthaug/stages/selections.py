"""Saving selections of images."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.errors import UserError
from synthaug.names import check_name
from synthaug.store import catalog, selections
from synthaug.workspace import Workspace

MAX_NAME = 60  # characters, so that it fits on a button


def save_selection(workspace: Workspace, name: str, ids: Sequence[int]) -> str:
    """Save images under a name, replacing an existing selection; returns the normalised name.

    Raises UserError for an unsuitable name or no images, and UnknownImage.
    """
    kept = check_name(name, "a selection", MAX_NAME)
    if not ids:
        raise UserError("no images are selected")
    catalog.images_by_id(workspace.db, ids)
    selections.save(workspace.db, kept, ids)
    return kept
