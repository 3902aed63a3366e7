"""Finished tasks as files that appear whole: a tar named by its content, and a marker that names it with its hash.

    work.json                what is made (its presence shows a worker that it sees the head's folder)
    KEY.SHA256.tar           the files of a task, in the order they were made
    KEY.done                 JSON: tar, sha256, files; written last

Two workers that finish the same task write two tars or one; either marker names a whole one.
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
    """A shard that is not what its marker says: it is made again."""


class Shards:
    """The shards of one job."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def begin(self, work: Work) -> None:
        """Write down what is made; shards of other work, if there are any, go."""
        try:
            same = self.folder.read(WORK) == work.to_bytes()
        except FileNotFoundError:
            same = False
        if not same:
            self.folder.clear()
            self.folder.write(WORK, work.to_bytes())

    def work(self) -> Work:
        """What is made. Raises FileNotFoundError where the folder is not the head's."""
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
        """The files of a finished task. Raises ShardDamaged."""
        try:
            marker = json.loads(self.folder.read(task.key + MARKER))
            data = self.folder.read(marker["tar"])
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            raise ShardDamaged(f"the shard of {task.key} is not there or has no readable marker") from error
        if hashlib.sha256(data).hexdigest() != marker["sha256"]:
            raise ShardDamaged(f"{marker['tar']} is not what its marker says")
        return _files(data)

    def remove(self, task: Task) -> None:
        """Remove a task's marker and the tar that it names; a second tar of it goes with the folder."""
        try:
            name = json.loads(self.folder.read(task.key + MARKER))["tar"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            name = None
        self.folder.remove(task.key + MARKER)
        if isinstance(name, str):
            self.folder.remove(name)


def _tar(files: Files) -> bytes:
    """An uncompressed tar with fixed headers: equal files give equal bytes."""
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
