"""``python -m synthaug.executors.worker_process FOLDER``: a worker that the head talks to through pipes.

A line in: {"key", "payload"} of a task. A line out: {"key", "outcome", "text"}; the first, without a key, says that it
is ready. It ends at once when its input ends, whatever it is at: then the head is gone.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import BinaryIO

from synthaug.executors.base import Task
from synthaug.executors.worker import Said, Worker


def main() -> None:
    """Answer until the head is gone."""
    answers = _only_for_answers()
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    worker = Worker(sys.argv[1])
    _say(answers, None, worker.open())
    while True:
        task = tasks.get()
        _say(answers, task.key, worker.do(task))


def _only_for_answers() -> BinaryIO:
    """Standard output for answers alone; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _read(lines: BinaryIO, tasks: queue.SimpleQueue[Task]) -> None:
    for line in lines:
        tasks.put(Task(**json.loads(line)))
    os._exit(0)


def _say(answers: BinaryIO, key: str | None, said: Said) -> None:
    answers.write(json.dumps({"key": key, **said.to_json()}).encode() + b"\n")


if __name__ == "__main__":
    main()
