"""The state of a database changes with every write, whoever writes, and with nothing else."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from synthaug.errors import WorkspaceError
from synthaug.reading.changes import Changes
from synthaug.reading.overview import overview
from synthaug.store import jobs
from synthaug.workspace import Workspace

ANOTHER_PROGRAM = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as connection:
    connection.execute("UPDATE jobs SET note = 'from elsewhere'")
"""


def test_reading_changes_nothing(workspace: Workspace) -> None:
    changes = Changes(workspace.db.path)
    before = changes.state()
    overview(workspace)
    assert changes.state() == before


def test_each_write_of_this_process_is_a_change(workspace: Workspace) -> None:
    changes = Changes(workspace.db.path)
    states = [changes.state()]
    job = jobs.submit(workspace.db, "import", {}, 1)
    states.append(changes.state())
    with ThreadPoolExecutor(1) as other:
        other.submit(jobs.finish, workspace.db, job, "done", result={}).result()
    states.append(changes.state())
    assert len(set(states)) == 3


def test_a_write_that_is_taken_back_is_none(workspace: Workspace) -> None:
    changes = Changes(workspace.db.path)
    before = changes.state()
    with suppress(ZeroDivisionError), workspace.db.transaction():
        jobs.submit(workspace.db, "import", {}, 1)
        raise ZeroDivisionError
    assert jobs.latest(workspace.db) == []
    assert changes.state() == before


def test_another_program_is_noticed(workspace: Workspace) -> None:
    jobs.submit(workspace.db, "import", {}, 1)
    changes = Changes(workspace.db.path)
    before = changes.state()
    subprocess.run([sys.executable, "-c", ANOTHER_PROGRAM, workspace.db.path], check=True)
    assert changes.state() != before


def test_any_thread_can_ask(workspace: Workspace) -> None:
    changes = Changes(workspace.db.path)
    with ThreadPoolExecutor(8) as threads:
        states = set(threads.map(lambda _: changes.state(), range(400)))
    assert states == {changes.state()}


def test_the_states_of_two_starts_of_the_app_are_never_equal(workspace: Workspace) -> None:
    assert Changes(workspace.db.path).state() != Changes(workspace.db.path).state()


def test_a_file_that_is_no_database_is_an_error_of_the_workspace(tmp_path: Path) -> None:
    path = tmp_path / "synthaug.db"
    path.write_bytes(b"neither a database nor empty" * 100)
    with pytest.raises(WorkspaceError, match=r"synthaug\.db"):
        Changes(path)
