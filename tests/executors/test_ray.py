"""A real Ray cluster of several nodes on this machine: actors and nodes that are killed, and a head."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.executors import check_executor, load_executor
from synthaug.executors.base import ExecutorSpec, Part, Work
from synthaug.executors.shards import Shards
from synthaug.storage import open_folder
from tests.executors.makers import attempts, expected, gathered, tasks_of, work_of

pytestmark = pytest.mark.slow

ray = pytest.importorskip("ray")

HEAD = """
import os, sys
from pathlib import Path
from synthaug.executors import load_executor
from synthaug.executors.base import ExecutorSpec
from synthaug.storage import open_folder
from tests.executors.makers import tasks_of, work_of
address, folder, diary = sys.argv[1:]
executor = load_executor(ExecutorSpec("ray", workers=2, address=address), open_folder(folder))
work = work_of(Path(diary), harm={"4": "head"}, head=os.getpid())
list(executor.run(work, tasks_of(8), lambda: False))
"""


def run(address: str, tmp_path: Path, work: Work, count: int) -> list[Part]:
    executor = load_executor(ExecutorSpec("ray", address=address), open_folder(tmp_path / "shards"))
    return list(executor.run(work, tasks_of(count), lambda: False))


def test_killed_and_halted_actors_lose_nothing(ray_cluster: str, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    parts = run(ray_cluster, tmp_path, work_of(diary, harm={"1": "die", "4": "die", "6": "stop"}), 12)
    assert gathered(parts) == expected(12)
    assert all(len(attempts(diary, each)) > 1 for each in (1, 4, 6))
    assert len({pid for each in range(12) for pid in attempts(diary, each)}) >= 3
    assert not ray.is_initialized()


def test_a_killed_node_loses_nothing(ray_cluster: str, tmp_path: Path) -> None:
    """The actor kills its raylet, which is what Ray knows of a node, and goes down with it."""
    diary = tmp_path / "diary"
    assert gathered(run(ray_cluster, tmp_path, work_of(diary, harm={"3": "head"}), 8)) == expected(8)
    assert len(attempts(diary, 3)) == 2


def test_a_killed_head_goes_on_from_the_shards_that_are_there(ray_cluster: str, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    command = [sys.executable, "-c", HEAD, ray_cluster, str(tmp_path / "shards"), str(diary)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    shards = Shards(open_folder(tmp_path / "shards"))
    finished = shards.finished()
    assert gathered(run(ray_cluster, tmp_path, shards.work(), 8)) == expected(8)
    assert all(len(attempts(diary, int(key))) == 1 for key in finished)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "127.0.0.1:9",
            r"no Ray cluster answers at 127.0.0.1:9: .*refused.*; start one with: ray start --head",
        ),
        ("ray://127.0.0.1:10001", "is not the address of a Ray cluster; give HOST:PORT"),
        ("nonsense", "'nonsense' is not the address of a Ray cluster"),
    ],
)
def test_an_address_where_no_cluster_is_is_named_at_once(address: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        run(address, tmp_path, work_of(tmp_path / "diary"), 2)


def test_ray_needs_an_address_and_the_package_before_a_job_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match="needs --address: HOST:PORT of the head of the cluster, auto or local"
    ):
        check_executor(ExecutorSpec("ray"))
    monkeypatch.setattr(sys, "path", [])
    sys.path_importer_cache.clear()
    monkeypatch.delitem(sys.modules, "ray", raising=False)
    with pytest.raises(UserError, match=r"needs the package ray: pip install 'synthaug\[ray\]'"):
        check_executor(ExecutorSpec("ray", address="auto"))
