"""Write a note on an image, or flag it for others to look at."""

from __future__ import annotations

from synthaug.errors import UnknownImage, UserError
from synthaug.store import catalog, notes
from synthaug.workspace import Workspace

LONGEST_NOTE = 2000


def annotate(workspace: Workspace, image_id: int, annotator: str, text: str, *, flagged: bool) -> None:
    """What a person has to say of an image besides its class; it replaces what they said before. Raises UserError."""
    kept = text.strip()
    if len(kept) > LONGEST_NOTE:
        raise UserError(f"the note has {len(kept)} characters; it may have {LONGEST_NOTE}")
    if image_id not in catalog.known_images(workspace.db, [image_id]):
        raise UnknownImage(str(image_id))
    notes.add(workspace.db, image_id, annotator, kept, flagged=flagged)
