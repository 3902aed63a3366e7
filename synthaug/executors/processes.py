"""Workers as processes on this machine, which exchange lines of JSON with the main process through pipes."""

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
from synthaug.executors.pool import Message, run_with_pool
from synthaug.executors.shards import Shards
from synthaug.executors.worker import Answer
from synthaug.storage import Folder

PIPE_BYTES = 1 << 20
"""Capacity of the pipe to a worker, so that the main process never waits for a worker that does not read."""


class ProcessExecutor:
    """Does tasks in as many processes as requested, by default one per core."""

    def __init__(self, spec: ExecutorSpec, folder: Folder) -> None:
        self._workers = spec.workers or os.cpu_count() or 1
        self._shards = Shards(folder)

    def run(self, work: Work, tasks: Sequence[Task], should_cancel: ShouldCancel) -> Iterator[Part]:
        """See :class:`.base.Executor`."""
        return run_with_pool(partial(ProcessPool, self._workers), self._shards, work, tasks, should_cancel)


@dataclass(slots=True)
class _Process:
    process: subprocess.Popen[bytes]
    rest: bytes = b""  # an incomplete line
    numbers: dict[str, int] = field(default_factory=dict)  # numbers of the tasks assigned to it, by key


class ProcessPool:
    """Processes that end with the main process, because their input then ends."""

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
        with suppress(BrokenPipeError):  # it died, which its output shows as well
            while line:
                line = line[os.write(_pipe(it.process.stdin), line) :]

    def listen(self, seconds: float) -> list[Message]:
        messages: list[Message] = []
        for key, _ in self._selector.select(seconds):
            messages += self._read(int(key.data))
        return messages

    def _read(self, worker: int) -> list[Message]:
        it = self._processes[worker]
        data = os.read(_pipe(it.process.stdout), 1 << 16)
        if not data:
            self._selector.unregister(_pipe(it.process.stdout))
            code = it.process.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            return [Message(worker, None, None, f"worker process {it.process.pid} {how}")]
        *lines, it.rest = (it.rest + data).split(b"\n")
        return [self._message(worker, line) for line in lines]

    def _message(self, worker: int, line: bytes) -> Message:
        answer = json.loads(line)
        key = answer.pop("key")
        number = None if key is None else self._processes[worker].numbers[key]
        return Message(worker, number, Answer(**answer))

    def stop(self, worker: int) -> None:
        it = self._processes.pop(worker, None)
        if it is None:
            return
        with suppress(KeyError):  # its end has already been read
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
    """The file descriptor of a pipe."""
    assert file is not None  # noqa: S101 (Popen was called with PIPE)
    return file.fileno()


def _make_room(pipe: int) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
