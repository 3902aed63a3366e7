"""A database that others hold, and a clock that goes backwards: labels wait, and keep their order."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import WorkspaceError
from synthaug.records import LabelEntry
from synthaug.stages.verify import verify
from synthaug.store import catalog, database, label_log, labels
from synthaug.workspace import Workspace


@pytest.fixture
def image(workspace: Workspace) -> int:
    pixels = np.zeros((8, 8, 3), np.uint8)
    sha256 = workspace.images.put(pixels, {})
    found, _ = catalog.add_image(
        workspace.db, sha256=sha256, size=(8, 8), split="train", origin="real", source="x"
    )
    return found


def entry(image: int, op_id: str, class_index: int = 0) -> LabelEntry:
    return LabelEntry(image, "class", "ann", "human", op_id, class_index)


def test_a_label_waits_for_a_database_that_another_holds(workspace: Workspace, image: int) -> None:
    with closing(sqlite3.connect(workspace.db.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=label_log.append, args=(workspace.db, [entry(image, "op")]))
        waiting.start()
        assert labels.by_op_id(workspace.db, "op") is None  # reading goes on meanwhile
        other.execute("COMMIT")
        waiting.join()
    assert labels.by_op_id(workspace.db, "op") is not None


def test_a_database_that_stays_locked_is_said_and_the_same_label_can_be_sent_again(
    workspace: Workspace, image: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    impatient = Workspace.open(workspace.root)
    with closing(sqlite3.connect(workspace.db.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkspaceError, match="is busy"):
            label_log.append(impatient.db, [entry(image, "op")])
        other.execute("ROLLBACK")
    label_log.append(impatient.db, [entry(image, "op")])
    assert labels.by_op_id(workspace.db, "op") is not None


def test_a_clock_that_goes_backwards_changes_no_order(
    workspace: Workspace, image: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Backwards(datetime):
        year_now = 2030

        @classmethod
        def now(cls, tz: object = None) -> datetime:
            cls.year_now -= 1
            return datetime(cls.year_now, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(database, "datetime", Backwards)
    for number, class_index in enumerate((3, 1, 2)):
        label_log.append(workspace.db, [entry(image, f"op-{number}", class_index)])
    assert labels.current(workspace.db, [image])[image].class_index == 2
    monkeypatch.undo()
    assert verify(workspace).problems == ()
    reopened = Workspace.open(Path(workspace.root))
    assert labels.current(reopened.db, [image])[image].class_index == 2
