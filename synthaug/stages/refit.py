"""Refitting while labeling: after a number of new labels, the model is fitted again in the background."""

from __future__ import annotations

from dataclasses import dataclass

from synthaug.records import Job
from synthaug.stages.reading_settings import settings
from synthaug.store import catalog, jobs, labels
from synthaug.workspace import Workspace

KIND = "quick-model"  # of stages.quick_model, which is slow to import
LAST = "refit_at"
"""The setting with the id of the last log entry when the model was last queued."""


@dataclass(frozen=True, slots=True)
class RefitState:
    """The state of refitting that the label desk shows."""

    every: int  # labels
    left: int  # labels until the model is fitted again
    running: bool
    fitted: int | None  # the last finished job; after another one, the queue has another order
    problem: str  # error of the last job; "" if it did not fail


def state(workspace: Workspace) -> RefitState | None:
    """The state of refitting; None if it is turned off."""
    every = settings(workspace).refit_every
    if every == 0:
        return None
    found = jobs.latest(workspace.db, None, (KIND,))
    newest = found[0] if found else None
    done = next((job.id for job in found if job.state == "done"), None)
    failed = newest.error if newest is not None and newest.state == "failed" else ""
    return RefitState(every, max(0, every - _answers(workspace)), _is_open(newest), done, failed)


def refit_if_due(workspace: Workspace) -> int | None:
    """Queue the job after enough new labels; returns its id or None. Needs two classes, and no job that is queued."""
    every = settings(workspace).refit_every
    if every == 0 or _answers(workspace) < every:
        return None

    def submit(connection: object) -> int | None:
        newest = next(iter(jobs.latest(workspace.db, 1, (KIND,))), None)
        if _is_open(newest) or _answers(workspace) < every or not labels.has_two_classes(workspace.db):
            return None
        catalog.set_setting(workspace.db, LAST, str(labels.last_id(workspace.db)))
        return jobs.submit(workspace.db, KIND, {}, 0)

    return workspace.db.grouped(submit)


def _answers(workspace: Workspace) -> int:
    return labels.answers_since(workspace.db, int(catalog.get_setting(workspace.db, LAST) or 0))


def _is_open(job: Job | None) -> bool:
    return job is not None and job.state in ("queued", "running")
