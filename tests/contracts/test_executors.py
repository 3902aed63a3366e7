"""What every executor promises: all files, in order, once; a stop, a refusal and a restart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthaug.errors import Cancelled, UnknownName, UserError
from synthaug.executors import EXECUTORS, check_executor, job_folder, load_executor
from synthaug.executors.base import Executor, ExecutorSpec
from synthaug.storage import open_folder
from tests.executors.makers import attempts, expected, gathered, tasks_of, work_of

SPECS = {"serial": ExecutorSpec(), "processes": ExecutorSpec("processes", workers=2)}


@pytest.fixture(params=[*SPECS, pytest.param("ray", marks=pytest.mark.slow)])
def spec(request: pytest.FixtureRequest) -> ExecutorSpec:
    """One of each."""
    if request.param in SPECS:
        return SPECS[request.param]
    return ExecutorSpec("ray", workers=2, address=request.getfixturevalue("ray_cluster"))


def test_every_executor_keeps_this_contract() -> None:
    assert {*SPECS, "ray"} == set(EXECUTORS)


@pytest.fixture
def executor(spec: ExecutorSpec, tmp_path: Path) -> Executor:
    return load_executor(spec, open_folder(tmp_path / "shards"))


def test_all_files_come_in_the_order_of_the_tasks(executor: Executor, tmp_path: Path) -> None:
    parts = list(executor.run(work_of(tmp_path / "diary"), tasks_of(9), lambda: False))
    assert gathered(parts) == expected(9)
    assert {len(attempts(tmp_path / "diary", each)) for each in range(9)} <= {1, 2}  # 2: what seemed to hang
    assert not (tmp_path / "shards").exists()


def test_without_tasks_no_maker_is_loaded(executor: Executor, tmp_path: Path) -> None:
    assert list(executor.run(work_of(tmp_path / "diary", harm={}), [], lambda: False)) == []


def test_a_stop_is_heard(executor: Executor, tmp_path: Path) -> None:
    parts = executor.run(work_of(tmp_path / "diary"), tasks_of(50), lambda: bool(list(tmp_path.glob("stop"))))
    next(parts)
    (tmp_path / "stop").touch()
    with pytest.raises(Cancelled):
        list(parts)


def test_a_mistake_of_the_user_is_reported_at_once(executor: Executor, tmp_path: Path) -> None:
    work = work_of(tmp_path / "diary", harm={"2": "refuse"})
    with pytest.raises(UserError, match="not to my liking"):
        list(executor.run(work, tasks_of(4), lambda: False))
    assert len(attempts(tmp_path / "diary", 2)) == 1


def test_another_run_does_only_the_remaining_tasks(executor: Executor, tmp_path: Path) -> None:
    work = work_of(tmp_path / "diary")
    begun = executor.run(work, tasks_of(6), lambda: False)
    first = [part for part in [next(begun), next(begun), next(begun), next(begun)] if part.last]
    begun.close()  # type: ignore[attr-defined]
    kept = len(first)
    rest = list(executor.run(work, tasks_of(6)[kept:], lambda: False))
    assert gathered(rest) == expected(6)[kept:]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ExecutorSpec("dask"), "there is no executor called 'dask'; available: 'processes', 'ray', 'serial'"),
        (ExecutorSpec("processes", workers=0), "number of workers is 0; it must be at least 1"),
        (ExecutorSpec("processes", shard_size=-1), "number of images per shard is -1"),
        (ExecutorSpec(workers=3), "the executor 'serial' has one worker, not 3"),
        (ExecutorSpec("processes", address="auto"), "the address 'auto' is that of a Ray cluster"),
        (ExecutorSpec("processes", shards="gopher://x/y"), "gopher:// is not supported"),
    ],
)
def test_an_impossible_specification_is_refused_before_anything_runs(
    spec: ExecutorSpec, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        check_executor(spec)


def test_an_unknown_executor_is_an_unknown_name() -> None:
    with pytest.raises(UnknownName):
        check_executor(ExecutorSpec("dask"))


def test_every_job_has_a_folder_of_its_own(tmp_path: Path) -> None:
    shared = ExecutorSpec("processes", shards=str(tmp_path / "shared"))
    places = {
        job_folder(spec, tmp_path / work, name, time).address
        for spec in (ExecutorSpec(), shared)
        for work in ("w", "x")
        for name in ("job-1", "job-2")
        for time in ("then",)
    }
    assert len(places) == 8
    assert (
        job_folder(shared, tmp_path, "j", "now").address != job_folder(shared, tmp_path, "j", "then").address
    )


def test_ray_is_imported_by_nobody_who_does_not_use_it() -> None:
    program = (
        "import sys, pkgutil, importlib, synthaug\n"
        "import synthaug.cli, synthaug.api.session, synthaug.stages.generate, synthaug.executors\n"
        "from synthaug.executors import EXECUTORS\n"
        "for each in EXECUTORS.values(): importlib.import_module(each.partition(':')[0])\n"
        "assert 'ray' not in sys.modules, 'ray'\n"
        "assert 'fsspec' not in sys.modules or 'torch' in sys.modules, 'fsspec'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
