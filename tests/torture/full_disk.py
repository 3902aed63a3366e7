"""Run every stage on a disk in memory that becomes full: a clear error, nothing lost, and it goes on after."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture.cases import Case
from tests.torture.kills import Tally
from tests.torture.power import PowerCutter
from tests.torture.processes import Ended, run

MEGABYTES = 64
FREE_KILOBYTES = (0, 4, 16, 64, 256, 1024)


class DiskFiller(PowerCutter):
    """Runs cases where there is little room."""

    def fill(self, case: Case, levels: int) -> Tally:
        """Run a case with ever more room, at most six times; a run that met the full disk counts as a kill."""
        tally = Tally(case.name)
        for free in FREE_KILOBYTES[:levels]:
            with memory_disk(self.folder / "memory") as mount:
                here = self.templates.copy(case.start, mount / "here")
                ballast = fill_up(mount, free)
                ended = run(case.work(here), self.log)
                ballast.unlink()
                wrong = _answer(ended)
                wrong += self.look(case, here, Ended(None, ended.output, ended.seconds))
            tally.seconds = ended.seconds
            tally.kills += ended.code != 0
            tally.finished += ended.code == 0
            tally.failures += [f"with {free} KB left: {each}" for each in wrong]
        return tally


def _answer(ended: Ended) -> list[str]:
    """What is wrong with the answer of a command that may have met a full disk."""
    last = ended.output.strip().splitlines()[-1:] or [""]
    clear = ended.code == 2 and last[0].startswith("Error: ") and "full" in last[0]
    if (ended.code == 0 or clear) and "Traceback" not in ended.output:
        return []
    return [f"exit {ended.code}: {ended.output[-1500:]}"]


@contextmanager
def memory_disk(at: Path) -> Iterator[Path]:
    """A small disk in memory. Needs root."""
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", at], check=True)


def fill_up(mount: Path, free_kilobytes: int) -> Path:
    """A file that leaves that much room."""
    path = mount / "ballast"
    room = os.statvfs(mount)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(room.f_bavail * room.f_frsize - (free_kilobytes << 10), 1))
    return path
