"""Shards: whole or not there, and never what a marker does not say; folders on a disk or behind a URL."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.executors.base import Task, Work
from synthaug.executors.shards import ShardDamaged, Shards
from synthaug.storage import DiskFolder, Folder, UrlFolder, open_folder

TASK = Task("0007")
FILES = {"b.png": b"png", "a.json": b"{}"}


@pytest.fixture(params=["disk", "memory", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """One of each kind."""
    if request.param == "disk":
        return open_folder(tmp_path / "s")
    base = "memory:/" if request.param == "memory" else request.getfixturevalue("s3")
    return open_folder(f"{base}{tmp_path}/s")


def test_a_folder_holds_whole_files_by_name(folder: Folder) -> None:
    assert folder.names() == []
    folder.write("b", b"1")
    folder.write("a", b"2")
    folder.write("b", b"3")
    assert (folder.names(), folder.read("b")) == (["a", "b"], b"3")
    assert open_folder(folder.address).read("a") == b"2"
    folder.remove("a")
    folder.remove("a")
    with pytest.raises(FileNotFoundError):
        folder.read("a")
    folder.clear()
    assert folder.names() == []


def test_an_address_is_a_path_or_a_url(tmp_path: Path) -> None:
    assert isinstance(open_folder(tmp_path), DiskFolder)
    assert isinstance(open_folder(f"file://{tmp_path}"), DiskFolder)
    assert isinstance(open_folder("memory://x"), UrlFolder)
    with pytest.raises(
        UserError, match=r"gopher:// is not supported; give a folder, or a URL that fsspec supports"
    ):
        open_folder("gopher://x/y")


def test_a_finished_task_is_read_as_it_was_made(folder: Folder) -> None:
    shards = Shards(folder)
    assert not shards.has(TASK)
    shards.write(TASK, FILES)
    assert shards.has(TASK)
    assert shards.finished() == {"0007"}
    assert list(shards.read(TASK).items()) == list(FILES.items())
    shards.remove(TASK)
    assert folder.names() == []


def test_a_second_worker_that_made_the_same_changes_nothing(folder: Folder) -> None:
    shards = Shards(folder)
    shards.write(TASK, FILES)
    before = folder.names()
    shards.write(TASK, dict(FILES))
    assert folder.names() == before


def test_a_second_worker_that_made_something_else_leaves_a_whole_shard(folder: Folder) -> None:
    """On a GPU the last bit may differ: whichever marker stands, it names the tar that it was written for."""
    shards = Shards(folder)
    shards.write(TASK, FILES)
    marker = folder.read("0007.done")
    shards.write(TASK, {"b.png": b"other"})
    assert shards.read(TASK) == {"b.png": b"other"}
    folder.write("0007.done", marker)
    assert shards.read(TASK) == FILES


@pytest.mark.parametrize("harm", ["cut", "flip", "gone", "no marker", "half a marker"])
def test_damaged_shards_are_noticed(folder: Folder, harm: str) -> None:
    shards = Shards(folder)
    shards.write(TASK, FILES)
    (tar,) = [name for name in folder.names() if name.endswith(".tar")]
    data = folder.read(tar)
    if harm == "cut":
        folder.write(tar, data[:-512])
    elif harm == "flip":
        folder.write(tar, data[:600] + bytes([data[600] ^ 1]) + data[601:])
    elif harm == "gone":
        folder.remove(tar)
    elif harm == "no marker":
        folder.remove("0007.done")
    else:
        folder.write("0007.done", folder.read("0007.done")[:10])
    with pytest.raises(ShardDamaged):
        shards.read(TASK)
    shards.remove(TASK)
    assert not shards.has(TASK)


def test_another_program_can_read_a_shard(tmp_path: Path) -> None:
    Shards(open_folder(tmp_path)).write(TASK, FILES)
    (path,) = tmp_path.glob("*.tar")
    with tarfile.open(path) as archive:
        assert archive.getnames() == list(FILES)


def test_shards_of_other_work_are_not_taken_for_this_ones(folder: Folder) -> None:
    shards, work = Shards(folder), Work("m:C", {"seed": 1})
    shards.begin(work)
    shards.write(TASK, FILES)
    shards.begin(Work("m:C", {"seed": 1}))
    assert shards.has(TASK)
    assert shards.work() == work
    shards.begin(Work("m:C", {"seed": 2}))
    assert not shards.has(TASK)
