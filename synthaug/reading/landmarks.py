"""Landmarks to show on an image: those that were placed, or else a prediction, or else a starting position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from synthaug.errors import UserError
from synthaug.landmarks.geometry import Places, check_places, in_pixels, in_shares, start_places
from synthaug.landmarks.scheme import Scheme
from synthaug.records import ImageRecord
from synthaug.store import catalog, landmarks
from synthaug.workspace import Workspace

RECENT = 20
"""Number of the latest images from which the mean shape is computed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Landmarks to show on an image, in pixels of the image.

    ``origin`` is "answer" for the current landmarks, "model" for a prediction, "mean" for the mean shape of the latest
    images, and "start" for the starting position of the scheme. ``by`` is the annotator or the model. ``doubt`` is the
    error that a model expects, in pixels.
    """

    points: Places
    origin: Literal["answer", "model", "mean", "start"]
    by: str = ""
    doubt: float | None = None
    model_id: int | None = None


def proposals(workspace: Workspace, scheme: Scheme, images: Sequence[ImageRecord]) -> dict[int, Proposal]:
    """A proposal for each image, by id."""
    ids = [image.id for image in images]
    answered = landmarks.current(workspace.db, ids)
    predicted = landmarks.predicted(workspace.db, ids)
    mean = mean_shape(workspace, scheme)
    found = {}
    for image in images:
        answer, prediction = answered.get(image.id), predicted.get(image.id)
        if answer is not None and _fits(scheme, answer.landmarks.points, image):
            found[image.id] = Proposal(answer.landmarks.points, "answer", answer.annotator)
        elif prediction is not None and _fits(scheme, prediction.points, image):
            found[image.id] = _seen(prediction)
        else:
            found[image.id] = _beginning(scheme, mean, image)
    return found


def own_answer(
    scheme: Scheme, image: ImageRecord, person: str, points: Mapping[str, tuple[float, ...]]
) -> Proposal | None:
    """The landmarks of a person in a reading of an image; None if they are not landmarks of the scheme."""
    return Proposal(points, "answer", person) if _fits(scheme, points, image) else None


def starts(workspace: Workspace, scheme: Scheme, images: Sequence[ImageRecord]) -> dict[int, Proposal]:
    """Proposals for blind readings, by id: without a model, and without the landmarks of these images."""
    mean = mean_shape(workspace, scheme, without={image.id for image in images})
    return {image.id: _beginning(scheme, mean, image) for image in images}


def mean_shape(
    workspace: Workspace, scheme: Scheme, without: Set[int] = frozenset()
) -> Mapping[str, tuple[float, ...]] | None:
    """The mean landmarks of the latest images, as shares of width, height and (for a radius) width; None without any.

    The images ``without`` are left out.
    """
    ids = [each for each in landmarks.placed_images(workspace.db, RECENT) if each not in without]
    images = catalog.known_images(workspace.db, ids)
    shapes = [
        in_shares(each.landmarks.points, images[each.image_id].width, images[each.image_id].height)
        for each in landmarks.current(workspace.db, ids).values()
        if _fits(scheme, each.landmarks.points, images[each.image_id])
    ]
    if not shapes:
        return None
    return {
        name: tuple(fmean(each) for each in zip(*(shape[name] for shape in shapes), strict=True))
        for name in scheme.names
    }


def _seen(prediction: landmarks.PredictedLandmarks) -> Proposal:
    return Proposal(prediction.points, "model", prediction.model, prediction.doubt, prediction.model_id)


def _beginning(scheme: Scheme, mean: Mapping[str, tuple[float, ...]] | None, image: ImageRecord) -> Proposal:
    if mean is None:
        return Proposal(start_places(scheme, image.width, image.height), "start")
    return Proposal(in_pixels(mean, image.width, image.height), "mean")


def _fits(scheme: Scheme, points: Places, image: ImageRecord) -> bool:
    """Whether the points are valid landmarks of this scheme on this image."""
    try:
        check_places(scheme, points, image.width, image.height)
    except UserError:
        return False
    return True
