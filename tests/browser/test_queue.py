"""Queues of the desk: real images without a label, going on after a reload, undo from the log, going to a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.reading.queue import ordered_ids
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.store import labels, models
from synthaug.workspace import Workspace
from tests.made import add_camera_images

from .served import A_JOB, App, running

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


def walk(page: Page, count: int) -> list[int]:
    """The ids of the images that follow, the present one first."""
    alts = []
    for _ in range(count):
        place = page.locator("[data-place]")
        alts.append(page.locator(".ld-frame img").get_attribute("alt") or "")
        before = place.inner_text()
        page.keyboard.press("ArrowRight")
        expect(place).not_to_have_text(before)
    return [int(alt.removeprefix("Image ")) for alt in alts]


@pytest.mark.long
def test_a_first_model_and_another_after_some_answers_which_orders_the_rest_anew(
    page: Page, tmp_path: Path
) -> None:
    workspace = Workspace.create(tmp_path / "work", ["cat", "dog"])
    add_camera_images(workspace, 24, seed=79)
    said = [
        LabelEntry(image, "class", "import", "imported", f"import-{image}", image % 2)
        for image in range(1, 7)
    ]
    with running(workspace.root) as app:
        page.goto(f"{app.url}/train")
        start = page.get_by_role("button", name="Train a model")
        expect(page.locator("#first-model h2")).to_have_text("First model")
        expect(start).to_be_disabled()  # nothing has a label
        label.record(workspace, said)
        page.reload()
        start.click()
        expect(page.locator("#first-model .sa-job")).to_have_attribute("data-state", "done", timeout=A_JOB)
        page.reload()
        expect(page.locator("#first-model h2")).to_have_text("A model of the real images")
        assert models.newest(workspace.db).name == "linear-1"

        before = open_desk(page, app, "least-confident")
        page.get_by_role("button", name="Readers").click()
        page.get_by_label("Train while labeling").fill("5")
        page.locator(".rd-settings").get_by_role("button", name="Save").click()
        expect(page.locator(".rd-settings").get_by_role("status")).to_have_text("Saved")
        page.locator(".rd-readers").get_by_role("button", name="Close").click()
        for image in before[:5]:
            shown(page, image)
            page.keyboard.press("12"[image % 2])
        told = "The model was fitted again; the queue is in its new order."
        expect(page.locator("[data-live]")).to_have_text(told, timeout=A_JOB)
        expect(page.locator("[data-refit]")).to_have_text("model fitted again in 5 answers")
        assert models.newest(workspace.db).name == "linear-2"
        now = ordered_ids(workspace, "least-confident", "unlabeled")
        assert sorted(now) == sorted(before[5:])
        assert now != before[5:]
        looked_at = before[5]  # stays while everything behind it moves
        assert walk(page, 8) == [looked_at, *[image for image in now if image != looked_at]][:8]
    workspace.db.close()
