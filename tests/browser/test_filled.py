"""The plot over the whole window, and the grid before anything is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from synthaug.reading import explore
from synthaug.workspace import Workspace

from .planted import COUNT, MOST_SHOWN, SYNTHETIC, Planted, click_point, open_map, selected
from .served import App

if TYPE_CHECKING:
    from playwright.sync_api import Page

BOX = "document.querySelector('.sa-scatter').getBoundingClientRect().toJSON()"


def fills(page: Page) -> bool:
    """Whether the plot covers the window."""
    box, size = page.evaluate(BOX), page.viewport_size
    assert size is not None
    return (box["x"], box["y"], box["width"], box["height"]) == (0, 0, size["width"], size["height"])


def test_the_plot_fills_the_window_and_leaves_it(page: Page, map_app: App, planted: Planted) -> None:
    open_map(page, map_app)
    assert not fills(page)
    page.keyboard.press("f")
    assert fills(page)
    assert "full=1" in page.url
    page.get_by_role("button", name="Select all shown").click()
    assert len(selected(page)) == COUNT
    reached = {
        page.evaluate("document.activeElement.closest('.sa-scatter') !== null")
        for _ in range(12)
        if page.keyboard.press("Tab") is None and page.evaluate("document.activeElement !== document.body")
    }
    assert reached == {True}  # what lies under the plot takes no focus
    page.keyboard.press("Escape")
    assert not fills(page)
    assert "full=1" not in page.url
    assert len(selected(page)) == COUNT  # the first Escape leaves the selection
    page.go_back()
    assert fills(page)
    page.reload()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-painted", str(COUNT))
    assert fills(page)
    click_point(page, planted.real[0])
    expect(page.locator(".sa-inspector h2")).to_be_visible()  # the inspector opens over it
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Leave (Esc)").click()
    assert not fills(page)
    page.get_by_label("Name of this selection").focus()
    page.keyboard.press("f")
    assert not fills(page)  # a letter in a field is a letter


@pytest.fixture
def points(map_app: App) -> explore.Points:
    """What the library says of every point."""
    workspace = Workspace.open(map_app.root)
    found = explore.points(workspace)
    workspace.db.close()
    return found


def most_suspicious_of(shown: int) -> str:
    """The title of the grid while nothing is selected."""
    if shown > MOST_SHOWN:
        return f"The {MOST_SHOWN:,} most suspicious of {shown:,} images shown"
    return f"{shown:,} images shown, the most suspicious first"


def test_before_a_loop_the_grid_shows_the_most_suspicious(
    page: Page, map_app: App, points: explore.Points
) -> None:
    open_map(page, map_app)
    title = page.locator(".sa-grid [data-part=title]")
    expect(title).to_have_text(most_suspicious_of(COUNT))
    claimed = np.where(points.label == explore.NONE, points.prompted, points.label)
    contradicted = (claimed != explore.NONE) & (claimed != points.predicted)
    worth = np.maximum(np.nan_to_num(points.ood_real), np.where(contradicted, points.confidence, 0))
    first = points.ids[np.argsort(-worth, kind="stable")[:5]].tolist()
    tiles = page.locator(".sa-grid-tile")
    shown = [str(tiles.nth(place).get_attribute("aria-label")) for place in range(5)]
    assert [int(each.split(",")[0].removeprefix("image ")) for each in shown] == first
    expect(page.locator(".sa-grid [data-part=marked]")).to_have_text("0 marked")
    expect(page.locator(".sa-grid [data-do=reject]")).to_be_disabled()
    for name in ("real, training", "real, test"):
        page.get_by_role("group", name="Show or hide by origin").get_by_text(name).click()
    expect(title).to_have_text(most_suspicious_of(SYNTHETIC))
