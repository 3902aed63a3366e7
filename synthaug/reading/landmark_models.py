"""The state of the landmark model: its training images, its latest training, and how well it measures angles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from synthaug.errors import UserError
from synthaug.measures.agreement import AngleAgreement
from synthaug.records import Job
from synthaug.stages.landmark_metrics import LandmarkMetrics
from synthaug.stages.landmark_request import FEWEST, KIND
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.store import jobs, labels, landmarks, models
from synthaug.workspace import Workspace

FAILURES = 200
"""Maximum number of images in a report, those with the largest errors."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An image with its true and predicted angles by name, and its largest error, all in degrees."""

    image_id: int
    sha256: str
    error: float
    true: Mapping[str, float]
    read: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """The metrics of a landmark model (see :class:`.landmark_metrics.LandmarkMetrics`), largest errors first."""

    model: str
    measured_on: Literal["test", "held out"]
    images: int
    train_images: int
    point_error: float  # pixels of the images
    accuracy: float | None  # of the class that the angles make
    angles: Mapping[str, AngleAgreement]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """``placed`` counts training images with landmarks of the scheme, ``new`` those placed after the newest model."""

    scheme: str
    placed: int
    needed: int
    new: int
    job: Job | None  # the latest training
    report: Report | None  # of the newest landmark model


def standing(workspace: Workspace) -> Standing | None:
    """The state of the landmark model; None if the workspace has no scheme."""
    scheme = current_scheme(workspace)
    if scheme is None:
        return None
    model = newest(workspace)
    latest = jobs.latest(workspace.db, 1, kinds=(KIND,))
    since = "" if model is None else model.created_at
    return Standing(
        scheme=scheme.name,
        placed=landmarks.count_placed(workspace.db, scheme.name, "train"),
        needed=FEWEST,
        new=landmarks.count_placed(workspace.db, scheme.name, "train", since),
        job=latest[0] if latest else None,
        report=None if model is None else report(workspace, model),
    )


def newest(workspace: Workspace) -> models.Model | None:
    """The newest landmark model, or None."""
    try:
        return models.newest_landmark_model(workspace.db)
    except UserError:
        return None


def report(workspace: Workspace, model: models.Model) -> Report:
    """The metrics of a model; images that the workspace does not have are left out."""
    metrics = LandmarkMetrics.from_json(model.metrics)
    rows = metrics.failures[:FAILURES]
    known = labels.by_hash(workspace.db, [row.sha256 for row in rows])
    failures = tuple(
        Failure(known[row.sha256].image_id, row.sha256, row.error, row.true, row.read)
        for row in rows
        if row.sha256 in known
    )
    return Report(
        model=model.name,
        measured_on=metrics.measured_on,
        images=metrics.images,
        train_images=metrics.train_images,
        point_error=metrics.point_error,
        accuracy=metrics.accuracy,
        angles=metrics.angles,
        failures=failures,
    )
