"""Training the first classifier of a workspace on all labeled real training images."""

from __future__ import annotations

from synthaug.errors import UserError
from synthaug.names import first_free, numbered
from synthaug.stages import refit
from synthaug.stages.job_records import TrainParams
from synthaug.stages.train import resolve_recipe
from synthaug.stages.view import ViewSpec, baseline_view, make_view
from synthaug.store import catalog, jobs, labels, models, views
from synthaug.workspace import Workspace

UNTESTED = "linear"
"""The recipe of a quick model, the only one that needs no test images."""


def submit(workspace: Workspace, recipe: str | None = None) -> int:
    """Freeze a view of all labeled real training images and queue the training; returns the id of the job.

    Without labeled real test images, a quick model is trained, which is measured on held-out training images. Raises
    UserError for missing labels.
    """
    found = labels.labeled_images(workspace.db, split="train", origin="real")
    if len({image.class_index for image in found}) < 2:
        raise UserError("a model tells classes apart: label real training images of at least two classes")
    if not catalog.hashes_of_split(workspace.db, "test"):
        if recipe not in (None, UNTESTED):
            raise UserError(
                f"recipe {recipe!r} is measured on real test images, and none has a label; import or label some, or "
                f"choose recipe {UNTESTED!r}, which is measured on held-out training images"
            )
        return jobs.submit(workspace.db, refit.KIND, {}, 0)
    chosen = resolve_recipe(workspace, recipe).name
    view = _all_real(workspace, {image.image_id for image in found})
    seed, taken = 0, set(models.names(workspace.db))
    while f"{view}-{chosen}-{seed}" in taken:
        seed += 1
    return jobs.submit(workspace.db, "train", TrainParams(view, chosen, seed).to_json(), 0)


def _all_real(workspace: Workspace, wanted: set[int]) -> str:
    """The newest view of real images if it has all wanted images, or else a new one."""
    newest = baseline_view(workspace)
    if {member.image_id for member in views.members(workspace.db, newest.id)} == wanted:
        return newest.name
    taken = {view.name for view in views.all_views(workspace.db)}
    return make_view(workspace, first_free(numbered("real", 2), taken.__contains__), ViewSpec()).name
