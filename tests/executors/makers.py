"""A maker for tests: cheap files that follow from the payload, and harm done to its process where that is asked for."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthaug.errors import UserError
from synthaug.executors.base import Task, Work

CLONE_NEWNS = 0x00020000


class Harmed:
    """Makes two files a number. ``diary``: a folder where every attempt leaves a file NUMBER.PID.ANYTHING.

    ``harm``: number -> what happens at the first attempt of it (``always``: at each), between its two files: "die"
    kills this process and "stop" halts it, "head" kills the process ``head`` (0: its parent), "refuse" and "break"
    raise. ``full``: a folder, in whose place the first process that comes here sees a full disk.
    """

    def __init__(
        self,
        diary: str,
        harm: Mapping[str, str] | None = None,
        head: int = 0,
        full: str = "",
        always: bool = False,
    ) -> None:
        self._diary = Path(diary)
        self._harm = harm or {}
        self._head = head
        self._always = always
        if full:
            _fill_for_one(self._diary, full)

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[dict[str, bytes]]:
        number = payload["number"]
        first = not attempts(self._diary, number)
        (self._diary / f"{number}.{os.getpid()}.{uuid.uuid4().hex}").touch()
        yield {f"{number}.a": hashlib.sha256(f"{number}".encode()).digest()}
        if first or self._always:
            self._do_harm(self._harm.get(str(number), ""))
        yield {f"{number}.b": bytes(number)}

    def _do_harm(self, what: str) -> None:
        if what in ("die", "stop"):
            os.kill(os.getpid(), signal.SIGKILL if what == "die" else signal.SIGSTOP)
        if what == "head":
            os.kill(self._head or os.getppid(), signal.SIGKILL)
            signal.pause()  # whoever started this process ends it
        if what == "refuse":
            raise UserError("the number is not to my liking; ask for another")
        if what == "break":
            raise RuntimeError("a bug")


def _fill_for_one(diary: Path, folder: str) -> None:
    """For the first process that comes here, a full disk in the place of ``folder``: its own, nobody else sees it."""
    try:
        (diary / "full").touch(exist_ok=False)
    except FileExistsError:
        return
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], check=True)
    (Path(folder) / "ballast").write_bytes(bytes(4096))


def attempts(diary: Path, number: int) -> list[str]:
    """Which processes began a number, each as often as it did."""
    return [path.name.split(".")[1] for path in diary.glob(f"{number}.*")]


def tasks_of(count: int) -> list[Task]:
    return [Task(f"{number:04d}", {"number": number}) for number in range(count)]


def work_of(diary: Path, **params: Any) -> Work:
    diary.mkdir(exist_ok=True)
    return Work("tests.executors.makers:Harmed", {"diary": str(diary), **params})


def expected(count: int) -> list[dict[str, bytes]]:
    """What comes of the first tasks."""
    return [
        {f"{each}.a": hashlib.sha256(f"{each}".encode()).digest(), f"{each}.b": bytes(each)}
        for each in range(count)
    ]


def gathered(parts: Sequence[Any]) -> list[dict[str, bytes]]:
    """The files of each task, in the order in which their last part came."""
    files: dict[str, dict[str, bytes]] = {}
    ended = []
    for part in parts:
        files.setdefault(part.task.key, {}).update(part.files)
        if part.last:
            ended.append(files[part.task.key])
    return ended
