"""The short form of ``make torture``: some kills in the stages that are quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "cases", [["init", "import", "label and undo"], ["migrate", "backup again", "restore"]], ids=" ".join
)
def test_a_killed_command_loses_nothing_and_can_be_repeated(tmp_path: Path, cases: list[str]) -> None:
    """In a process of its own: one that forks must have no threads."""
    chosen = [option for case in cases for option in ("--case", case)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--kills", "3", "--folder", tmp_path, *chosen],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
