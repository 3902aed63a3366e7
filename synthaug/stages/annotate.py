"""Writing notes on images, and flagging images for others."""

from __future__ import annotations

from synthaug.errors import UnknownImage, UserError
from synthaug.store import catalog, notes
from synthaug.workspace import Workspace

LONGEST_NOTE = 2000


def annotate(workspace: Workspace, image_id: int, annotator: str, text: str, *, flagged: bool) -> None:
    """Record the note and flag of a person on an image, which replace the earlier ones. Raises UserError."""
    kept = text.strip()
    if len(kept) > LONGEST_NOTE:
        raise UserError(f"the note has {len(kept)} characters; it may have at most {LONGEST_NOTE}")
    if image_id not in catalog.known_images(workspace.db, [image_id]):
        raise UnknownImage(str(image_id))
    notes.add(workspace.db, image_id, annotator, kept, flagged=flagged)
