"""The cards of the suspects: what they count is what was planted, and they open it in the grid to act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.store import labels
from synthaug.workspace import Workspace

from .planted import Planted, open_map, selected
from .served import App

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def card(page: Page, title: str) -> Locator:
    """One card, once it has counted."""
    found = page.locator(".sa-suspects-card", has_text=title)
    expect(found.locator("em")).to_have_text(re.compile(r"\d"))
    return found


def first_tiles(page: Page, count: int) -> list[tuple[int, str]]:
    """(image, caption) of the first tiles, as they stand in the grid."""
    expect(page.locator(".sa-grid[data-painted]")).to_be_visible()
    tiles = page.locator(".sa-grid-tile")
    rows = []
    for tile in tiles.all()[:count]:
        image = int(re.findall(r"\d+", tile.get_attribute("aria-label") or "")[0])
        rows.append((image, tile.locator(".sa-grid-caption").inner_text()))
    return rows


def test_planted_wrong_labels_are_found_and_open_with_what_is_seen(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    opened = card(page, "Likely label errors")
    opened.click()
    expect(opened).to_have_attribute("aria-pressed", "true")
    found = selected(page)
    assert len(found & planted.wrong) >= 0.8 * len(planted.wrong)
    assert len(found - planted.wrong) <= 0.2 * len(found)
    assert opened.locator("em").inner_text() == str(len(found))
    image, caption = first_tiles(page, 1)[0]
    assert image in planted.wrong
    assert re.search(r"→(cat|dog|horse) \d+%", caption)
    expect(page.locator(".sa-grid [data-part=summary]")).to_contain_text("Confident learning over 600")
    page.reload()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-selected", str(len(found)))
    assert selected(page) == found
    page.keyboard.press("Escape")
    expect(opened).to_have_attribute("aria-pressed", "false")


def test_of_near_duplicates_all_but_the_best_are_rejected_and_the_count_goes_down(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    opened = card(page, "Near-duplicates")
    expect(opened.locator("em")).to_have_text(str(2 * len(planted.twins)))
    opened.click()
    rows = first_tiles(page, 2)
    assert tuple(sorted(image for image, _ in rows)) in {tuple(sorted(pair)) for pair in planted.twins}
    assert rows[0][1] == "keep"
    assert rows[1][1] == f"like {rows[0][0]}"
    expect(page.locator("[data-part=marked]")).to_have_text(f"{len(planted.twins)} marked")
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text(f"{len(planted.twins)} labels saved")
    expect(opened.locator("em")).to_have_text("0")
    workspace = Workspace.open(map_app.root)
    every = [image for pair in planted.twins for image in pair]
    said = labels.current(workspace.db, every)
    workspace.db.close()
    assert all(sum(image in said for image in pair) == 1 for pair in planted.twins)
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(opened.locator("em")).to_have_text(str(2 * len(planted.twins)))


def test_disagreements_are_the_images_of_another_class_than_their_prompt(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    opened = card(page, "Disagreements")
    opened.click()
    expect(opened).to_have_attribute("aria-pressed", "true")
    found = selected(page)
    assert planted.disputed <= found
    assert planted.wrong <= found  # their label is not what the classifier sees either


@pytest.mark.long
def test_a_selection_is_saved_by_name_and_opens_from_the_address(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    page.get_by_role("button", name="Two distances").click()
    page.get_by_role("button", name=re.compile("^Redundant")).click()
    chosen = selected(page)
    assert chosen
    page.get_by_label("Name of this selection").fill("clocks & <b>")
    page.keyboard.press("Enter")
    saved = page.get_by_label("Open a saved selection")
    expect(saved).to_have_value("clocks & <b>")
    page.wait_for_url("**queue=set*")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".sa-scatter")).to_have_attribute("data-selected", str(len(chosen)))
    assert selected(other) == chosen
    expect(other.locator(".sa-grid [data-part=title]")).to_contain_text("clocks & <b>")
    other.get_by_role("button", name="Clear (Esc)").click()
    expect(other.get_by_label("Open a saved selection")).to_have_value("")
    other.get_by_label("Open a saved selection").select_option("clocks & <b>")
    expect(other.locator(".sa-scatter")).to_have_attribute("data-selected", str(len(chosen)))
