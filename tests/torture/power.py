"""Cut the power while a command works: what the disk holds at that moment is all that is left.

The work runs on an ext4 file system in a file (a loop device). What a program has written and not synced lies in the
system's memory, not in that file; a copy of the file is what a power cut leaves. The copy is mounted, which replays
the file system's own journal, and looked at as after a kill. It covers what synthaug syncs, and when, on ext4 with
its default ``data=ordered``; not disks that lie about their cache, and not other file systems.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torture.cases import Case
from tests.torture.kills import Tally, Torturer
from tests.torture.processes import run

MEGABYTES = 192
NEVER = 1e9
OPTIONS = "loop,commit=300"  # seconds: without being asked, ext4 writes nothing while a case runs


class PowerCutter(Torturer):
    """Runs cases on a disk of their own and looks at what a power cut leaves of it."""

    def cut(self, case: Case, cuts: int, after_work: bool = False) -> Tally:
        """Cut the power that many times, at random moments of the work or right after it (or always then)."""
        tally = Tally(case.name)
        whole = run(case.work(self.fresh(case)), self.log)
        tally.seconds = whole.seconds
        for _ in range(cuts):
            after = NEVER if after_work else self.random.uniform(0, 1.2 * whole.seconds)
            wrong = self._cut_once(case, after, tally)
            tally.failures += [f"cut after {after:.3f} s of {whole.seconds:.3f}: {each}" for each in wrong]
        return tally

    def _cut_once(self, case: Case, after: float, tally: Tally) -> list[str]:
        disk, left = self.folder / "disk.img", self.folder / "left.img"
        known = self.folder / "acknowledged"
        known.unlink(missing_ok=True)
        make_disk(disk)
        with mounted_disk(disk, self.folder / "disk") as mount:
            here = self.templates.copy(case.start, mount / "here")
            (here / "acknowledged").symlink_to(known)  # outside: what was told before the cut stays told
            subprocess.run(["sync", "--file-system", mount], check=True)

            def at_the_cut() -> None:
                shutil.copyfile(disk, left)

            ended = run(case.work(here), self.log, kill_after=after, at_the_kill=at_the_cut)
            if ended.code is None:
                tally.kills += 1
            else:
                tally.finished += 1
                at_the_cut()
        with mounted_disk(left, self.folder / "left") as mount:
            return self.look(case, mount / "here", ended)


def make_disk(path: Path) -> None:
    """An empty ext4 file system in a file."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(MEGABYTES << 20)
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0", path], check=True)


@contextmanager
def mounted_disk(path: Path, at: Path) -> Iterator[Path]:
    """Mount a file as a disk. Needs root."""
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", OPTIONS, path, at], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True)


def possible(folder: Path) -> bool:
    """Whether a disk can be made and mounted here."""
    try:
        make_disk(folder / "try.img")
        with mounted_disk(folder / "try.img", folder / "try"):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
