"""Real processes that are killed, halted, and given a full disk: the job ends with exactly its files."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.executors import load_executor
from synthaug.executors.base import ExecutorSpec, Part, Work
from synthaug.executors.pool import run_with_pool
from synthaug.executors.processes import ProcessPool
from synthaug.executors.shards import Shards
from synthaug.storage import open_folder
from tests.executors.makers import attempts, expected, gathered, tasks_of, work_of

HEAD = """
import json, sys
from synthaug.executors import load_executor
from synthaug.executors.base import ExecutorSpec
from synthaug.storage import open_folder
from tests.executors.makers import tasks_of, work_of
from pathlib import Path
folder, diary, count = sys.argv[1:]
executor = load_executor(ExecutorSpec("processes", workers=2), open_folder(folder))
for part in executor.run(work_of(Path(diary), harm={"6": "head"}), tasks_of(int(count)), lambda: False):
    print(part.task.key, flush=True)
"""


def run(tmp_path: Path, work: Work, count: int, workers: int = 2) -> list[Part]:
    executor = load_executor(ExecutorSpec("processes", workers), open_folder(tmp_path / "shards"))
    return list(executor.run(work, tasks_of(count), lambda: False))


def test_killed_workers_are_replaced_and_their_tasks_done_again(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    parts = run(tmp_path, work_of(diary, harm={"0": "die", "3": "die", "4": "die", "9": "die"}), 10)
    assert gathered(parts) == expected(10)
    assert {each for each in range(10) if len(attempts(diary, each)) > 1} >= {0, 3, 4, 9}


def test_a_worker_that_hangs_is_overtaken(tmp_path: Path) -> None:
    """Halted by a signal it neither answers nor dies: what a frozen machine does."""
    diary = tmp_path / "diary"
    assert gathered(run(tmp_path, work_of(diary, harm={"2": "stop"}), 8)) == expected(8)
    halted, other = attempts(diary, 2)
    assert halted != other
    for pid in (halted, other):
        assert not Path(f"/proc/{pid}").exists()


def test_a_killed_head_takes_its_workers_along_and_its_shards_are_used(tmp_path: Path) -> None:
    diary, count = tmp_path / "diary", 12
    command = [sys.executable, "-c", HEAD, str(tmp_path / "shards"), str(diary), str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    for path in diary.glob("*.*.*"):
        _wait_for_the_end(int(path.name.split(".")[1]))
    kept = len(done.stdout.split())
    shards = Shards(open_folder(tmp_path / "shards"))
    finished = shards.finished()
    parts = run(tmp_path, work_of(diary, harm={"6": "head"}), count)  # the harm is done
    assert gathered(parts) == expected(count)
    assert all(len(attempts(diary, int(key))) == 1 for key in finished)
    assert kept < count


def _wait_for_the_end(pid: int) -> None:
    """Of a process that is nobody's child any more."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], 30)[0], f"process {pid} has outlived its head"
    os.close(handle)


def test_a_damaged_shard_is_made_again(tmp_path: Path) -> None:
    diary, shards = tmp_path / "diary", Shards(open_folder(tmp_path / "shards"))
    work = work_of(diary)
    shards.begin(work)
    for task, files in zip(tasks_of(3), expected(3), strict=True):
        shards.write(task, files)
    (tar,) = (tmp_path / "shards").glob("0001.*.tar")
    tar.write_bytes(tar.read_bytes()[:-700])
    assert gathered(run(tmp_path, work, 3)) == expected(3)
    assert [len(attempts(diary, each)) for each in range(3)] == [0, 1, 0]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk is for root")
def test_a_full_disk_of_one_worker_leaves_the_work_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    work = work_of(tmp_path / "diary", full=str(tmp_path / "shards"))
    assert gathered(run(tmp_path, work, 20)) == expected(20)
    assert (tmp_path / "diary" / "full").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a disk is for root")
def test_a_full_disk_of_every_worker_is_said(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    work = work_of(tmp_path / "diary", full=str(tmp_path / "shards"))
    with pytest.raises(UserError, match=r"no worker is left: .*disk is full.* resume the job"):
        run(tmp_path, work, 20, workers=1)


@pytest.mark.parametrize(
    ("harm", "said"), [("die", "was killed by signal 9"), ("break", "RuntimeError: a bug")]
)
def test_a_task_that_kills_every_worker_ends_the_job_with_the_reason(
    tmp_path: Path, harm: str, said: str
) -> None:
    work = work_of(tmp_path / "diary", harm={"1": harm}, always=True)
    with pytest.raises(UserError, match=rf"task 1 failed 5 times, the last time: .*{said}"):
        run(tmp_path, work, 3)


def test_a_folder_that_workers_cannot_read_is_named(tmp_path: Path) -> None:
    shards = Shards(open_folder(tmp_path / "here"))
    elsewhere = str(tmp_path / "elsewhere")
    work = work_of(tmp_path / "diary")
    with pytest.raises(
        UserError,
        match=rf"it finds no work.json of the job in {elsewhere}; with --shards give a URL, or a folder",
    ):
        list(run_with_pool(lambda _: ProcessPool(2, elsewhere), shards, work, tasks_of(3), lambda: False))


def test_workers_of_another_release_are_refused(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    work = Work("tests.executors.makers:Harmed", work_of(diary).params, version="0.0.1")
    with pytest.raises(
        UserError, match=r"it has synthaug .* and the main process 0\.0\.1; install the same release"
    ):
        run(tmp_path, work, 3)


def test_a_maker_that_cannot_begin_ends_the_job(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no worker is left: .*TypeError"):
        run(tmp_path, work_of(tmp_path / "diary", nonsense=1), 3)


def test_shards_in_an_object_store_survive_killed_workers(s3: str, tmp_path: Path) -> None:
    diary, folder = tmp_path / "diary", open_folder(f"{s3}/{tmp_path.name}")
    executor = load_executor(ExecutorSpec("processes", workers=2), folder)
    parts = executor.run(work_of(diary, harm={"1": "die"}), tasks_of(4), lambda: False)
    assert gathered(list(parts)) == expected(4)
    assert len(attempts(diary, 1)) > 1
    assert folder.names() == []
