"""The Train page in a browser: one click to a verdict, whatever happens on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from synthaug.records import Job
from synthaug.running.jobs import JobQueue
from synthaug.stages import compare
from synthaug.stages.importing import import_images
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog
from synthaug.workspace import Workspace

from .served import A_JOB, App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCARCE = "8"
ADDED = 40
START = "Export the curated set and retrain"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One app on the digits: few real images a class, hardly an eight, and eights from elsewhere."""
    root = tmp_path_factory.mktemp("train")
    workspace = Workspace.create(root / "work", (), "digits")
    import_images(workspace, "digits", "digits")
    make_view(workspace, "few", ViewSpec(keep={SCARCE: 10}, fraction=0.3))
    import_images(workspace, eights(root / "eights"), "folder", origin="synthetic")
    train(workspace, "few", name="first")
    workspace.db.close()
    with running(root / "work") as started:
        yield started


def eights(folder: Path) -> Path:
    """Noisy eights: two rings, drawn, in a folder named after their class."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:32, 0:32]
    (folder / SCARCE).mkdir(parents=True)
    for number in range(ADDED):
        middle, size, stroke = rng.uniform(14, 18), rng.uniform(4.5, 6.5), rng.uniform(1.2, 2.2)
        rings = [np.hypot(rows - at, 1.25 * (columns - middle)) for at in (16 - size, 16 + size)]
        ink = np.maximum(*[np.exp(-(((ring - size) / stroke) ** 2)) for ring in rings])
        pixels = (240 * ink + rng.uniform(0, 15, ink.shape)).astype(np.uint8)
        Image.fromarray(pixels).convert("RGB").save(folder / SCARCE / f"{number}.png")
    return folder


def newest_job(app: App) -> Job:
    """The retraining that was asked for last."""
    workspace = Workspace.open(app.root)
    (job,) = JobQueue(workspace).list(1, kinds=("retrain",))
    workspace.db.close()
    return job


def comparisons(app: App) -> list[compare.Comparison]:
    """What the library has compared so far."""
    workspace = Workspace.open(app.root)
    found = compare.all_comparisons(workspace)
    workspace.db.close()
    return found


def open_page(page: Page, app: App, seeds: int = 3) -> None:
    """Open the page and choose the number of seeds."""
    page.goto(f"{app.url}/train")
    expect(page.locator(".sa-train-form h2")).to_be_visible()
    page.get_by_role("slider", name=re.compile("Seeds")).fill(str(seeds))


@pytest.mark.long
def test_stop_keeps_what_there_is_and_continue_goes_on(page: Page, app: App) -> None:
    before = len(comparisons(app))
    open_page(page, app, seeds=20)
    page.get_by_role("button", name=START).click()
    expect(page.locator(".sa-live .sa-run i.running")).to_be_visible(timeout=A_JOB)
    page.get_by_role("button", name="Stop").click()
    live = page.locator(".sa-live")
    expect(live).to_have_attribute("data-state", "cancelled", timeout=A_JOB)
    stopped = newest_job(app)
    assert stopped.state == "cancelled"
    assert len(comparisons(app)) == before
    page.get_by_role("button", name="Continue").click()
    expect(live).to_have_attribute("data-state", "running")
    page.get_by_role("button", name="Stop").click()
    expect(live).to_have_attribute("data-state", "cancelled", timeout=A_JOB)
    assert newest_job(app).id == stopped.id


@pytest.mark.long
def test_one_click_leads_to_a_verdict(page: Page, app: App) -> None:
    open_page(page, app)
    page.get_by_role("button", name=START).click()
    expect(page.locator(".sa-live polyline").first).to_be_visible(timeout=A_JOB)
    page.reload()
    expect(page.locator(".sa-live .sa-curve")).to_be_visible()
    expect(page.get_by_role("button", name=START)).to_be_disabled()
    expect(page.locator(".sa-verdict h2")).to_be_visible(timeout=A_JOB)
    expect(page.locator(".sa-live")).to_have_count(0)
    found = comparisons(app)[0]
    assert len(found.seeds) == 3
    expect(page.locator(".sa-verdict h2")).to_have_text(re.compile(f"^{found.verdict}$", re.IGNORECASE))
    expect(page.locator(".sa-verdict")).to_contain_text(found.verdict_text)
    figures = page.locator(".sa-evidence .sa-figures")
    expect(figures).to_contain_text(f"{100 * found.baseline.accuracy:.2f}%")
    expect(figures).to_contain_text(f"{100 * found.augmented.accuracy:.2f}%")
    expect(figures).to_contain_text(f"{100 * found.difference:+.2f}")
    expect(figures).to_contain_text(found.test_fingerprint[:12])
    expect(page.locator(".sa-verdict .sa-interval-seed")).to_have_count(3)
    expect(page.locator(".sa-control")).to_contain_text(comparisons(app)[1].verdict_text)
    expect(page.locator(".sa-pair .dot")).to_have_count(10)
    scarce = page.locator(".sa-count").nth(int(SCARCE))
    counts = found.baseline.counts[SCARCE], found.augmented.counts[SCARCE]
    assert counts[1] - counts[0] == ADDED
    expect(scarce).to_have_text(re.compile(rf"{counts[0]}\s*→\s*{counts[1]}"))
    for side, record in enumerate((found.baseline, found.augmented)):
        hits = page.locator(".sa-confusion").nth(side).locator("td.hit").all()
        titles = [hit.get_attribute("title") or "" for hit in hits]
        shown = [tuple(map(int, re.findall(r"(\d+) of (\d+)", title)[0])) for title in titles]
        assert shown == [(row[index], sum(row)) for index, row in enumerate(record.confusion)]
    path = Path(page.locator(".sa-path").inner_text())
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["view"] == found.augmented.view


@pytest.mark.long
def test_features_are_computed_from_the_page(page: Page, app: App) -> None:
    page.goto(f"{app.url}/explore")
    expect(page.locator(".sa-scatter-empty")).to_be_visible()
    page.get_by_role("button", name="Compute features").click()
    expect(page.locator(".sa-explore-progress")).to_be_visible()
    workspace = Workspace.open(app.root)
    images = catalog.count_images(workspace.db)
    workspace.db.close()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-painted", str(images), timeout=A_JOB)
    expect(page.locator("[data-part=shown]")).to_have_text(f"{images:,} of {images:,} shown")
    expect(page.get_by_role("button", name="Compute features")).to_be_enabled()


def test_a_comparison_that_cannot_be_made_has_no_button_to_press(
    page: Page, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    make_workspace(tmp_path / "work", ["cat", "<b>dog</b>"], 4).db.close()
    with running(tmp_path / "work") as app:
        open_page(page, app)
        expect(page.locator(".sa-empty")).to_contain_text("No evidence yet")
        expect(page.get_by_role("button", name=START)).to_be_disabled()
        expect(page.locator(".sa-page-train")).to_contain_text("this workspace lacks them")
