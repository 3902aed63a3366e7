"""Repairing damaged files from a backup, or by generating a synthetic image again, if the hashes match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthaug.errors import UserError, WorkspaceDamaged, WorkspaceError
from synthaug.images import pixel_hash
from synthaug.progress import Progress
from synthaug.stages.backup_store import BackupManifest, BackupStore, copy_checked
from synthaug.stages.drawing import Drawer
from synthaug.stages.generate import sources
from synthaug.stages.generation_plan import job_prompts
from synthaug.stages.generation_spec import GenerationParams
from synthaug.stages.generator_names import locate
from synthaug.stages.verify import Problem, Verification, verify
from synthaug.store import catalog, generations, jobs
from synthaug.store.checks import made_at
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Repair:
    """The outcome of a repair."""

    repaired: tuple[str, ...]  # problems that were solved
    failed: tuple[str, ...]  # attempts that failed, with the reason
    leftovers: int  # number of half-written files of killed processes that were removed
    after: Verification  # the state after the repair


def repair(workspace: Workspace, backup: Path | None = None, progress: Progress | None = None) -> Repair:
    """Repair damaged and missing files. Intact files and the database are not changed.

    Raises WorkspaceError for the backup of another workspace, and WorkspaceInUse while the app is open.
    """
    store = None if backup is None else BackupStore(backup)
    manifest = None if store is None else _manifest_for(workspace, store)
    with workspace.lock("verify --repair"):
        leftovers = len(workspace.remove_leftovers())
        before = after = verify(workspace, progress)
        failed: list[str] = []
        if store is not None and manifest is not None:
            failed += _fetch(workspace, store, manifest, before.found)
            after = verify(workspace, progress)
        if workspace.images.url and _upload_again(workspace, after.found):
            after = verify(workspace, progress)
        failed += _generate_again(workspace, [each for each in after.found if each.sha256 is not None])
        workspace.images.flush()
        after = verify(workspace, progress)
    wrong = set(after.problems)
    repaired = tuple(text for text in before.problems if text not in wrong)
    return Repair(repaired, tuple(failed), leftovers, after)


def _manifest_for(workspace: Workspace, store: BackupStore) -> BackupManifest:
    manifest = store.manifest()
    if manifest.workspace != made_at(workspace.db):
        raise WorkspaceError(f"{store.root} is the backup of another workspace")
    return manifest


def _fetch(
    workspace: Workspace, store: BackupStore, manifest: BackupManifest, problems: Sequence[Problem]
) -> list[str]:
    """Copy damaged files from a backup; returns one line for each failure."""
    failed = []
    for problem in problems:
        for name, file in (manifest.below(problem.path) if problem.path is not None else {}).items():
            try:
                copy_checked(store.path(file), workspace.root / name, file, durable=True)
            except (FileNotFoundError, WorkspaceDamaged) as error:
                failed.append(f"{name} cannot be restored from the backup: {error}")
    return failed


def _upload_again(workspace: Workspace, problems: Sequence[Problem]) -> int:
    """Upload the images whose copies in the cache are intact; returns how many there were."""
    hashes = {each.sha256 for each in problems if each.sha256 is not None}
    return sum(workspace.images.restore_from_cache(sha256) for sha256 in sorted(hashes))


def _generate_again(workspace: Workspace, problems: Sequence[Problem]) -> list[str]:
    """Generate damaged synthetic images again, job by job; returns one line for each failure."""
    images = {each.sha256: each.id for each in catalog.find_images(workspace.db, origin="synthetic")}
    lost = [images[each.sha256] for each in problems if each.sha256 in images]
    by_job: dict[int, list[tuple[str, Generation]]] = {}
    addresses = {each: sha256 for sha256, each in images.items()}
    for image_id, generation in generations.of_images(workspace.db, lost).items():
        by_job.setdefault(generation.job_id, []).append((addresses[image_id], generation))
    failed = []
    for job_id, wanted in by_job.items():
        try:
            failed += _generate_job(workspace, job_id, wanted)
        except WorkspaceError:  # a full disk, which ends the repair
            raise
        except UserError as error:
            failed.append(f"{len(wanted)} images of job {job_id} cannot be generated again: {error}")
    return failed


def _generate_job(workspace: Workspace, job_id: int, wanted: Sequence[tuple[str, Generation]]) -> list[str]:
    params = GenerationParams.from_json(jobs.get(workspace.db, job_id).params)
    drawer = Drawer(params.to_json(), workspace.images.place, generator=locate(workspace, params.generator))
    prompts = job_prompts(params)
    failed = []
    for sha256, generation in sorted(wanted, key=lambda each: each[1].position):
        name = workspace.images.path(sha256).relative_to(workspace.root)
        if generation.revision != drawer.generator.revision:
            failed.append(
                f"{name} cannot be generated again: {generation.generator} has changed since it was generated"
            )
            continue
        position = generation.position
        (prompt,) = prompts.between(position, position + 1)
        (drawn,) = drawer.draw({position: prompt}, sources(workspace, params, [position]))
        if pixel_hash(drawn.image.pixels) != sha256:
            failed.append(
                f"{name} cannot be generated again: the pixels differ on this hardware or with this release"
            )
            continue
        workspace.images.put(drawn.image.pixels, drawer.text(drawn), drawn.image.review)
    return failed
