"""Backups: whole, incremental, never replaced by less; restored byte for byte; and what they mend."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import UserError, WorkspaceDamaged, WorkspaceError
from synthaug.files import file_sha256
from synthaug.records import LabelEntry
from synthaug.running.jobs import run_to_end
from synthaug.stages import generate
from synthaug.stages.backup import backup, restore
from synthaug.stages.backup_store import BackupStore
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.repair import repair
from synthaug.stages.verify import verify
from synthaug.store import catalog, label_log
from synthaug.workspace import Workspace
from tests.files import cut, flip_a_byte
from tests.stages.helpers import add_synthetic
from tests.stages.test_verify import first_image, make_sound, sql


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sound(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def workspace(sound: Path, tmp_path: Path) -> Workspace:
    return Workspace.open(Path(shutil.copytree(sound, tmp_path / "work")))


@pytest.fixture
def saved(workspace: Workspace, tmp_path: Path) -> Path:
    """Its backup."""
    backup(workspace, tmp_path / "saved")
    return tmp_path / "saved"


def contents(root: Path) -> dict[str, str]:
    """SHA-256 by path, of what a backup is to hold, but the database."""
    paths = [path for folder in ("images", "models") for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): file_sha256(path) for path in paths}


def dump(workspace: Workspace) -> list[str]:
    return list(workspace.db.connection.iterdump())


def test_a_restored_workspace_is_the_same(workspace: Workspace, saved: Path, tmp_path: Path) -> None:
    again = restore(saved, tmp_path / "again")
    assert contents(again.root) == contents(workspace.root)
    assert dump(again) == dump(workspace)
    assert verify(again).problems == ()


def test_the_manifest_says_the_hash_of_every_file(workspace: Workspace, saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    files = {name: each["sha256"] for name, each in manifest["files"].items()}
    assert files.pop("synthaug.db")
    assert files == contents(workspace.root)
    assert manifest["counts"] == {"images": 20, "labels": 20, "models": 1}
    for name, each in manifest["files"].items():
        path = saved / "objects" / each["sha256"][:2] / each["sha256"]
        assert (file_sha256(path), path.stat().st_size) == (each["sha256"], each["size"]), name


def test_again_into_the_same_folder_copies_what_is_new(
    workspace: Workspace, saved: Path, tmp_path: Path
) -> None:
    add_synthetic(workspace, 3, 0)
    assert backup(workspace, saved).copied == 4  # three images and the database
    again = restore(saved, tmp_path / "again")
    assert catalog.count_images(again.db) == 23
    assert verify(again).problems == ()
    objects = {path.name for path in (saved / "objects").glob("*/*")}
    assert objects == {each.sha256 for each in BackupStore(saved).manifest().files.values()}


def test_files_written_during_a_backup_are_complete_or_absent(workspace: Workspace, tmp_path: Path) -> None:
    """Each time the backup reports, another writes an image and a label."""
    made: list[int] = []

    def meanwhile(done: int, total: int, note: str) -> None:
        (image,) = add_synthetic(workspace, 1, 0, seed=len(made))
        label_log.append(workspace.db, [LabelEntry(image, "class", "ann", "human", f"meanwhile-{image}", 1)])
        made.append(image)

    backup(workspace, tmp_path / "saved", meanwhile)
    again = restore(tmp_path / "saved", tmp_path / "again")
    assert made
    assert verify(again).problems == ()
    assert catalog.count_images(again.db) == 20


def test_a_damaged_file_stays_as_the_earlier_backup_has_it(
    workspace: Workspace, saved: Path, tmp_path: Path
) -> None:
    before = contents(workspace.root)
    cut(first_image(workspace.root), 10)
    flip_a_byte(workspace.root / "models" / "m.safetensors")
    assert len(backup(workspace, saved).problems) == 1  # the image is not read again; verify does
    assert contents(restore(saved, tmp_path / "again").root) == before


def test_a_damaged_image_is_not_taken_for_sound(workspace: Workspace, tmp_path: Path) -> None:
    path = first_image(workspace.root)
    cut(path, 10)
    (said,) = backup(workspace, tmp_path / "saved").problems
    assert said.startswith(f"{path.relative_to(workspace.root)} cannot be read")


def test_a_backup_is_not_replaced_by_less_or_by_another_workspace(
    workspace: Workspace, sound: Path, saved: Path, tmp_path: Path
) -> None:
    add_synthetic(workspace, 1, 0)
    backup(workspace, saved)
    with pytest.raises(WorkspaceError, match=r"20 images, but its backup in .* has 21"):
        backup(Workspace.open(sound), saved)
    with pytest.raises(WorkspaceError, match="the backup of another workspace"):
        backup(Workspace.create(tmp_path / "other", ["a"]), saved)
    assert catalog.count_images(restore(saved, tmp_path / "again").db) == 21


def test_a_damaged_database_is_not_backed_up(workspace: Workspace, saved: Path, tmp_path: Path) -> None:
    sql(workspace.root, "DROP TRIGGER labels_are_never_deleted", "DELETE FROM labels WHERE id = 20")
    with pytest.raises(WorkspaceDamaged, match="label log"):
        backup(workspace, saved)
    assert verify(restore(saved, tmp_path / "again")).problems == ()


@pytest.mark.parametrize("where", ["work", "work/models", "taken"])
def test_a_folder_that_is_none_of_its_own_is_refused(
    workspace: Workspace, tmp_path: Path, where: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").touch()
    with pytest.raises(WorkspaceError, match=r"is inside the workspace|does not belong to a backup"):
        backup(workspace, tmp_path / where)


def test_restoring_checks_every_file_and_leaves_nothing(saved: Path, tmp_path: Path) -> None:
    files = BackupStore(saved).manifest().files
    names = sorted(files)[:2]
    flip_a_byte(BackupStore(saved).path(files[names[0]]))
    BackupStore(saved).path(files[names[1]]).unlink()
    with pytest.raises(WorkspaceDamaged) as caught:
        restore(saved, tmp_path / "again")
    assert len(caught.value.problems) == 2
    assert not list(tmp_path.glob("*again*"))


def test_restoring_overwrites_nothing(workspace: Workspace, saved: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"cannot restore to .* not empty"):
        restore(saved, workspace.root)


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/../../evil", ""])
def test_a_manifest_writes_nowhere_else(saved: Path, tmp_path: Path, name: str) -> None:
    path = saved / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][name] = manifest["files"].pop("synthaug.db")
    path.write_text(json.dumps(manifest))
    with pytest.raises(WorkspaceError, match="is outside of the workspace"):
        restore(saved, tmp_path / "again")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1}', '{"version": 2}', '{"version": 1, "files": 3}']
)
def test_a_file_that_is_not_a_manifest_is_refused(saved: Path, tmp_path: Path, text: str) -> None:
    (saved / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"manifest.json is damaged or not the manifest of a backup"):
        restore(saved, tmp_path / "again")


def test_repair_fetches_what_is_damaged_and_leaves_the_rest(workspace: Workspace, saved: Path) -> None:
    before = contents(workspace.root)
    sound_files = {path: path.stat().st_ino for path in workspace.root.rglob("*.json")}
    first_image(workspace.root).unlink()
    cut(sorted((workspace.root / "images").rglob("*.png"))[5], 20)
    flip_a_byte(workspace.root / "models" / "m.safetensors")
    shutil.rmtree(workspace.root / "models" / "finetuned" / "g" / "unet")
    done = repair(workspace, saved)
    assert len(done.repaired) == 4
    assert done.after.problems == ()
    assert contents(workspace.root) == before
    assert {path: path.stat().st_ino for path in sound_files if "images" in path.parts} == {}


def test_repair_says_what_it_could_not(workspace: Workspace) -> None:
    path = first_image(workspace.root)
    path.unlink()
    done = repair(workspace)
    assert done.repaired == ()
    assert done.after.problems == (f"{path.relative_to(workspace.root)} is missing",)


def test_a_backup_of_another_workspace_mends_nothing(workspace: Workspace, tmp_path: Path) -> None:
    backup(Workspace.create(tmp_path / "other", ["a"]), tmp_path / "others")
    with pytest.raises(WorkspaceError, match="another workspace"):
        repair(workspace, tmp_path / "others")


def test_a_lost_synthetic_image_is_drawn_again(workspace: Workspace) -> None:
    spec = GenerationSpec(
        "a <SIZE> digit", "a", 5, generator="digits", steps=1, slots={"SIZE": ["big", "small"]}
    )
    job = run_to_end(workspace, generate.submit(workspace, spec), HANDLERS)
    assert job.state == "done", job.error
    made = [
        workspace.images.path(each.sha256) for each in catalog.find_images(workspace.db, origin="synthetic")
    ]
    before = {path: path.read_bytes() for path in made}
    made[1].unlink()
    cut(made[3], 30)
    done = repair(workspace)
    assert len(done.repaired) == 2
    assert done.after.problems == ()
    assert {path: path.read_bytes() for path in made} == before


def test_an_image_that_would_come_out_otherwise_stays_lost(workspace: Workspace) -> None:
    """Made by something else than the job says: the hash decides, and nothing false is put in its place."""
    spec = GenerationSpec("a digit", "a", 1, generator="digits", steps=1)
    run_to_end(workspace, generate.submit(workspace, spec), HANDLERS)
    (image,) = catalog.find_images(workspace.db, origin="synthetic")
    other = workspace.images.put(np.zeros((image.height, image.width, 3), np.uint8), {})
    with workspace.db.transaction() as connection:
        connection.execute("UPDATE images SET sha256 = ? WHERE id = ?", [other, image.id])
    workspace.images.flush()
    workspace.images.path(other).unlink()
    done = repair(workspace)
    assert "the pixels differ" in done.failed[0]
    assert len(done.after.problems) == 1
