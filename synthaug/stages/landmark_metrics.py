"""The metrics of a landmark model, as stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from synthaug.measures.agreement import AngleAgreement
from synthaug.parsing import JsonRecord
from synthaug.store.models import LANDMARKS


@dataclass(frozen=True, slots=True)
class LandmarkFailure(JsonRecord):
    """One image: its true and predicted angles by name, and the largest error of an angle, all in degrees."""

    sha256: str
    error: float
    true: Mapping[str, float]
    read: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LandmarkMetrics(JsonRecord):
    """The errors of a landmark model on ``images`` images, and how it was trained."""

    images: int
    point_error: float  # mean distance of the points, in pixels of the images
    accuracy: (
        float | None
    )  # of the classes that follow from the angles, 0..1; None: the scheme has no classes
    measured_on: Literal["test", "held out"]  # the real test images, or held-out training images
    train_images: int
    scheme: str
    doubt: str  # how the uncertainty is estimated
    image_size: int  # side in pixels
    depth: int  # bits per channel
    epochs: int
    angles: Mapping[str, AngleAgreement] = field(default_factory=dict)  # by name; "all": all angles together
    failures: tuple[LandmarkFailure, ...] = ()  # all images, the largest error first
    kind: str = LANDMARKS
