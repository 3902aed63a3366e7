"""Answers that the database cannot take yet: the desk says so, keeps them, and all of them arrive."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.store import labels
from synthaug.workspace import Workspace
from tests.files import small_disk
from tests.torture.full_disk import fill_up

from .served import running
from .test_label import CLASSES, all_saved, open_desk, said

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANSWERS = 25


def answer_all(page: Page) -> list[int]:
    """Press one key for each of the first images; returns the classes."""
    classes = [number % len(CLASSES) for number in range(ANSWERS)]
    for each in classes:
        page.keyboard.press(str(each + 1))
    return classes


def given(entries: list[labels.LoggedLabel]) -> list[tuple[int, int | None]]:
    """The image and the class of each entry."""
    return [(entry.image_id, entry.class_index) for entry in entries]


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Nobody else reads or writes the database for as long as the block lasts."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.long
def test_answers_wait_for_room_on_a_full_disk(
    page: Page, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        make_workspace(disk / "work", CLASSES, 2 * ANSWERS).db.close()
        with running(disk / "work") as app:
            ids = open_desk(page, app)
            ballast = fill_up(disk, 0)
            classes = answer_all(page)
            expect(page.get_by_text("Not saved yet")).to_contain_text("full")
            expect(page.locator("[data-saved]")).to_have_text(re.compile(r"\d+ unsaved · trying again"))
            taken = len(said(app, 0))  # by what room there was in the journal
            expect(page.locator("[data-saved]")).to_have_attribute("data-count", str(ANSWERS - taken))
            ballast.unlink()
            all_saved(page)
            assert given(said(app, 0)) == list(zip(ids, classes, strict=False))


@pytest.mark.long
def test_answers_wait_for_a_database_that_stays_locked_longer_than_the_app_waits(
    page: Page, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    make_workspace(tmp_path / "work", CLASSES, 2 * ANSWERS).db.close()
    with running(tmp_path / "work") as app:
        ids = open_desk(page, app)
        with locked(tmp_path / "work" / "synthaug.db"):
            classes = answer_all(page)
            expect(page.locator("[data-saved]")).to_have_attribute("data-count", str(ANSWERS))
            expect(page.get_by_text("Not saved yet")).to_contain_text("is busy")
        all_saved(page)
        assert given(said(app, 0)) == list(zip(ids, classes, strict=False))
