"""Queueing the training of a landmark model after checking its requirements; unlike the training, quick to import."""

from __future__ import annotations

from synthaug.errors import UserError
from synthaug.stages.landmark_scheme import required_scheme
from synthaug.store import jobs, landmarks
from synthaug.workspace import Workspace

KIND = "train-landmarks"
FEWEST = 4  # training images with landmarks


def submit(workspace: Workspace) -> int:
    """Queue the training with the default recipe and the prediction of all images; returns the id of the job.

    Raises UserError without a scheme, for too few images with landmarks, and while another training is unfinished.
    """
    scheme = required_scheme(workspace)
    placed = landmarks.count_placed(workspace.db, scheme.name, "train")
    if placed < FEWEST:
        raise too_few(placed, scheme.name)

    def once(connection: object) -> int:
        newest = next(iter(jobs.latest(workspace.db, 1, (KIND,))), None)
        if newest is not None and newest.state in ("queued", "running"):
            raise UserError(f"job {newest.id} is already training a landmark model; wait until it has ended")
        return jobs.submit(workspace.db, KIND, {}, 0)

    return workspace.db.grouped(once)


def too_few(placed: int, scheme: str) -> UserError:
    """The error for a training with only ``placed`` images."""
    return UserError(
        f"{placed} training images have landmarks of the scheme {scheme!r}; at least {FEWEST} are needed. "
        "Place some on the Label page, or import them: synthaug landmarks import FILE"
    )
