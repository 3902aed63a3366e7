"""The short form of ``make torture``: some kills, power cuts and full disks in the stages that are quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

QUICK = [
    *("--case", "init", "--case", "import", "--case", "label and undo"),
    *("--case", "migrate", "--case", "backup"),
]

pytestmark = pytest.mark.slow


def torture(folder: Path, *options: str, program: str = "") -> subprocess.CompletedProcess[str]:
    """In a process of its own: one that forks must have no threads."""
    start = ["-c", program] if program else ["-m", "tests.torture"]
    return subprocess.run(
        [sys.executable, *start, "--folder", folder, *options], capture_output=True, text=True, check=False
    )


@pytest.mark.long
def test_kills_power_cuts_and_full_disks_lose_nothing(tmp_path: Path) -> None:
    done = torture(tmp_path, "--kills", "1", "--cuts", "1", "--full", "1", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_a_power_cut_is_noticed_where_nothing_waits_for_the_disk(tmp_path: Path) -> None:
    """The same without fsync must fail, else the cuts prove nothing."""
    start = "from tests.torture.__main__ import main; sys.exit(main())"
    program = f"import os, sys; os.fsync = lambda handle: None; {start}"
    done = torture(tmp_path, "--cuts", "1", "--after-work", "--case", "import", program=program)
    if "no disk can be mounted here" in done.stdout:
        pytest.skip("mounting a disk is for root")
    assert done.returncode == 1
    assert "the file is empty" in done.stderr
