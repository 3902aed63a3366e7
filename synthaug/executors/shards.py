"""Finished tasks as files: a tar with its hash in its name, and a marker that refers to it.

    work.json                what is made; it also shows a worker that it reads the folder of the main process
    KEY.SHA256.tar           the files of a task, in the order in which they were made
    KEY.done                 JSON with the fields tar, sha256 and files; written last

If two workers finish the same task, the marker refers to the complete tar of one of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from synthaug.errors import SynthaugError
from synthaug.executors.base import Files, Task, Work
from synthaug.storage import Folder

WORK = "work.json"
MARKER = ".done"


class ShardDamaged(SynthaugError):
    """A shard does not match its marker, so its task has to be done again."""


class Shards:
    """The shards of one job."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def begin(self, work: Work) -> None:
        """Record what is made; shards of different work are removed."""
        try:
            same = self.folder.read(WORK) == work.to_bytes()
        except FileNotFoundError:
            same = False
        if not same:
            self.folder.clear()
            self.folder.write(WORK, work.to_bytes())

    def work(self) -> Work:
        """What is made. Raises FileNotFoundError if this is not the folder of the main process."""
        return Work(**json.loads(self.folder.read(WORK)))

    def finished(self) -> set[str]:
        """The keys of the tasks that have a marker."""
        return {name.removesuffix(MARKER) for name in self.folder.names() if name.endswith(MARKER)}

    def has(self, task: Task) -> bool:
        """Whether a task has a marker."""
        try:
            self.folder.read(task.key + MARKER)
        except FileNotFoundError:
            return False
        return True

    def write(self, task: Task, files: Files) -> None:
        """Store a finished task."""
        data = _tar(files)
        sha256 = hashlib.sha256(data).hexdigest()
        name = f"{task.key}.{sha256}.tar"
        self.folder.write(name, data)
        marker = {"tar": name, "sha256": sha256, "files": len(files)}
        self.folder.write(task.key + MARKER, json.dumps(marker).encode())

    def read(self, task: Task) -> dict[str, bytes]:
        """The files of a finished task. Raises ShardDamaged if they are missing or damaged."""
        try:
            marker = json.loads(self.folder.read(task.key + MARKER))
            data = self.folder.read(marker["tar"])
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            raise ShardDamaged(f"the shard of {task.key} is missing or has no readable marker") from error
        if hashlib.sha256(data).hexdigest() != marker["sha256"]:
            raise ShardDamaged(f"{marker['tar']} does not match its marker")
        return _files(data)

    def remove(self, task: Task) -> None:
        """Remove the marker of a task and its tar; a second tar is removed with the folder."""
        try:
            name = json.loads(self.folder.read(task.key + MARKER))["tar"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            name = None
        self.folder.remove(task.key + MARKER)
        if isinstance(name, str):
            self.folder.remove(name)


def _tar(files: Files) -> bytes:
    """An uncompressed tar whose headers are fixed, so that equal files give equal bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return out.getvalue()


def _files(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
        return found
