"""Workspaces of each released version open in this one, with a copy of their database from before."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import WorkspaceError
from synthaug.stages.verify import verify
from synthaug.store import labels
from synthaug.store.copies import kept_copies
from synthaug.store.database import MIGRATION_NAMES, Database
from synthaug.store.image_store import ImageStore
from synthaug.workspace import Workspace

RELEASES = sorted((Path(__file__).parent / "workspaces").glob("*.sql"))
NEXT = "synthaug-before-0003_label_chain.db"


def of_release(dump: Path, root: Path) -> Path:
    """A workspace as that release left it: six images of one gray each."""
    root.mkdir()
    with closing(sqlite3.connect(root / "synthaug.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(dump.read_text(encoding="utf-8"))
    for i in range(6):
        ImageStore(root / "images").put(np.full((8, 8, 3), 40 * i, np.uint8), {})
    return root


@pytest.mark.parametrize("dump", RELEASES, ids=lambda dump: dump.stem)
def test_a_workspace_of_an_older_release_opens_whole(dump: Path, tmp_path: Path) -> None:
    root = of_release(dump, tmp_path / "work")
    workspace = Workspace.open(root)
    assert verify(workspace).problems == ()
    assert workspace.classes == ("cat", "dog")
    current = labels.current(workspace.db, range(1, 7))
    assert {image: (each.value, each.class_index) for image, each in current.items()} == {
        1: ("class", 1),
        2: ("class", 1),
        3: ("unsure", None),
        5: ("class", 1),
    }


def test_the_database_is_kept_as_it_was_before_it_is_migrated(tmp_path: Path) -> None:
    dump = RELEASES[0]
    root = of_release(dump, tmp_path / "work")
    Workspace.open(root)
    Workspace.open(root)
    (copy,) = kept_copies(root / "synthaug.db")
    assert copy.name == NEXT
    with closing(sqlite3.connect(copy)) as connection:
        assert "\n".join(connection.iterdump()) + "\n" == dump.read_text(encoding="utf-8")


def test_the_last_three_copies_are_kept(tmp_path: Path) -> None:
    root = of_release(RELEASES[0], tmp_path / "work")
    older = [root / f"synthaug-before-000{i}_x.db" for i in (0, 1, 2)]
    for path in older:
        path.touch()
    Workspace.open(root)
    assert kept_copies(root / "synthaug.db") == [*older[1:], root / NEXT]


def test_a_new_database_is_not_copied(tmp_path: Path) -> None:
    Workspace.create(tmp_path, ["a"])
    assert kept_copies(tmp_path / "synthaug.db") == []


def test_two_that_open_it_at_once_migrate_it_once(tmp_path: Path) -> None:
    root = of_release(RELEASES[0], tmp_path / "work")
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(Database(root / "synthaug.db").migrate) for _ in range(4)]:
            done.result()
    assert len(Database(root / "synthaug.db").query("SELECT * FROM _sqlite_migrations")) == len(
        MIGRATION_NAMES
    )


def test_an_older_workspace_that_may_not_be_written_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = of_release(RELEASES[0], tmp_path / "work")
    monkeypatch.setattr("synthaug.store.database.is_writable", lambda path: False)
    with pytest.raises(WorkspaceError, match="written by an older release of synthaug and cannot be updated"):
        Workspace.open(root)
