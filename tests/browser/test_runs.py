"""The Runs page: filter, lay two side by side, open the images of a cell; make a view, fetch its export."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from synthaug.reading import runs as reading
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, views
from synthaug.workspace import Workspace
from tests.reading.test_runs import plant_comparison, plant_run
from tests.stages.helpers import add_synthetic

from .served import App, running
from .test_access import MOST_SHIFT, WATCH

if TYPE_CHECKING:
    from playwright.sync_api import Page

TRAIN, TEST = 20, 60
CELL = (3, 7)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two views, three runs on each, a comparison of them, and one run more."""
    root = tmp_path_factory.mktemp("runs") / "work"
    workspace = Workspace.create(root, (), "digits")
    entries = []
    for number in range(TRAIN + TEST):
        pixels = np.full((32, 32, 3), 3 * number, np.uint8)
        image, _ = catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(pixels, {}),
            size=(32, 32),
            split="train" if number < TRAIN else "test",
            origin="real",
            source="here",
        )
        entries.append(LabelEntry(image, "class", "import", "imported", f"import{number}", number % 10))
    record(workspace, entries)
    made = add_synthetic(workspace, 6, 8)
    record(workspace, [LabelEntry(each, "class", "ann", "human", f"made{each}", 8) for each in made])
    make_view(workspace, "real", ViewSpec())
    make_view(workspace, "mixed", ViewSpec(add_synthetic={"8": 6}))
    sides = [[plant_run(workspace, view, seed)[0] for seed in (0, 1, 2)] for view in ("real", "mixed")]
    plant_comparison(workspace, sides)
    workspace.db.close()
    with running(root) as started:
        yield started


def test_two_sides_and_the_images_of_a_cell(page: Page, app: App) -> None:
    page.goto(f"{app.url}/runs")
    rows = page.locator(".sa-runs-page tbody tr")
    expect(rows).to_have_count(7)
    page.get_by_label("Kind", exact=True).select_option("run")
    page.get_by_label("Arm", exact=True).select_option("real + synthetic")
    expect(rows).to_have_count(3)
    page.reload()
    expect(rows).to_have_count(3)  # the address keeps the filters
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("button", name="Show real against mixed").click()
    expect(page.locator(".sa-runs-side h3")).to_have_text(
        ["Comparison 1, baseline", "Comparison 1, augmented"]
    )
    workspace = Workspace.open(app.root)
    wanted = reading.cell(workspace, "comparison:1:augmented", *CELL)
    page.locator(f"[data-side$=augmented][data-true='{CELL[0]}'][data-predicted='{CELL[1]}']").click()
    pictures = page.locator(".sa-runs-images button")
    expect(pictures).to_have_count(len(wanted.ids))
    assert [int(each.get_attribute("data-sa-image") or 0) for each in pictures.all()] == list(wanted.ids)
    pictures.first.click()
    first = catalog.images_by_id(workspace.db, wanted.ids[:1])[0]
    workspace.db.close()
    expect(page.locator(f".sa-inspector img[src*='{first.sha256}']").first).to_be_visible()


def test_nothing_moves_when_runs_and_sides_come(page: Page, app: App) -> None:
    page.add_init_script(WATCH)
    page.goto(f"{app.url}/runs?left=comparison:1:baseline&right=comparison:1:augmented")
    expect(page.locator(".sa-runs-side h3")).to_have_count(2)
    expect(page.get_by_role("heading", name="Make a view")).to_be_visible()
    page.evaluate("() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))")
    assert page.evaluate("window.shifted") < MOST_SHIFT, page.evaluate("window.shifts")


def test_a_view_is_made_and_its_export_comes_down(page: Page, app: App, tmp_path: Path) -> None:
    page.goto(f"{app.url}/runs")
    page.get_by_label("Name", exact=True).fill("by hand")
    page.get_by_label("Repeat images until all classes are as large").check()
    page.get_by_role("button", name="Make the view").click()
    expect(page.get_by_text("by hand holds 20 images.")).to_be_visible()
    page.get_by_label("View", exact=True).click()
    page.get_by_role("option", name="by hand").click()
    page.get_by_role("button", name="Export", exact=True).click()
    link = page.get_by_role("link", name="ZIP")
    expect(link).to_have_count(1)
    with page.expect_download() as coming:
        link.click()
    coming.value.save_as(tmp_path / "export.zip")
    names = zipfile.ZipFile(tmp_path / "export.zip").namelist()
    assert "by-hand-cifar10/manifest.json" in names
    workspace = Workspace.open(app.root)
    assert [each.view for each in views.all_exports(workspace.db)] == ["by hand"]
    workspace.db.close()
