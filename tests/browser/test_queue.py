"""Queues of the desk: real images without a label, going on after a reload, undo from the log, going to a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.store import labels
from synthaug.workspace import Workspace
from tests.made import add_camera_images

from .conftest import App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

REAL = 40


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """A workspace with 40 real images that nobody labeled, and some synthetic ones."""
    workspace = make_workspace(tmp_path_factory.mktemp("queue") / "work", ["cat", "dog"], 5)
    add_camera_images(workspace, REAL, seed=77)
    workspace.db.close()
    with running(workspace.root) as started:
        yield started


def open_desk(page: Page, app: App, order: str) -> list[int]:
    with page.expect_response(lambda answer: "/data/queue" in answer.url) as queue:
        page.goto(f"{app.url}/label?scope=unlabeled&order={order}")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    expect(page.locator(".ld-frame img")).to_be_visible()
    ids: list[int] = queue.value.json()["ids"]
    return ids


def shown(page: Page, image_id: int) -> None:
    expect(page.locator(".ld-frame img")).to_have_attribute("alt", f"Image {image_id}")


def current(app: App) -> dict[int, labels.CurrentLabel]:
    workspace = Workspace.open(app.root)
    found = labels.current(workspace.db, list(range(1, 100)))
    workspace.db.close()
    return found


def test_a_queue_of_unlabeled_images_from_first_key_to_undo_after_a_reload(page: Page, app: App) -> None:
    ids = open_desk(page, app, "random")
    assert len(ids) == REAL
    expect(page.locator("[data-reviewed]")).to_have_text("0 of 40 labeled")
    for key in ("ArrowRight", "1", "2", "1", "2"):
        page.keyboard.press(key)
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    expect(page.locator("[data-reviewed]")).to_have_text("4 of 40 labeled")
    expect(page.locator("[data-rate]")).to_contain_text("left")

    left = open_desk(page, app, "random")  # the same order, without what was labeled, at the same image
    assert left == [ids[0], *ids[5:]]
    shown(page, ids[5])
    expect(page.locator("[data-place]")).to_have_text("Image 2 of 36 in the queue")

    for image_id in (ids[4], ids[3], ids[2], ids[1]):  # every step, newest first, from the log
        page.keyboard.press("z")
        shown(page, image_id)
    page.keyboard.press("z")
    expect(page.locator("[data-live]")).to_have_text("Nothing to undo.")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    expect(page.locator("[data-reviewed]")).to_have_text("0 of 40 labeled")
    assert current(app) == {}

    assert open_desk(page, app, "random") == ids  # and again after a reload, from the log
    for image_id, index in ((ids[1], 0), (ids[2], 1), (ids[3], 0)):
        page.keyboard.press("Shift+Z")
        expect(page.locator(".ld-strip span").first).to_have_text(["cat", "dog"][index])
        expect(page.locator("[data-saved]")).to_have_text("All saved")
        assert current(app)[image_id].class_index == index
    page.keyboard.press("z")
    page.keyboard.press("Shift+Z")
    page.keyboard.press("x")  # a new answer: nothing is left to redo
    page.keyboard.press("Shift+Z")
    expect(page.locator("[data-live]")).to_have_text("Nothing to redo.")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    found = current(app)
    assert [found[image_id].class_index for image_id in ids[1:4]] == [0, 1, 0]
    assert found[ids[4]].value == "reject"


def test_a_number_leads_to_its_image(page: Page, app: App) -> None:
    ids = open_desk(page, app, "newest")
    page.keyboard.press("Control+g")
    page.keyboard.type("17")
    page.keyboard.press("Enter")
    shown(page, ids[16])
    expect(page.locator("[data-place]")).to_have_text("Image 17 of 40 in the queue")
    page.keyboard.press("2")  # the keys belong to the desk again
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert current(app)[ids[16]].class_index == 1
