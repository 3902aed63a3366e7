"""Save a selection of images by name."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.errors import UserError
from synthaug.names import check_name
from synthaug.store import catalog, selections
from synthaug.workspace import Workspace

MAX_NAME = 60  # characters; it stands on a button


def save_selection(workspace: Workspace, name: str, ids: Sequence[int]) -> str:
    """Keep these images under a name and return it, without spaces around it; one of that name is replaced.

    Raises UserError for a name that is empty or too long, UnknownName for an image that is not there.
    """
    kept = check_name(name, "a selection", MAX_NAME)
    if not ids:
        raise UserError("nothing is selected, so there is nothing to save")
    catalog.images_by_id(workspace.db, ids)
    selections.save(workspace.db, kept, ids)
    return kept
