"""Generation by several processes or a Ray cluster: the images, rows and ids of the serial run, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.records import Job
from synthaug.running.jobs import run_to_end
from synthaug.stages import generate
from synthaug.stages.generation_plan import PromptOrder
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.verify import verify
from synthaug.store import jobs
from synthaug.templates import Template
from synthaug.workspace import Workspace
from tests.files import copy_workspace

pytestmark = pytest.mark.slow

PROCESSES = ExecutorSpec("processes", workers=1, shard_size=8)
DISTORTED = GenerationSpec("x", "8", 40, generator="augmentation", start="image", seed=5)


def finish(workspace: Workspace, spec: GenerationSpec, executor: ExecutorSpec | None = None) -> Job:
    job = run_to_end(workspace, generate.submit(workspace, spec, executor), HANDLERS)
    assert job.state == "done", job.error
    assert not list((workspace.root / "shards").glob("*"))
    return job


def rows(workspace: Workspace, job: int) -> list[tuple[Any, ...]]:
    """Everything that a job wrote, but for times and its own number."""
    found = workspace.db.query(
        "SELECT position, image_id, sha256, width, height, class_position, prompt, prompt_index, slots, seed,"
        " generator, revision, details FROM generations"
        " JOIN images ON images.id = image_id WHERE job_id = ? ORDER BY position",
        [job],
    )
    return [tuple(row) for row in found]


@pytest.fixture(scope="module")
def serial(digits_template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What one process makes of DISTORTED, in a workspace of its own."""
    root = copy_workspace(digits_template, tmp_path_factory.mktemp("serial") / "w")
    workspace = Workspace.open(Path(root))
    return rows(workspace, finish(workspace, DISTORTED).id)


@pytest.mark.long
def test_another_process_draws_with_the_embedded_model_what_this_one_draws(tmp_path: Path) -> None:
    spec = GenerationSpec("a {fluffy|black} cat", "cat", 2, generator="embedded", steps=1, seed=1)
    alone, together = (Workspace.create(tmp_path / name, (), "cifar10") for name in ("alone", "together"))
    mine = finish(alone, spec)
    executor = ExecutorSpec("processes", workers=1, shard_size=1, shards=str(tmp_path / "shared"))
    job = finish(together, spec, executor)
    assert rows(together, job.id) == rows(alone, mine.id)
    assert job.result["generated"] == 2
    assert verify(together).problems == ()
    assert not list((tmp_path / "shared").iterdir())


@pytest.mark.long
def test_a_ray_cluster_makes_what_one_process_makes(
    digits: Workspace, serial: list[tuple[Any, ...]], ray_cluster: str
) -> None:
    job = finish(digits, DISTORTED, ExecutorSpec("ray", address=ray_cluster, shard_size=8))
    assert rows(digits, job.id) == serial


@pytest.mark.long
def test_killed_with_all_its_workers_a_job_goes_on_to_the_same_images(
    digits: Workspace, serial: list[tuple[Any, ...]]
) -> None:
    job = generate.submit(digits, DISTORTED, PROCESSES)
    resume = [sys.executable, "-c", "from synthaug.cli import main; main()", "jobs", "--resume", str(job)]
    environment = {**os.environ, "SYNTHAUG_WORKSPACE": str(digits.root)}
    head = subprocess.Popen(resume, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not rows(digits, job):
        assert head.poll() is None, head.communicate()
    head.send_signal(signal.SIGKILL)
    head.wait()
    assert jobs.get(digits.db, job).state == "running"  # nobody was left to say otherwise
    before = len(rows(digits, job))
    assert run_to_end(digits, job, HANDLERS).state == "done"
    assert rows(digits, job) == serial
    assert jobs.get(digits.db, job).result["skipped"] == before
    assert verify(digits).problems == ()


def test_a_range_that_is_partly_there_is_filled_up(digits: Workspace, serial: list[tuple[Any, ...]]) -> None:
    """A job that one process began and several finish, in ranges of another size."""
    job = generate.submit(digits, DISTORTED)
    params = GenerationParams.from_json(jobs.get(digits.db, job).params)
    part = next(iter(generate._tasks(digits, job, params)))
    assert part.payload["stop"] == 40
    whole = finish(digits, DISTORTED)
    with digits.db.transaction() as connection:
        connection.execute("DELETE FROM generations WHERE job_id = ? AND position % 3 = 1", [whole.id])
        connection.execute("UPDATE jobs SET state = 'failed' WHERE id = ?", [whole.id])
    several = GenerationParams.from_json({**params.to_json(), "executor": PROCESSES.to_json()})
    tasks = list(generate._tasks(digits, whole.id, several))
    assert tasks[0].payload["without"] == [0, 2, 3, 5, 6]
    jobs.requeue(digits.db, whole.id)
    again = run_to_end(digits, whole.id, HANDLERS)
    assert (again.state, again.result["generated"], again.result["skipped"]) == ("done", 13, 27)
    assert [row[2] for row in rows(digits, whole.id)] == [row[2] for row in serial]


def test_the_executor_is_kept_with_the_job_and_absent_from_a_serial_one(workspace: Workspace) -> None:
    spec = GenerationSpec("an eight", "8", 3, generator="digits")
    alone, together = (generate.submit(workspace, spec, each) for each in (None, PROCESSES))
    assert "executor" not in jobs.get(workspace.db, alone).params
    kept = GenerationParams.from_json(jobs.get(workspace.db, together).params)
    assert kept.executor == PROCESSES
    with pytest.raises(UserError, match="no executor called 'dask'"):
        generate.submit(workspace, spec, ExecutorSpec("dask"))


def test_prompts_of_a_range_are_those_of_the_whole_order() -> None:
    template = Template.parse("{a|b|c|d|e} {x|y}")
    for stratify in (None, "choice1"):
        whole = PromptOrder(template, 33, 7, "keep", stratify).between(0, 33)
        assert [each.text for each in whole[:10]] != [each.text for each in whole[10:20]]
        order = PromptOrder(template, 33, 7, "keep", stratify)
        for first, stop in ((8, 13), (29, 33), (0, 25), (5, 6), (6, 6)):
            assert order.between(first, stop) == whole[first:stop]
