"""Doing one task after another in this process, without shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthaug.errors import Cancelled
from synthaug.executors.base import ExecutorSpec, Part, ShouldCancel, Task, Work, load_maker
from synthaug.storage import Folder


class SerialExecutor:
    """Returns each piece of a task as soon as it is made."""

    def __init__(self, spec: ExecutorSpec, folder: Folder) -> None:
        pass

    def run(self, work: Work, tasks: Sequence[Task], should_cancel: ShouldCancel) -> Iterator[Part]:
        """See :class:`.base.Executor`."""
        if not tasks:
            return
        maker = load_maker(work)
        for task in tasks:
            if should_cancel():
                raise Cancelled("the job was stopped on request")
            for files in maker.make(task.payload, should_cancel):
                yield Part(task, files, last=False)
            yield Part(task, {}, last=True)
