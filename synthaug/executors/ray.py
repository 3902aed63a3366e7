"""Workers as actors of a Ray cluster, one per device.

Ray starts and monitors them, and transports only the key and the payload of each task. Workers write images directly to
the folder of the job.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec, Part, ShouldCancel, Task, Work
from synthaug.executors.pool import Message, run_with_pool
from synthaug.executors.shards import Shards
from synthaug.executors.worker import Answer, Worker
from synthaug.storage import Folder

CONNECT_SECONDS = 5.0
ADDRESSES = "HOST:PORT of the head of the cluster (the default port is 6379), auto or local"


class RayExecutor:
    """Does tasks in as many actors as requested; by default one per GPU of the cluster, or one per CPU without GPUs."""

    def __init__(self, spec: ExecutorSpec, folder: Folder) -> None:
        self._spec = spec
        self._shards = Shards(folder)

    def run(self, work: Work, tasks: Sequence[Task], should_cancel: ShouldCancel) -> Iterator[Part]:
        """See :class:`.base.Executor`."""
        return run_with_pool(partial(RayPool, self._spec), self._shards, work, tasks, should_cancel)


class RayPool:
    """Actors that Ray does not restart, because the main process decides about the task of a dead actor."""

    def __init__(self, spec: ExecutorSpec, address: str) -> None:
        import ray

        self._ray: Any = ray
        self._folder = address
        self._ours = _connect(self._ray, spec.address)
        resources = self._ray.cluster_resources()
        gpus, cpus = int(resources.get("GPU", 0)), float(resources.get("CPU", 0))
        self.size = spec.workers or gpus or max(1, int(cpus))
        share = min(1.0, (gpus or cpus) / self.size)
        self._options = {"num_gpus": share, "num_cpus": 0} if gpus else {"num_cpus": share}
        self._actor = self._ray.remote(max_restarts=0, max_task_retries=0)(Worker)
        self._actors: dict[int, Any] = {}
        self._answers: dict[Any, tuple[int, int | None]] = {}

    def start(self, worker: int) -> None:
        actor = self._actor.options(**self._options, scheduling_strategy="SPREAD").remote(self._folder)
        self._actors[worker] = actor
        self._answers[actor.open.remote()] = (worker, None)

    def give(self, worker: int, number: int, task: Task) -> None:
        self._answers[self._actors[worker].do.remote(task)] = (worker, number)

    def listen(self, seconds: float) -> list[Message]:
        waiting = list(self._answers)
        if not waiting:
            return []
        ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=seconds or 0.001)
        if not ready and seconds:
            ready, _ = self._ray.wait(waiting, num_returns=1, timeout=seconds)
        return [self._message(reference) for reference in ready if reference in self._answers]

    def _message(self, reference: Any) -> Message:
        worker, task = self._answers.pop(reference)
        try:
            answer: Answer = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._forget(worker)
            return Message(worker, None, None, f"Ray lost a worker: {_first_line(error)}")
        return Message(worker, task, answer)

    def _forget(self, worker: int) -> None:
        """Ignore all further answers of a worker."""
        self._answers = {key: value for key, value in self._answers.items() if value[0] != worker}

    def stop(self, worker: int) -> None:
        self._forget(worker)
        actor = self._actors.pop(worker, None)
        if actor is not None:
            self._ray.kill(actor, no_restart=True)

    def close(self) -> None:
        for worker in list(self._actors):
            self.stop(worker)
        if self._ours:
            self._ray.shutdown()


def _connect(ray: Any, address: str) -> bool:
    """Connect to a cluster, unless this process is connected; returns whether it did. Raises UserError."""
    if ray.is_initialized():
        return False
    if address not in ("auto", "local"):
        _check_address(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # send no usage statistics
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="error",
            **({"include_dashboard": False} if address == "local" else {}),
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"no Ray cluster answers at {address!r}: {_first_line(error)}; give {ADDRESSES}"
        ) from error
    return True


def _check_address(address: str) -> None:
    """Raises UserError at once for an address at which Ray would fail after a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise UserError(f"{address!r} is not the address of a Ray cluster; give {ADDRESSES}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"no Ray cluster answers at {address}: {error}; start one with: ray start --head"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
