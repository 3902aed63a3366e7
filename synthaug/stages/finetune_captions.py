"""Captions of the images of a view: the imported caption, or else the prompt, or else a template."""

from __future__ import annotations

from dataclasses import dataclass

from synthaug.errors import UserError
from synthaug.store import catalog, generations, views
from synthaug.workspace import Workspace

CLASS_MARK = "{class}"


@dataclass(frozen=True, slots=True)
class Captioned:
    """The training images of a view in their frozen order, by SHA-256, with their captions and classes."""

    hashes: tuple[str, ...]
    captions: tuple[str, ...]
    classes: tuple[str, ...]


def captioned_images(workspace: Workspace, view: str, template: str | None) -> Captioned:
    """The training images of ``view`` with captions; ``{class}`` in ``template`` stands for the class.

    Raises UserError if an image has no caption and there is no template, and UnknownName for an unknown view.
    """
    frozen = views.by_name(workspace.db, view)
    members = [each for each in views.members(workspace.db, frozen.id) if each.split == "train"]
    if not members:
        raise UserError(f"the view {view!r} has no training images")
    ids = sorted({each.image_id for each in members})
    imported = catalog.captions(workspace.db, ids)
    made = generations.of_images(workspace.db, ids)
    names = workspace.classes
    captions = []
    for each in members:
        prompt = made[each.image_id].prompt if each.image_id in made else None
        usual = None if template is None else template.replace(CLASS_MARK, names[each.class_index])
        captions.append(imported.get(each.image_id) or prompt or usual or "")
    missing = captions.count("")
    if missing:
        raise UserError(
            f"{missing} of the {len(members)} training images in {view!r} have no caption; import a folder with a "
            f"metadata.csv (file_name,text), or give a caption such as 'a photo of a {CLASS_MARK}'"
        )
    classes = tuple(names[each] for each in sorted({each.class_index for each in members}))
    return Captioned(tuple(each.sha256 for each in members), tuple(captions), classes)
