"""Tag images, one or a selection, and take tags off."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.errors import UnknownName, UserError
from synthaug.store import catalog, selections, tags
from synthaug.workspace import Workspace

MOST_LETTERS = 60


def tag(
    workspace: Workspace, image_ids: Sequence[int], name: str, person: str, *, remove: bool = False
) -> int:
    """Put a tag on images or take it off, on the record under ``person``; how many images it changed.

    Raises UserError for a name that is no tag, UnknownName for an image that is not there.
    """
    kept = check_tag(name)
    if not person.strip():
        raise UserError("tagging needs a name: --annotator NAME")
    if not image_ids:
        raise UserError("no image is named, so there is nothing to tag")
    catalog.images_by_id(workspace.db, image_ids)
    return tags.put(workspace.db, image_ids, kept, not remove, person.strip())


def check_tag(name: str) -> str:
    """A tag without spaces around it. Raises UserError."""
    kept = name.strip()
    if not kept or len(kept) > MOST_LETTERS or not kept.isprintable() or "," in kept:
        raise UserError(
            f"the tag is {name[:80]!r}; it takes 1 to {MOST_LETTERS} printable letters and no comma"
        )
    return kept


def check_known(workspace: Workspace, names: Sequence[str]) -> None:
    """Refuse a tag that no image has. Raises UnknownName."""
    known = tags.counts(workspace.db)
    for name in names:
        if name not in known:
            raise UnknownName("tag", name, known)


def images_with(workspace: Workspace, names: Sequence[str]) -> set[int]:
    """Ids of the images that have any of these tags."""
    return {image_id for name in names for image_id in tags.ids(workspace.db, name)}


def images_of_selection(workspace: Workspace, name: str) -> list[int]:
    """The ids of a saved selection. Raises UnknownName."""
    return selections.read(workspace.db, name)


def counts(workspace: Workspace) -> dict[str, int]:
    """How many images have each tag, by name."""
    return tags.counts(workspace.db)
