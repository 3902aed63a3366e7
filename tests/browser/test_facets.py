"""The filters beside the plot: values, counts, the search in prompts, and all of it in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .planted import COUNT, REAL, SYNTHETIC, TEST, Planted, open_map, selected
from .served import App

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def open_filters(page: Page) -> Locator:
    """The panel, with every facet in it."""
    page.get_by_role("button", name="Filter").click()
    panel = page.get_by_role("group", name="Filters")
    expect(panel.locator("details", has_text="Slot WHAT")).to_be_visible()
    return panel


def value(panel: Locator, facet: str, name: str) -> Locator:
    """One value of a facet, as its row."""
    group = panel.locator("details", has=panel.page.locator("summary", has_text=facet))
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    return group.locator("label", has=panel.page.locator(f'span:text-is("{name}")'))


def test_values_narrow_what_is_shown_and_the_address_keeps_them(
    page: Page, map_app: App, planted: Planted
) -> None:
    open_map(page, map_app)
    panel = open_filters(page)
    clock = planted.synthetic[1::4]
    expect(value(panel, "Slot WHAT", "clock").locator("em")).to_have_text(f"{len(clock):,}")
    value(panel, "Slot WHAT", "clock").click()
    shown = page.locator("[data-part=shown]")
    expect(shown).to_have_text(f"{len(clock):,} of {COUNT:,} shown")
    expect(page.locator("[data-part=filter]")).to_have_text("Filter (1)")
    both = [image for i, image in enumerate(planted.synthetic) if i % 4 == 1 and i % 3 == 0]
    expect(value(panel, "Generator", "digits").locator("em")).to_have_text(f"{len(both):,}")
    value(panel, "Generator", "digits").click()
    page.get_by_role("button", name="Select all shown").click()
    assert selected(page) == set(both)
    page.reload()
    expect(shown).to_have_text(f"{len(both):,} of {COUNT:,} shown")
    assert selected(page) == set(both)
    page.get_by_role("button", name="Filter (2)").click()
    page.get_by_role("button", name="Clear filters").click()
    expect(shown).to_have_text(f"{COUNT:,} of {COUNT:,} shown")
    page.go_back()
    expect(shown).to_have_text(f"{len(both):,} of {COUNT:,} shown")


def test_words_are_sought_in_prompts(page: Page, map_app: App, planted: Planted) -> None:
    open_map(page, map_app)
    panel = open_filters(page)
    search = panel.get_by_role("searchbox")
    search.fill("sofa animal")
    search.press("Enter")
    expect(page.locator("[data-part=shown]")).to_have_text(f"0 of {COUNT:,} shown")
    search.fill("photo SOFA")
    search.press("Enter")
    expect(page.locator("[data-part=shown]")).to_have_text(
        f"{len(planted.synthetic[::4]):,} of {COUNT:,} shown"
    )
    page.get_by_role("button", name="Select all shown").click()
    assert selected(page) == set(planted.synthetic[::4])


def test_review_and_annotator_are_facets_of_real_images(page: Page, map_app: App) -> None:
    open_map(page, map_app)
    panel = open_filters(page)
    value(panel, "Labeled by", "import").click()
    expect(page.locator("[data-part=shown]")).to_have_text(f"{REAL + TEST} of {COUNT:,} shown")
    expect(value(panel, "Review", "not reviewed").locator("em")).to_have_text("0")
    value(panel, "Labeled by", "import").click()
    value(panel, "Job", "none").click()
    expect(page.locator("[data-part=shown]")).to_have_text(f"{REAL + TEST} of {COUNT:,} shown")
    assert COUNT - REAL - TEST == SYNTHETIC
