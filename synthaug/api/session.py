"""A session: an open workspace, with one method for each step from images to a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from synthaug.api import results
from synthaug.classifiers.recipes import Loss, Selection, SyntheticUse
from synthaug.config import AUTOMATIC_THRESHOLD
from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.records import Job, Origin, Pixels, Split
from synthaug.running.jobs import run_to_end
from synthaug.running.progress_bar import by_epoch, by_run, progress_bar
from synthaug.stages.class_map import ClassMap
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.view import ViewSpec
from synthaug.workspace import Workspace


def open(path: str | Path) -> Session:
    """Open the workspace in the directory ``path``. Raises WorkspaceError."""
    return Session(Workspace.open(Path(path)))


def create(
    path: str | Path, *, classes: Sequence[str] = (), preset: str | None = None, images: str = ""
) -> Session:
    """Create a workspace with these class names, or those of a preset ("digits", "cifar10" or "hip").

    ``images``: the URL of the folder in which the images are kept, such as "s3://bucket/folder"; "" keeps them in the
    workspace.

    Raises UserError for unsuitable class names and WorkspaceError if the directory already is a workspace.
    """
    return Session(Workspace.create(Path(path), classes, preset, images=images))


class Session:
    """An open workspace. Methods block until they are done, show a progress bar, and skip work that is already done.

    Every method raises UserError, or one of its subclasses in :mod:`synthaug.errors`, for an invalid request; the
    message says what to do.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of their indices."""
        return self.workspace.classes

    def import_images(
        self,
        source: str | Path,
        *,
        format: str = "auto",
        split: Split | None = None,
        origin: Origin = "real",
        class_map: ClassMap | None = None,
        hold_out: float = 0.0,
    ) -> results.Imported:
        """Import a folder, an image, CIFAR batches, a parquet file or "digits"; unreadable images are reported.

        ``split`` ("train" or "test") overrides the split of the source; ``hold_out`` is the share (0 .. 0.9) kept for
        testing where neither says it. ``class_map``: what becomes of the classes of the source. Raises ImportFailed
        for an unreadable source, NothingImported where every image was rejected.
        """
        from synthaug.stages.importing import import_images

        with progress_bar() as report:
            found = import_images(
                self.workspace, source, format, split, origin, report, class_map=class_map, hold_out=hold_out
            )
        return results.Imported(found.added, found.duplicates, found.rejected, found.notes)

    def generate(self, spec: GenerationSpec, *, executor: ExecutorSpec | None = None) -> results.Generated:
        """Generate exactly ``spec.count`` images and store each with its prompt and seed.

        ``executor`` says who generates, such as ``ExecutorSpec("processes", workers=2)``; None means this process. The
        images do not depend on it.
        """
        from synthaug.stages.generate import submit
        from synthaug.stages.generation_result import GenerationResult
        from synthaug.store import generations

        job = self._finished(submit(self.workspace, spec, executor))
        hashes = generations.images_of_job(self.workspace.db, job.id)
        return results.Generated(
            job=job.id,
            label=spec.label,
            images=tuple(hashes),
            prompts=tuple(generations.prompts_of_job(self.workspace.db, job.id)),
            thumbnails=tuple(map(self.pixels, hashes[: results.SHOWN])),
            seconds=GenerationResult.from_json(job.result).seconds,
        )

    def preview(self, spec: GenerationSpec) -> results.Previewed:
        """The first eight images that ``generate`` would make; nothing is stored."""
        from synthaug.stages.generate import preview

        drawn = [each for batch in preview(self.workspace, spec) for each in batch]
        return results.Previewed(
            tuple(each.prompt.text for each in drawn), tuple(each.image.pixels for each in drawn)
        )

    def predict(
        self,
        model: str | None = None,
        *,
        cross_fit: int | None = None,
        full_recipe: bool = False,
        executor: ExecutorSpec | None = None,
    ) -> results.Predicted:
        """Compute class probabilities and features for every image that has none from this model.

        The default is the newest model of the workspace, or else a shipped one that knows its classes. ``cross_fit`` is
        a number of folds: the images that the model was trained on are then also predicted by models fitted without
        them, a linear head on pretrained features, or, with ``full_recipe``, the recipe of the model. ``executor`` says
        who predicts (see ``generate``); cross-fitting stays in this process.
        """
        from synthaug.stages.predict import predict

        with progress_bar() as report:
            found = predict(
                self.workspace,
                model,
                report,
                executor=executor,
                folds=cross_fit,
                full_recipe=full_recipe,
            )
        cross_fitted = 0 if found.cross_fit is None else found.cross_fit.images
        return results.Predicted(found.model, found.predicted, cross_fitted)

    def score(
        self,
        features: str | None = None,
        *,
        seed: int = 0,
        ood: str = "knn",
        refit: bool = False,
        executor: ExecutorSpec | None = None,
    ) -> results.Scored:
        """Compute map coordinates (PCA, UMAP), uncertainty, out-of-distribution ranks and near-duplicates.

        ``features`` names a classifier of the workspace or a feature extractor; the default is the classifier that
        predicts, or else the installed extractor. ``seed`` is the seed of UMAP. ``ood`` is the distance: "knn" or,
        where there are labels, "mahalanobis", "energy" or "max-softmax". ``refit`` fits UMAP again to all images; by
        default, new images are placed in the map that there is. ``executor`` says who runs the network (see
        ``generate``).
        """
        from synthaug.stages.score import score

        with progress_bar() as report:
            found = score(self.workspace, features, seed, report, method=ood, refit=refit, executor=executor)
        return results.Scored(found.model, found.scored)

    def label(self, labels: Mapping[str, str], *, annotator: str, overwrite: bool = False) -> results.Labeled:
        """Append labels to the log; ``labels`` maps the SHA-256 of an image to a class name, "reject" or "unsure".

        A class called "reject" or "unsure" takes precedence. Labels that an image already has are not repeated. An
        image that another person labeled keeps that label unless ``overwrite`` is set. A single invalid entry refuses
        the whole call.
        """
        from synthaug.stages.bulk_labels import label_images

        done = label_images(self.workspace, labels, annotator, overwrite=overwrite)
        return replace(self._labeled(done.recorded), kept=done.kept)

    def accept(self, min_confidence: float = AUTOMATIC_THRESHOLD) -> results.Labeled:
        """Label unreviewed synthetic images for which the model predicts the prompted class with enough confidence.

        ``min_confidence`` is a probability, 0 .. 1.
        """
        from synthaug.stages.label import accept_confident

        return self._labeled(accept_confident(self.workspace, min_confidence))

    def view(self, name: str, spec: ViewSpec | None = None) -> results.Viewed:
        """Freeze a selection of training images under ``name``; by default all real ones that have a label."""
        from synthaug.stages.view import make_view
        from synthaug.store import views

        made = make_view(self.workspace, name, spec or ViewSpec())
        return results.Viewed(made.name, views.counts(self.workspace.db, made.id))

    def export(
        self,
        view: str,
        directory: str | Path,
        *,
        format: str = "folder",
        depth: int | None = None,
        full_size: bool = False,
    ) -> results.Exported:
        """Write a view and the real test images to ``directory``, completely or not at all.

        ``depth``: 16 writes films of more than 8 bits as they are (the default where the format holds it), 8 their
        pictures. ``full_size``: the larger original of an image where one is kept.
        """
        from synthaug.stages.export import export

        written = export(self.workspace, Path(directory), format, view, depth=depth, full_size=full_size)
        return results.Exported(written.images, Path(directory), written.manifest)

    def train(
        self,
        view: str,
        *,
        recipe: str | None = None,
        seed: int = 0,
        name: str | None = None,
        epochs: int | None = None,
        selection: Selection | None = None,
        loss: Loss | None = None,
        image_size: int | None = None,
        synthetic: SyntheticUse | None = None,
    ) -> results.Trained:
        """Train a classifier on a view and measure it on the real test images.

        ``recipe``: "linear" fits a head on pretrained features in seconds, "pretrained" fine-tunes the network;
        default: by preset, else by the size of the images. ``image_size``: in pixels; default: by the images.
        ``synthetic``: what is learned from synthetic images (see ``classifiers.recipes.SyntheticUse``).
        """
        from synthaug.stages.train import train

        with progress_bar() as report:
            model = train(
                self.workspace,
                view,
                recipe,
                seed,
                name,
                by_epoch(report),
                epochs=epochs,
                selection=selection,
                loss=loss,
                image_size=image_size,
                synthetic=synthetic,
            )
        per_class = dict(zip(self.classes, model.metrics["per_class"], strict=True))
        return results.Trained(
            model.name, model.recipe, model.metrics["accuracy"], per_class, model.metrics["test_images"]
        )

    def first_model(self, name: str | None = None, *, seed: int = 0) -> results.Trained:
        """Fit a head on pretrained features to every labeled training image: a first classifier in seconds."""
        from synthaug.stages.quick_model import quick_model

        with progress_bar() as report:
            model = quick_model(self.workspace, name, seed, report)
        recalls = model.metrics.get("per_class", [None] * len(self.classes))
        return results.Trained(
            model.name,
            model.recipe,
            model.metrics["accuracy"],
            dict(zip(self.classes, recalls, strict=True)),
            model.metrics.get("test_images", 0),
        )

    def train_landmarks(
        self,
        *,
        recipe: str | None = None,
        seed: int = 0,
        name: str | None = None,
        epochs: int | None = None,
        image_size: int | None = None,
    ) -> results.LandmarkModel:
        """Train a model on the landmarks that people placed, and measure its angles in degrees.

        ``recipe``: "landmarks" (a small pretrained network, the default), "efficientnet-b0" or "efficientnet-b7".
        """
        from synthaug.stages.landmark_metrics import LandmarkMetrics
        from synthaug.stages.landmark_model import train_landmarks

        with progress_bar() as report:
            model = train_landmarks(
                self.workspace,
                recipe,
                seed,
                name,
                epochs=epochs,
                image_size=image_size,
                progress=by_epoch(report),
            )
        metrics = LandmarkMetrics.from_json(model.metrics)
        errors = {angle: each.mean_absolute_error for angle, each in metrics.angles.items()}
        return results.LandmarkModel(
            model.name, model.recipe, metrics.accuracy, errors, metrics.images, model.metrics
        )

    def propose_landmarks(self, model: str | None = None) -> results.Predicted:
        """Let a model (default: the newest that places landmarks) propose them on every image, to be corrected."""
        from synthaug.stages.landmark_model import predict_landmarks

        with progress_bar() as report:
            return results.Predicted(*predict_landmarks(self.workspace, model, report))

    def compare(
        self,
        baseline: str,
        augmented: str,
        *,
        seeds: int = 5,
        recipe: str | None = None,
        epochs: int | None = None,
        equal_steps: bool = False,
        executor: ExecutorSpec | None = None,
    ) -> results.Verdict:
        """Train on both views with ``seeds`` seeds, test on the same real images and compare the accuracies.

        With ``equal_steps`` both sides take as many training steps as the larger set needs. Finished runs are kept and
        never repeated. ``executor`` says who trains (see ``generate``); each training run is one task.
        """
        from synthaug.stages.compare import compare

        with progress_bar() as report:
            found = compare(
                self.workspace,
                baseline,
                augmented,
                seeds,
                recipe,
                by_run(report),
                epochs=epochs,
                equal_steps=equal_steps,
                executor=executor,
            )
        return results.Verdict(
            verdict=found.verdict,
            text=found.verdict_text,
            difference=found.difference,
            ci=found.ci,
            confidence=found.confidence,
            baseline=tuple(found.baseline.accuracies),
            augmented=tuple(found.augmented.accuracies),
            test_images=found.test_images,
        )

    def pixels(self, sha256: str) -> Pixels:
        """An image of the workspace, (H, W, 3) uint8 RGB. Raises UserError if it does not exist."""
        from synthaug.stages.pixels import read_image

        return read_image(self.workspace, sha256)

    def __repr__(self) -> str:
        return f"<synthaug workspace {str(self.workspace.root)!r}, {len(self.classes)} classes>"

    def _labeled(self, written: int) -> results.Labeled:
        from synthaug.stages.label import progress

        now = progress(self.workspace)
        return results.Labeled(written, now["reviewed"], now["total"])

    def _finished(self, job_id: int) -> Job:
        from synthaug.stages.handlers import HANDLERS

        with progress_bar() as report:
            job = run_to_end(self.workspace, job_id, HANDLERS, report)
        if job.state != "done":
            raise UserError(f"job {job.id} ended as {job.state}: {job.error or 'stopped on request'}")
        return job
