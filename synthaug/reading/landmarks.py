"""Where the landmarks of an image are, or may be: what was placed, else what a model sees, else where to begin."""

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
"""How many of the latest answers the mean shape is taken of."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Landmarks to show on an image, in its pixels.

    ``origin``: an answer that counts; what a model sees; the mean of the latest answers; where the scheme begins.
    ``by``: the annotator or the model. ``doubt``: how far off a model expects to be, in pixels.
    """

    points: Places
    origin: Literal["answer", "model", "mean", "start"]
    by: str = ""
    doubt: float | None = None
    model_id: int | None = None  # of the model


def proposals(workspace: Workspace, scheme: Scheme, images: Sequence[ImageRecord]) -> dict[int, Proposal]:
    """A proposal for each of these images, by id."""
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
    """What a person placed on an image in a reading of their own; None where those are no landmarks of the scheme."""
    return Proposal(points, "answer", person) if _fits(scheme, points, image) else None


def starts(workspace: Workspace, scheme: Scheme, images: Sequence[ImageRecord]) -> dict[int, Proposal]:
    """The same without anybody's answer to these images and without a model, for a blind reading."""
    mean = mean_shape(workspace, scheme, without={image.id for image in images})
    return {image.id: _beginning(scheme, mean, image) for image in images}


def mean_shape(
    workspace: Workspace, scheme: Scheme, without: Set[int] = frozenset()
) -> Mapping[str, tuple[float, ...]] | None:
    """Where the latest answers have their landmarks, in shares of width, height and (radius) width; None before any.

    ``without`` those of these images.
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
    """Whether they are landmarks of this scheme on this image: another scheme's are not shown."""
    try:
        check_places(scheme, points, image.width, image.height)
    except UserError:
        return False
    return True
