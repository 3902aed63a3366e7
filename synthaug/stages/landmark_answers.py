"""Preparing landmarks for the label log: checking them against the scheme and the image, and measuring angles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synthaug.errors import LabelRefused, UserError
from synthaug.landmarks.geometry import Places, check_places, measure
from synthaug.landmarks.scheme import Scheme
from synthaug.records import ImageRecord, LabelEntry, Landmarks
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.store import catalog
from synthaug.workspace import Workspace

PLACES = 2
"""Decimal places of pixels and degrees that are stored."""


def placed(scheme: Scheme, points: Places, image: ImageRecord) -> Landmarks:
    """Landmarks from points, in pixels of an image, with their angles. Raises UserError."""
    rounded = {name: tuple(round(float(each), PLACES) for each in place) for name, place in points.items()}
    check_places(scheme, rounded, image.width, image.height)
    angles = {name: round(degrees, PLACES) for name, degrees in measure(scheme, rounded).items()}
    return Landmarks(scheme.name, scheme.revision, rounded, angles)


def measured(workspace: Workspace, entries: Sequence[LabelEntry]) -> list[LabelEntry]:
    """The entries with the angles of their landmarks. Raises LabelRefused."""
    if all(entry.landmarks is None for entry in entries):
        return list(entries)
    scheme = current_scheme(workspace)
    images = catalog.known_images(workspace.db, [entry.image_id for entry in entries])
    return [_measured(entry, scheme, images.get(entry.image_id)) for entry in entries]


def _measured(entry: LabelEntry, scheme: Scheme | None, image: ImageRecord | None) -> LabelEntry:
    if entry.landmarks is None or image is None:  # the log refuses an unknown image
        return entry
    if scheme is None or entry.landmarks.revision != scheme.revision:
        now = "none" if scheme is None else f"{scheme.name!r} as it is now"
        raise LabelRefused(
            f"these landmarks were placed by an earlier scheme, {entry.landmarks.scheme!r}; the workspace uses "
            f"{now}: open the page again, and place them anew",
            entry.op_id,
        )
    try:
        return replace(entry, landmarks=placed(scheme, entry.landmarks.points, image))
    except UserError as error:
        raise LabelRefused(str(error), entry.op_id) from error
