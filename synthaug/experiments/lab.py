"""Steps of an experiment on a workspace: each is identified by its name or inputs, and is never repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.base import Images
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError
from synthaug.progress import Progress
from synthaug.records import Origin
from synthaug.running.jobs import run_to_end
from synthaug.stages import generate, labeler
from synthaug.stages.extract import features_of
from synthaug.stages.generation_params import resolve
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.importing import import_images
from synthaug.stages.pixels import load_pixels
from synthaug.stages.run_cache import Trainer
from synthaug.stages.train import train
from synthaug.stages.train_generator import Family, train_on_view
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, generations, jobs, labels, models, views
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from synthaug.classifiers.fitted import FittedClassifier

Say = Callable[[str], None]


class Lab:
    """A workspace, with callbacks for progress and messages, which are dropped by default."""

    def __init__(
        self,
        workspace: Workspace,
        report: Progress = lambda done, total, note: None,
        say: Say = lambda text: None,
    ) -> None:
        self.workspace = workspace
        self.report = report
        self.say = say

    def imported(self, source: str | Path | None) -> None:
        """Import a source, unless the workspace has real training images already. Raises UserError."""
        if catalog.find_images(self.workspace.db, origin="real", split="train"):
            return
        if source is None:
            raise UserError("there are no real training images; give a source with --data SRC")
        self.say(f"importing {source}")
        import_images(self.workspace, source, progress=self.report)

    def view(self, name: str, spec: ViewSpec) -> views.View:
        """The view of this name, created if needed. Raises UserError if it exists with another specification."""
        known = {view.name: view for view in views.all_views(self.workspace.db)}
        if name not in known:
            return make_view(self.workspace, name, spec)
        made_with = known[name].spec
        if ViewSpec.from_json(made_with) != spec or made_with.keys() - spec.to_json().keys():
            raise UserError(
                f"the view {name!r} of {self.workspace.root} was created with other options; use another workspace, or "
                "the same options as before"
            )
        return known[name]

    def counts(self, view: str) -> dict[str, int]:
        """Number of images of each class in a view."""
        return views.counts(self.workspace.db, views.by_name(self.workspace.db, view).id)

    def generated(self, spec: GenerationSpec) -> int:
        """The id of a finished job with these images, which are generated if needed."""
        self.say(f"generating {spec.count} images{'' if spec.label is None else ' of ' + spec.label}")
        job_id = self._generation(resolve(self.workspace, spec)) or generate.submit(self.workspace, spec)
        return self.finished(job_id)

    def labeler(self, view: str, recipe: Recipe) -> str:
        """A classifier for pseudo-labels: the shipped one for these classes, or else one trained on ``view``."""
        shipped = labeler.fitting(self.workspace)
        if shipped is not None:
            return labeler.install(self.workspace, shipped).name
        name = f"{view}-labeler"
        if name not in models.names(self.workspace.db):
            self.say(f"training a labeler on {view!r}")
            train(self.workspace, view, recipe.name, name=name)
        return name

    def labeled_of(self, job_id: int) -> tuple[str, ...]:
        """SHA-256 of the images of a job that have a class, in the order of generation."""
        images = labels.labeled_images(self.workspace.db, split="train", origin="synthetic", jobs=(job_id,))
        return tuple(image.sha256 for image in images)

    def different(self, job_id: int) -> int:
        """The number of distinct images of a generation job."""
        return len(self.hashes_of_job(job_id))

    def hashes_of_job(self, job_id: int) -> list[str]:
        """SHA-256 of the distinct images of a generation job, in the order of generation."""
        return list(dict.fromkeys(generations.images_of_job(self.workspace.db, job_id)))

    def pixels_of_job(self, job_id: int, size: int) -> Images:
        """The images of a generation job (N, size, size, 3) uint8."""
        return load_pixels(self.workspace, generations.images_of_job(self.workspace.db, job_id), size)

    def pixels_of_view(
        self, view: str, size: int, origin: Origin | None = None, class_name: str | None = None
    ) -> Images:
        """The images of a view (N, size, size, 3) uint8, optionally only those of one origin or class."""
        return load_pixels(self.workspace, self.hashes_of_view(view, origin, class_name), size)

    def hashes_of_view(
        self, view: str, origin: Origin | None = None, class_name: str | None = None
    ) -> list[str]:
        """SHA-256 of the images of a view in its order, optionally only those of one origin or class."""
        members = views.members(self.workspace.db, views.by_name(self.workspace.db, view).id)
        names = self.workspace.classes
        return [
            member.sha256
            for member in members
            if origin in (None, member.origin) and class_name in (None, names[member.class_index])
        ]

    def features(self, hashes: Sequence[str]) -> NDArray[np.float32]:
        """Pretrained features (N, D) of images, which are stored."""
        return features_of(self.workspace, hashes, self.report)[0]

    def classifier(self, view: str, recipe: Recipe, seed: int = 0) -> FittedClassifier:
        """The classifier of a run, which is trained now if it was not; of other runs only seed 0 kept its weights."""
        from synthaug.classifiers.fitted import FittedClassifier

        trainer, frozen = Trainer(self.workspace), views.by_name(self.workspace.db, view)
        if trainer.find(frozen, recipe, seed) is None:
            self.say(f"training on {view!r}, seed {seed}")
            trainer.run(frozen, recipe, seed, keep_weights=True)
        return FittedClassifier.load(trainer.weights(frozen, recipe, seed))

    def trained_generator(self, name: str, family: Family, view: str, **options: Any) -> Path:
        """The folder of a generator trained on a view, with options of ``stages.train_generator.train_on_view``."""
        folder = self.workspace.root / "models" / name
        if not folder.exists():
            self.say(f"training the {family.upper()} {name!r}")
            checkpoints = self.workspace.root / "runs" / name

            def progress(phase: str, done: int, total: int, loss: float) -> None:
                self.report(done, total, f"{phase}: loss {loss:.3f}")

            train_on_view(self.workspace, folder, checkpoints, family, view, progress=progress, **options)
        return folder

    def finished(self, job_id: int) -> int:
        """Run a job to its end, unless it is finished, and return its id. Raises UserError if it fails."""
        if jobs.get(self.workspace.db, job_id).state in ("failed", "cancelled"):
            jobs.requeue(self.workspace.db, job_id)
        job = run_to_end(self.workspace, job_id, HANDLERS, self.report)
        if job.state != "done":
            raise UserError(
                f"job {job.id} ({job.kind}) ended as {job.state}: {job.error or 'stopped on request'}"
            )
        return job.id

    def _generation(self, wanted: GenerationParams) -> int | None:
        """The id of a generation job with these parameters, preferably a finished one; None if there is none."""
        known = jobs.latest(self.workspace.db, kinds=(generate.KIND,))
        found = [job for job in known if GenerationParams.from_json(job.params) == wanted]
        finished = [job for job in found if job.state == "done"]
        return next((job.id for job in finished or found), None)
