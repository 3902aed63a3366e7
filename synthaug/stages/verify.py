"""Check the integrity of a workspace: the database, every image's pixels against its address, every model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
    """What is wrong, in a line. ``path``: the file that is missing or damaged, relative to the workspace."""

    text: str
    path: Path | None = None
    sha256: str | None = None  # the address, where the file is an image of the database


@dataclass(frozen=True, slots=True)
class Verification:
    """How many images were checked, and what is wrong."""

    images: int
    found: tuple[Problem, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in words, a line each."""
        return tuple(each.text for each in self.found)


def verify(workspace: Workspace, progress: Progress | None = None) -> Verification:
    """Read everything; change nothing."""
    found = [*verify_database(workspace), *verify_models(workspace)]
    found += [*_guarded(_features, workspace), *_guarded(_strangers, workspace)]
    count = 0
    try:
        count = catalog.count_images(workspace.db)
        found += _images(workspace, progress)
    except UserError as error:
        found.append(Problem(str(error)))
    return Verification(count, tuple(dict.fromkeys(found)))


def verify_database(workspace: Workspace) -> list[Problem]:
    """What is wrong with the database and the label log."""
    return _guarded(_database, workspace) + _guarded(_label_log, workspace)


def verify_models(workspace: Workspace) -> list[Problem]:
    """What is wrong with the files of classifiers and generators."""
    return _guarded(_classifiers, workspace) + _guarded(_generators, workspace)


def _guarded(check: Callable[[Workspace], Iterator[Problem]], workspace: Workspace) -> list[Problem]:
    """What a check finds; a database that it cannot read is a finding as well."""
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
        review = workspace.images.review_path(image.sha256)
        if review.exists() and (wrong := _unreadable(review)) is not None:
            yield _problem(workspace, review, wrong, image.sha256)


def _image_fault(workspace: Workspace, sha256: str, size: tuple[int, int]) -> str | None:
    """What is wrong with a stored image of ``size`` (width, height)."""
    try:
        image = workspace.images.stored(sha256)
    except FileNotFoundError:
        return "is missing"
    except (ImageRejected, OSError) as error:
        return f"cannot be read: {error}"
    if pixel_hash(image) != sha256:
        return "holds other pixels than those that were stored"
    if (found := size_of(image)) != size:
        return f"is {found[0]} x {found[1]} pixels; the database says {size[0]} x {size[1]}"
    return None


def _unreadable(path: Path) -> str | None:
    try:
        decode(path.read_bytes())
    except (ImageRejected, OSError) as error:
        return f"cannot be read: {error}"
    return None


def _strangers(workspace: Workspace) -> Iterator[Problem]:
    """Images beside a database that knows none: more than a first import can leave when it is killed."""
    if catalog.count_images(workspace.db):
        return
    count = sum(1 for _ in workspace.images.addresses())
    if count > BATCH:
        yield Problem(f"images/ holds {count} images and the database names none: it is not theirs")


def _classifiers(workspace: Workspace) -> Iterator[Problem]:
    """Each classifier's file, read as a whole: the weights must be those that were recorded."""
    for model in models.all_models(workspace.db):
        from synthaug.classifiers.fitted import FittedClassifier

        path = workspace.root / model.file
        try:
            revision = FittedClassifier.load(path, "cpu").revision
        except Exception as error:  # what is read from damaged bytes raises almost anything
            yield _problem(
                workspace, path, "is missing" if not path.is_file() else f"cannot be read: {error}"
            )
            continue
        if revision != model.revision:
            yield _problem(
                workspace, path, f"holds other weights than those of the classifier {model.name!r}"
            )


def _generators(workspace: Workspace) -> Iterator[Problem]:
    """Each generator that was fine-tuned here, complete and as it was when its job ended."""
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
            yield _problem(workspace, path, f"is not the generator that job {job.id} made")


def _features(workspace: Workspace) -> Iterator[Problem]:
    for path in features.cut_short(workspace.db, workspace.features_folder):
        yield _problem(workspace, path, "is missing or cut short; synthaug score --recompute makes it again")


def _problem(workspace: Workspace, path: Path, wrong: str, sha256: str | None = None) -> Problem:
    relative = path.relative_to(workspace.root)
    return Problem(f"{relative} {wrong}", relative, sha256)
