"""Tags on the map and the retiring of a word, as a person does both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from synthaug.stages import retire
from synthaug.stages.tag import counts
from synthaug.workspace import Workspace
from tests.files import copy_workspace

from .planted import COUNT, Planted, open_map, selected
from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def own_app(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The planted workspace, a copy of one's own: these tests write to it."""
    root = tmp_path_factory.mktemp("tags") / "work"
    copy_workspace(planted.root, root)
    with running(root) as started:
        yield started


def in_workspace(root: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The tags and the retired values that the library knows."""
    workspace = Workspace.open(root)
    found = counts(workspace), [(each.slot, each.value) for each in retire.retired(workspace)]
    workspace.db.close()
    return found


def test_tag_a_selection_filter_by_it_and_colour_by_it(page: Page, own_app: App, planted: Planted) -> None:
    open_map(page, own_app)
    page.get_by_role("button", name="Filter").click()
    page.locator(".sa-scatter-filters label", has_text="clock").get_by_role("checkbox").check()
    page.get_by_role("button", name="Select all shown").click()
    clocks = selected(page)
    assert 0 < len(clocks) < len(planted.synthetic)
    page.locator(".sa-grid [data-part=tag]").fill("ticks")
    page.locator(".sa-grid [data-do=tag]").click()
    expect(page.locator(".sa-grid [data-part=status]")).to_have_text(f'{len(clocks):,} images tagged "ticks"')
    assert in_workspace(own_app.root)[0] == {"ticks": len(clocks)}
    page.get_by_role("button", name="Clear filters").click()
    page.locator(".sa-scatter-filters summary", has_text="Tag").click()
    page.locator(".sa-scatter-filters details", has_text="Tag").get_by_role(
        "button", name="Colour by this"
    ).last.click()
    keys = page.locator(".sa-scatter [data-part=legend] .sa-scatter-key")
    expect(keys).to_have_text([f"ticks{len(clocks):,}", f"none{COUNT - len(clocks):,}"])
    assert parse_qs(urlsplit(page.url).query)["by"] == ["facet:tag"]
    page.reload()
    expect(keys).to_have_count(2)
    page.locator(".sa-grid-tile img").first.click()
    page.get_by_role("button", name="Take off the tag ticks").click()
    expect(page.locator(".sa-inspector-tags .sa-chip")).to_have_count(0)
    assert in_workspace(own_app.root)[0] == {"ticks": len(clocks) - 1}


def test_a_word_is_retired_and_taken_back(page: Page, own_app: App) -> None:
    page.goto(f"{own_app.url}/generate")
    page.get_by_role("button", name="Retire clock of WHAT").click()
    expect(page.locator(".sa-health-retired")).to_have_text(
        "Retired values, which jobs leave out: WHAT: clock."
    )
    assert in_workspace(own_app.root)[1] == [("WHAT", "clock")]
    page.get_by_role("button", name="Restore clock of WHAT").click()
    expect(page.get_by_role("button", name="Retire clock of WHAT")).to_be_visible()
    assert in_workspace(own_app.root)[1] == []
