"""The workspace as a folder: made whole or not at all, refused when it is not one, cleared of leftovers."""

from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from synthaug.errors import WorkspaceError
from synthaug.workspace import Workspace


def put_an_image(root: Path) -> Path:
    path = root / "images" / "aa" / f"{'a' * 64}.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"picture")
    return path


def without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def without_classes(path: Path) -> None:
    from synthaug.store.database import Database

    database = Database(path)
    database.migrate()
    database.close()


@pytest.mark.parametrize("leave", [Path.touch, without_tables, without_classes])
def test_an_unfinished_init_is_refused_and_completed_by_repeating_it(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    for folder in ("images", "models"):
        (tmp_path / folder).mkdir()
    leave(tmp_path / "synthaug.db")
    with pytest.raises(
        WorkspaceError, match=r"synthaug.db is empty; repeat the command that was interrupted: synthaug init"
    ):
        Workspace.open(tmp_path)
    Workspace.create(tmp_path, ["a", "b"]).db.close()
    assert Workspace.open(tmp_path).classes == ("a", "b")


@pytest.mark.parametrize("leave", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_images_without_their_database_are_neither_opened_nor_begun_anew(
    tmp_path: Path, leave: Callable[[Path], None]
) -> None:
    Workspace.create(tmp_path, ["a"]).db.close()
    put_an_image(tmp_path)
    leave(tmp_path / "synthaug.db")
    with pytest.raises(
        WorkspaceError, match=r"synthaug.db is (missing, although|empty).* synthaug restore BACKUP"
    ):
        Workspace.open(tmp_path)
    with pytest.raises(WorkspaceError, match="holds images but no database"):
        Workspace.create(tmp_path, ["a"])


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    Workspace.create(tmp_path, ["a"])
    with pytest.raises(WorkspaceError, match="is already a workspace"):
        Workspace.create(tmp_path, ["a"])


def test_leftovers_go_when_the_workspace_is_worked_next_and_what_is_being_written_stays(
    tmp_path: Path,
) -> None:
    workspace = Workspace.create(tmp_path, ["a"])
    kept = put_an_image(tmp_path)
    left = [kept.with_name(".partial-1"), tmp_path / "models" / ".partial-2", tmp_path / ".partial-3-wal"]
    folder = tmp_path / "exports" / ".out.partial-4"
    folder.mkdir()
    for path in [*left, folder / "x"]:
        path.touch()
    with kept.with_name(".partial-5").open("w") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)
        with workspace.lock("test"):
            pass
        assert sorted(kept.parent.iterdir()) == [kept.with_name(".partial-5"), kept]
    assert not any(path.exists() for path in [*left, folder])


def test_the_journal_of_a_database_that_is_being_made_stays(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path, ["a"])
    with (tmp_path / ".partial-1").open("w") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)
        (tmp_path / ".partial-1-wal").touch()
        assert workspace.remove_leftovers() == []
    assert workspace.remove_leftovers() == [tmp_path / ".partial-1", tmp_path / ".partial-1-wal"]


def test_a_killed_init_leaves_no_database(tmp_path: Path) -> None:
    """Killed before the last step, when everything is written but nothing has its name yet."""
    script = (
        "import os, signal, sys; from pathlib import Path; from synthaug.workspace import Workspace;"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "Workspace.create(Path(sys.argv[1]), ['a'])"
    )
    code = subprocess.run([sys.executable, "-c", script, tmp_path], check=False).returncode
    assert code == -9
    assert not (tmp_path / "synthaug.db").exists()
    Workspace.create(tmp_path, ["b"]).db.close()
    assert Workspace.open(tmp_path).classes == ("b",)
    assert not list(tmp_path.glob("*partial*"))
