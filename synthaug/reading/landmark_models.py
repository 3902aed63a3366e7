"""How the landmark model stands: what it can learn from, whether it is in training, and how well it measures angles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthaug.errors import UserError
from synthaug.records import Job
from synthaug.stages.landmark_request import FEWEST, KIND
from synthaug.stages.landmark_scheme import current_scheme
from synthaug.store import jobs, labels, landmarks, models
from synthaug.workspace import Workspace

FAILURES = 200
"""How many of the worst images a report lists."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One measured image; ``error`` is its largest error in degrees. Angles in degrees, by name."""

    image_id: int
    sha256: str
    error: float
    true: Mapping[str, float]
    read: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a landmark model, and the measured images, the worst first.

    ``angles``: an :class:`~synthaug.measures.agreement.Agreement` by name, "all" for all of them together.
    """

    model: str
    measured_on: str  # test | held out
    images: int
    train_images: int
    point_error: float  # pixels of the images
    accuracy: float | None  # of the class that the angles make
    angles: Mapping[str, Mapping[str, Any]]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """``placed``: training images with landmarks of the scheme; ``new``: those placed after the newest model."""

    scheme: str
    placed: int
    needed: int
    new: int
    job: Job | None  # the latest training
    report: Report | None  # of the newest landmark model


def standing(workspace: Workspace) -> Standing | None:
    """How it stands; None where the workspace uses no scheme."""
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
    """The landmark model that was trained last, or None."""
    try:
        return models.newest_landmark_model(workspace.db)
    except UserError:
        return None


def report(workspace: Workspace, model: models.Model) -> Report:
    """What was measured when the model was trained. Images that have left the workspace are left out."""
    figures = model.metrics
    rows = figures.get("failures", [])[:FAILURES]
    known = labels.by_hash(workspace.db, [row["sha256"] for row in rows])
    failures = tuple(
        Failure(known[row["sha256"]].image_id, row["sha256"], row["error"], row["true"], row["read"])
        for row in rows
        if row["sha256"] in known
    )
    return Report(
        model=model.name,
        measured_on=figures["measured_on"],
        images=figures["images"],
        train_images=figures["train_images"],
        point_error=figures["point_error"],
        accuracy=figures["accuracy"],
        angles=figures.get("angles", {}),
        failures=failures,
    )
