"""Adding tags to images, and removing them."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.errors import UnknownName, UserError
from synthaug.store import catalog, selections, tags
from synthaug.workspace import Workspace

MOST_LETTERS = 60


def tag(
    workspace: Workspace, image_ids: Sequence[int], name: str, person: str, *, remove: bool = False
) -> int:
    """Add a tag to images or remove it, recorded under ``person``; returns the number of images that changed.

    Raises UserError for an unsuitable tag or person, or no images, and UnknownImage.
    """
    kept = check_tag(name)
    if not person.strip():
        raise UserError("tagging needs a name: --annotator NAME")
    if not image_ids:
        raise UserError("no images were given to tag")
    catalog.images_by_id(workspace.db, image_ids)
    return tags.put(workspace.db, image_ids, kept, not remove, person.strip())


def check_tag(name: str) -> str:
    """The tag without surrounding spaces. Raises UserError for an unsuitable one."""
    kept = name.strip()
    if not kept or len(kept) > MOST_LETTERS or not kept.isprintable() or "," in kept:
        raise UserError(
            f"the tag is {name[:80]!r}; it must have 1 to {MOST_LETTERS} printable characters and no comma"
        )
    return kept


def check_known(workspace: Workspace, names: Sequence[str]) -> None:
    """Raises UnknownName for a tag that no image has."""
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
    """The number of images with each tag, ordered by tag."""
    return tags.counts(workspace.db)
