"""``python -m synthaug.executors.worker_process FOLDER``: a worker that communicates through pipes.

Each input line is a task, {"key", "payload"}. Each output line is an answer, {"key", "outcome", "text"}; the first one
has no key and reports that the worker is ready. The worker exits as soon as its input ends, since the main process has
then ended.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import BinaryIO

from synthaug.executors.base import Task
from synthaug.executors.worker import Answer, Worker


def main() -> None:
    """Do tasks until the main process has ended."""
    answers = _only_for_answers()
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    worker = Worker(sys.argv[1])
    _say(answers, None, worker.open())
    while True:
        task = tasks.get()
        _say(answers, task.key, worker.do(task))


def _only_for_answers() -> BinaryIO:
    """The standard output, reserved for answers; output of libraries goes to standard error instead."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _read(lines: BinaryIO, tasks: queue.SimpleQueue[Task]) -> None:
    for line in lines:
        tasks.put(Task(**json.loads(line)))
    os._exit(0)


def _say(answers: BinaryIO, key: str | None, answer: Answer) -> None:
    answers.write(json.dumps({"key": key, **answer.to_json()}).encode() + b"\n")


if __name__ == "__main__":
    main()
