"""Checking the integrity of a workspace: the database, the pixels of every image, and every model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from synthaug.errors import ImageRejected, UserError
from synthaug.generators.folders import find_model
from synthaug.images import decode, pixel_hash, size_of
from synthaug.progress import Progress
from synthaug.stages import finetune, generator_names
from synthaug.stages.importing import BATCH
from synthaug.store import catalog, features, jobs, models
from synthaug.store.checks import database_problems
from synthaug.store.label_chain import verify_chain
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, described in one line."""

    text: str
    path: Path | None = None  # missing or damaged file, relative to the workspace
    sha256: str | None = None  # address of the image, if the file is an image of the database


@dataclass(frozen=True, slots=True)
class Verification:
    """The number of images that were checked, and the problems found."""

    images: int
    found: tuple[Problem, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """The problems as text, one line each."""
        return tuple(each.text for each in self.found)


def verify(workspace: Workspace, progress: Progress | None = None) -> Verification:
    """Check the whole workspace without changing anything."""
    found = [*verify_database(workspace), *verify_models(workspace)]
    found += [*_guarded(_features, workspace), *_guarded(_unknown_images, workspace)]
    count = 0
    try:
        count = catalog.count_images(workspace.db)
        found += _images(workspace, progress)
    except UserError as error:
        found.append(Problem(str(error)))
    return Verification(count, tuple(dict.fromkeys(found)))


def verify_database(workspace: Workspace) -> list[Problem]:
    """Problems with the database and the label log."""
    return _guarded(_database, workspace) + _guarded(_label_log, workspace)


def verify_models(workspace: Workspace) -> list[Problem]:
    """Problems with the files of classifiers and generators."""
    return _guarded(_classifiers, workspace) + _guarded(_generators, workspace)


def _guarded(check: Callable[[Workspace], Iterator[Problem]], workspace: Workspace) -> list[Problem]:
    """The problems that a check finds, including a database that it cannot read."""
    found = []
    try:
        for problem in check(workspace):
            found.append(problem)
    except UserError as error:
        found.append(Problem(str(error)))
    return found


def _database(workspace: Workspace) -> Iterator[Problem]:
    for text in database_problems(workspace.db):
        yield Problem(text)


def _label_log(workspace: Workspace) -> Iterator[Problem]:
    for text in verify_chain(workspace.db):
        yield Problem(text)


def _images(workspace: Workspace, progress: Progress | None) -> Iterator[Problem]:
    images = catalog.find_images(workspace.db)
    for done, image in enumerate(images):
        if progress is not None and done % 100 == 0:
            progress(done, len(images), "checking images")
        path = workspace.images.path(image.sha256)
        if (wrong := _image_fault(workspace, image.sha256, (image.width, image.height))) is not None:
            yield _problem(workspace, path, wrong, image.sha256)
        if workspace.images.has_review(image.sha256):
            wrong = _unreadable(partial(workspace.images.review_png, image.sha256))
            if wrong is not None:
                yield _problem(workspace, workspace.images.review_path(image.sha256), wrong, image.sha256)


def _image_fault(workspace: Workspace, sha256: str, size: tuple[int, int]) -> str | None:
    """What is wrong with a stored image of ``size`` (width, height), if anything."""
    try:
        image = workspace.images.durable(sha256)
    except FileNotFoundError:
        return "is missing"
    except (ImageRejected, OSError) as error:
        return f"cannot be read: {error}"
    if pixel_hash(image) != sha256:
        return "has different pixels from those that were stored"
    if (found := size_of(image)) != size:
        return f"has {found[0]} x {found[1]} pixels instead of {size[0]} x {size[1]} as in the database"
    return None


def _unreadable(read: Callable[[], bytes]) -> str | None:
    try:
        decode(read())
    except (ImageRejected, OSError) as error:
        return f"cannot be read: {error}"
    return None


def _unknown_images(workspace: Workspace) -> Iterator[Problem]:
    """Images beside a database without images, if there are more than a killed first import can leave."""
    if catalog.count_images(workspace.db):
        return
    count = sum(1 for _ in workspace.images.addresses())
    if count > BATCH:
        yield Problem(
            f"images/ has {count} images, but the database has none; it may belong to another workspace"
        )


def _classifiers(workspace: Workspace) -> Iterator[Problem]:
    """Problems with the files of classifiers, whose weights must be those that were recorded."""
    for model in models.all_models(workspace.db):
        from synthaug.classifiers.fitted import Fitted, FittedClassifier
        from synthaug.classifiers.landmarks import FittedLandmarks

        path = workspace.root / model.file
        kind: type[Fitted] = (
            FittedLandmarks if model.metrics.get("kind") == models.LANDMARKS else FittedClassifier
        )
        try:
            revision = kind.load(path, "cpu").revision
        except Exception as error:  # damaged files raise many kinds of error
            yield _problem(
                workspace, path, "is missing" if not path.is_file() else f"cannot be read: {error}"
            )
            continue
        if revision != model.revision:
            yield _problem(
                workspace, path, f"does not have the recorded weights of the classifier {model.name!r}"
            )


def _generators(workspace: Workspace) -> Iterator[Problem]:
    """Problems with fine-tuned generators, which must be complete and unchanged since their job ended."""
    for job in jobs.latest(workspace.db, kinds=(finetune.KIND,)):
        if job.state != "done" or "name" not in job.params:
            continue
        path = workspace.root / generator_names.FINETUNED / str(job.params["name"])
        try:
            revision = find_model(path).revision
        except UserError as error:
            yield _problem(workspace, path, f"cannot be read: {error}" if path.is_dir() else "is missing")
            continue
        if revision != job.result.get("revision", revision):  # releases before 0.3 recorded none
            yield _problem(workspace, path, f"has changed since job {job.id} trained it")


def _features(workspace: Workspace) -> Iterator[Problem]:
    for path in features.cut_short(workspace.db, workspace.features_folder):
        yield _problem(
            workspace, path, "is missing or truncated; recompute it with: synthaug score --recompute"
        )


def _problem(workspace: Workspace, path: Path, wrong: str, sha256: str | None = None) -> Problem:
    relative = path.relative_to(workspace.root)
    return Problem(f"{relative} {wrong}", relative, sha256)
