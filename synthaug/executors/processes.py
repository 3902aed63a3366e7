"""Workers as processes of this machine: JSON lines to their standard input and from their standard output."""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from synthaug.executors.base import ExecutorSpec, Part, ShouldCancel, Task, Work
from synthaug.executors.crew import Heard, run_with_crew
from synthaug.executors.shards import Shards
from synthaug.executors.worker import Said
from synthaug.storage import Folder

PIPE_BYTES = 1 << 20
"""Room for the tasks of a worker that does not read them, so that the head never waits for it."""


class ProcessExecutor:
    """As many processes as asked for; by default one a core."""

    def __init__(self, spec: ExecutorSpec, folder: Folder) -> None:
        self._workers = spec.workers or os.cpu_count() or 1
        self._shards = Shards(folder)

    def run(self, work: Work, tasks: Sequence[Task], should_cancel: ShouldCancel) -> Iterator[Part]:
        """See :class:`.base.Executor`."""
        return run_with_crew(partial(ProcessCrew, self._workers), self._shards, work, tasks, should_cancel)


@dataclass(slots=True)
class _Process:
    process: subprocess.Popen[bytes]
    rest: bytes = b""  # a line that has not ended yet
    numbers: dict[str, int] = field(default_factory=dict)  # of the tasks given to it, by key


class ProcessCrew:
    """Processes that end when the head does: they read the end of their input."""

    def __init__(self, size: int, address: str) -> None:
        self.size = size
        self._address = address
        self._processes: dict[int, _Process] = {}
        self._selector = selectors.DefaultSelector()

    def start(self, worker: int) -> None:
        command = [sys.executable, "-m", "synthaug.executors.worker_process", self._address]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603
        _make_room(_pipe(process.stdin))
        self._processes[worker] = _Process(process)
        self._selector.register(_pipe(process.stdout), selectors.EVENT_READ, worker)

    def give(self, worker: int, number: int, task: Task) -> None:
        it = self._processes[worker]
        it.numbers[task.key] = number
        line = json.dumps({"key": task.key, "payload": task.payload}).encode() + b"\n"
        with suppress(BrokenPipeError):  # it died; its output says so as well
            while line:
                line = line[os.write(_pipe(it.process.stdin), line) :]

    def listen(self, seconds: float) -> list[Heard]:
        heard: list[Heard] = []
        for key, _ in self._selector.select(seconds):
            heard += self._read(int(key.data))
        return heard

    def _read(self, worker: int) -> list[Heard]:
        it = self._processes[worker]
        data = os.read(_pipe(it.process.stdout), 1 << 16)
        if not data:
            self._selector.unregister(_pipe(it.process.stdout))
            code = it.process.wait()
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
            return [Heard(worker, None, None, f"worker process {it.process.pid} {how}")]
        *lines, it.rest = (it.rest + data).split(b"\n")
        return [self._heard(worker, line) for line in lines]

    def _heard(self, worker: int, line: bytes) -> Heard:
        answer = json.loads(line)
        key = answer.pop("key")
        number = None if key is None else self._processes[worker].numbers[key]
        return Heard(worker, number, Said(**answer))

    def stop(self, worker: int) -> None:
        it = self._processes.pop(worker, None)
        if it is None:
            return
        with suppress(KeyError):  # its end was read already
            self._selector.unregister(_pipe(it.process.stdout))
        it.process.kill()
        it.process.wait()
        for pipe in (it.process.stdin, it.process.stdout):
            if pipe is not None:
                pipe.close()

    def close(self) -> None:
        for worker in list(self._processes):
            self.stop(worker)
        self._selector.close()


def _pipe(file: IO[bytes] | None) -> int:
    """The handle of a pipe that was asked for."""
    assert file is not None  # noqa: S101 - Popen(..., PIPE)
    return file.fileno()


def _make_room(pipe: int) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
