"""The plane of two distances, and the page's state in its address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from synthaug.reading import explore
from synthaug.workspace import Workspace

from .planted import REAL, SYNTHETIC, TEST, Planted, open_map, selected
from .served import App

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def points(map_app: App) -> explore.Points:
    """What the library says of every point."""
    workspace = Workspace.open(map_app.root)
    found = explore.points(workspace)
    workspace.db.close()
    return found


def plane(page: Page) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the plane on the page, from where points of known ranks lie."""
    left, bottom, right, top = page.evaluate(
        "() => { const { left, top } = document.querySelector('.sa-scatter [data-part=overlay]')"
        ".getBoundingClientRect(); return [...document.querySelector('.sa-scatter').scatter.plane()]"
        ".map((value, i) => value + (i % 2 ? top : left)); }"
    )
    return left, top, right, bottom


def quadrant(page: Page, name: str) -> str:
    """The count on a quadrant's button."""
    button = page.get_by_role("group", name="Select a quadrant").get_by_role("button", name=name)
    return button.locator(".sa-scatter-count").inner_text()


def test_quadrants_are_counted_selected_and_follow_the_dragged_lines(
    page: Page, map_app: App, planted: Planted, points: explore.Points
) -> None:
    open_map(page, map_app)
    page.get_by_role("button", name="Two distances").click()
    expect(page.locator("[data-part=shown]")).to_have_text(
        f"{SYNTHETIC:,} of {REAL + TEST + SYNTHETIC:,} shown"
    )
    far, sparse = points.ood_real >= 0.95, points.ood_synthetic >= 0.75
    page.get_by_role("button", name=re.compile("^Artefact")).click()
    assert selected(page) == set(points.ids[far & sparse].tolist())
    page.get_by_role("button", name=re.compile("^Redundant")).click()
    assert selected(page) == set(points.ids[far & (points.ood_synthetic < 0.75)].tolist())
    assert planted.strangers <= set(points.ids[far].tolist())

    left, top, right, bottom = plane(page)
    y = top + 0.5 * (bottom - top)
    page.mouse.move(left + 0.95 * (right - left), y)
    page.mouse.down()
    page.mouse.move(left + 0.8 * (right - left), y)
    page.mouse.move(left + 0.6 * (right - left), y)
    page.mouse.up()
    field = page.locator("[data-threshold=far]")
    moved = float(field.input_value())
    assert moved == pytest.approx(0.6, abs=0.02)
    assert f"far={moved:g}" in page.url
    assert len(selected(page)) < SYNTHETIC  # a drag of the line draws no loop
    with np.errstate(invalid="ignore"):
        near = points.ood_real < np.float32(moved)
    assert quadrant(page, "New coverage") == f"{int((near & sparse).sum()):,}"
    page.locator("[data-threshold=sparse]").fill("0.5")
    page.keyboard.press("Tab")
    page.get_by_role("button", name=re.compile("^Typical")).click()
    assert selected(page) == set(points.ids[near & (points.ood_synthetic < 0.5)].tolist())
    expect(page.locator(".sa-grid")).to_have_attribute("data-state", "filled")


def test_the_address_says_what_is_shown_and_a_reload_shows_it_again(
    page: Page, map_app: App, points: explore.Points
) -> None:
    open_map(page, map_app)
    page.get_by_role("button", name="UMAP").click()
    page.locator("[data-part=mode]").select_option("predicted")
    page.get_by_role("group", name="Show or hide by colour").get_by_text("dog").click()
    page.get_by_role("button", name="Select all shown").click()
    expected = set(points.ids[points.predicted != 1].tolist())
    assert selected(page) == expected
    address = page.url
    page.reload()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-selected", str(len(expected)))
    assert selected(page) == expected
    expect(page.get_by_role("button", name="UMAP")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-part=mode]")).to_have_value("predicted")
    expect(page.locator("[data-part=shown]")).to_contain_text(f"{len(expected):,} of")
    other = page.context.new_page()
    other.goto(address)
    expect(other.locator(".sa-scatter")).to_have_attribute("data-selected", str(len(expected)))
    assert selected(other) == expected


def test_back_takes_one_step_back(page: Page, map_app: App) -> None:
    open_map(page, map_app)
    page.get_by_role("button", name="Select all shown").click()
    total = REAL + TEST + SYNTHETIC
    expect(page.locator(".sa-scatter")).to_have_attribute("data-selected", str(total))
    page.get_by_role("group", name="Show or hide by origin").get_by_text("real, test").click()
    page.get_by_role("button", name="Two distances").click()
    expect(page.locator("[data-part=plane]")).to_be_visible()
    page.go_back()
    expect(page.locator("[data-part=plane]")).to_be_hidden()
    expect(page.locator("[data-part=shown]")).to_have_text(f"{total - TEST:,} of {total:,} shown")
    page.go_back()
    expect(page.locator("[data-part=shown]")).to_have_text(f"{total:,} of {total:,} shown")
    expect(page.locator(".sa-scatter")).to_have_attribute("data-selected", str(total))
    page.go_back()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-selected", "0")
    expect(page.locator(".sa-grid [data-part=title]")).to_contain_text("most suspicious")
