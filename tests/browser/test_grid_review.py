"""Grid review in a browser: what is marked stays out, the rest is accepted by one key and taken back by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.store import labels
from synthaug.workspace import Workspace

from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = 130
CLASSES = ["cat", "dog", "emu"]


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """130 synthetic images; number i, counted from 0, is predicted as class i % 3."""
    root = tmp_path_factory.mktemp("grid") / "work"
    make_workspace(root, CLASSES, IMAGES).db.close()
    with running(root) as started:
        yield started


def current(app: App) -> dict[int, tuple[str, int | None, str]]:
    """What counts for each image that has an answer."""
    workspace = Workspace.open(app.root)
    found = labels.current(workspace.db, list(range(1, IMAGES + 1)))
    workspace.db.close()
    return {each.image_id: (each.value, each.class_index, each.source) for each in found.values()}


def test_a_page_is_reviewed_by_marks_and_one_key_and_taken_back_by_one(page: Page, app: App) -> None:
    page.goto(f"{app.url}/label?scope=unreviewed")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    page.locator("[data-do=grid]").click()
    tiles = page.locator(".gr .sa-grid-tile")
    expect(tiles.first).to_be_visible()
    expect(page.locator("[data-part=summary]").last).to_have_text(
        "Page 1 of 2 · 100 images · cat 44 · dog 43 · emu 13"
    )
    by_class = sorted(range(1, IMAGES + 1), key=lambda image_id: ((image_id - 1) % 3, image_id))
    first, second = by_class[:100], by_class[100:]

    tiles.nth(2).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(page.locator(".gr [data-part=marked]")).to_have_text("2 marked wrong")
    expect(page.locator(".gr [data-part=accept]")).to_have_text("Accept the other 98")
    page.keyboard.press("3")  # the marked ones are emus
    expect(page.locator(".gr [data-part=status]")).to_have_text("2 images: label as emu")
    tiles.nth(5).click()
    page.keyboard.press("Enter")
    expect(page.locator(".gr")).to_have_attribute("data-page", "1")
    expect(page.locator(".gr [data-part=left]")).to_have_text("Review 1 marked image one by one")
    expected: dict[int, tuple[str, int | None, str]] = {
        image_id: ("class", (image_id - 1) % 3, "accepted") for image_id in first
    }
    del expected[first[5]]
    expected |= {first[2]: ("class", 2, "human"), first[3]: ("class", 2, "human")}
    assert current(app) == expected

    tiles.first.click()
    page.keyboard.press("x")
    expect(page.locator(".gr [data-part=status]")).to_have_text("1 image: reject")
    assert current(app) == expected | {second[0]: ("reject", None, "human")}
    page.keyboard.press("z")
    expect(page.locator(".gr [data-part=status]")).to_have_text("Undone: reject (1)")
    page.keyboard.press("z")
    expect(page.locator(".gr [data-part=status]")).to_have_text("Undone: accept (97)")
    expect(page.locator(".gr")).to_have_attribute("data-page", "0")
    assert current(app) == {first[2]: ("class", 2, "human"), first[3]: ("class", 2, "human")}

    with page.expect_response(lambda answer: "/data/leases" in answer.url) as items:
        page.keyboard.press("Escape")
    items.value.finished()
    page.evaluate("() => new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))")
    expect(page.locator("[data-place]")).to_have_text("Image 1 of 128 in the queue")
    with page.expect_response("**/data/label*"):
        page.keyboard.press("1")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert len(current(app)) == 3
