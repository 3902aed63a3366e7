"""The whole loop as a person does it: generate, predict, label, explore, export, retrain, read back."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from synthaug.stages import compare
from synthaug.stages.importing import import_images
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, generations, labels, views
from synthaug.workspace import Workspace

from .served import A_JOB, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

MADE = 40
BY_KEY = 10


@pytest.mark.long
def test_from_a_template_to_a_verdict(page: Page, tmp_path: Path) -> None:
    root = tmp_path / "work"
    workspace = Workspace.create(root, (), "digits")
    import_images(workspace, "digits", "digits")
    make_view(workspace, "few", ViewSpec(keep={"8": 10}, fraction=0.3))
    train(workspace, "few", name="first")
    with running(root) as app:
        generate(page, app.url)
        label_by_key(page, app.url)
        label_the_rest_in_the_plot(page, app.url)
        export_and_retrain(page, app.url)
    (job,) = {each.job_id for each in made_by(workspace).values()}
    assert sorted(each.position for each in made_by(workspace).values()) == list(range(MADE))
    said = labels.current(workspace.db, list(made_by(workspace)))
    assert {(label.value, label.class_index) for label in said.values()} == {("class", 8), ("reject", None)}
    assert sum(label.value == "reject" for label in said.values()) == 1
    newest = compare.all_comparisons(workspace)[0]
    assert newest.augmented.counts["8"] - newest.baseline.counts["8"] == MADE - 1
    check_the_export(workspace, Path(views.all_exports(workspace.db)[0].path))
    assert job == 1


def made_by(workspace: Workspace) -> dict[int, generations.Generation]:
    """How every synthetic image was made."""
    images = catalog.find_images(workspace.db, origin="synthetic")
    return generations.of_images(workspace.db, [image.id for image in images])


def generate(page: Page, url: str) -> None:
    """Describe eights, make them, and let the classifier look at them."""
    page.goto(f"{url}/generate")
    expect(page.locator("#start")).to_be_enabled()
    page.get_by_label("Template").fill("a {bold|thin} handwritten digit eight")
    expect(page.locator(".sa-page-generate")).to_contain_text("2 prompts")
    page.get_by_label("Images", exact=True).fill(str(MADE))
    page.locator("#start").click()
    expect(page.locator(".sa-job[data-state=done]")).to_be_visible(timeout=A_JOB)
    page.get_by_role("button", name="Predict new images").click()
    expect(page.locator(".sa-job[data-state=done]")).to_have_count(2, timeout=A_JOB)


def label_by_key(page: Page, url: str) -> None:
    """Reject the first image, and call the next ones eights."""
    page.goto(f"{url}/label")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    expect(page.locator(".ld-frame img")).to_be_visible()
    page.keyboard.press("x")
    for _ in range(BY_KEY - 1):
        page.keyboard.press("8")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    expect(page.locator("[data-reviewed]")).to_have_text(f"{BY_KEY} of {MADE} reviewed")


def label_the_rest_in_the_plot(page: Page, url: str) -> None:
    """Compute features, put a loop around everything, and take what is unreviewed for eights."""
    page.goto(f"{url}/explore")
    page.get_by_role("button", name="Compute features").click()
    expect(page.locator(".sa-scatter")).to_have_attribute("data-painted", str(1797 + MADE), timeout=A_JOB)
    legend = page.get_by_role("group", name="Show or hide by colour")
    page.locator("[data-part=mode]").select_option("state")
    legend.get_by_role("button", name="rejected").click()
    legend.get_by_role("button", name="labeled", exact=False).first.click()
    overlay = page.locator(".sa-scatter [data-part=overlay]")
    overlay.click(trial=True)
    box = overlay.bounding_box()
    assert box is not None
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()
    expect(page.locator("[data-part=marked]")).to_have_text(f"{MADE - BY_KEY} marked")
    page.locator(".sa-grid [data-class='8']").click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text(f"{MADE - BY_KEY} labels saved")


def export_and_retrain(page: Page, url: str) -> None:
    """One click, then wait for the verdict."""
    page.goto(f"{url}/train")
    expect(page.locator(".sa-train-form h2")).to_be_visible()
    page.get_by_role("slider", name="Seeds").fill("3")
    page.get_by_role("button", name="Export the curated set and retrain").click()
    expect(page.locator(".sa-verdict h2")).to_be_visible(timeout=A_JOB)
    expect(page.locator(".sa-live")).to_have_count(0, timeout=A_JOB)


def check_the_export(workspace: Workspace, directory: Path) -> None:
    """Read the export by the published description of CIFAR-10's files; compare it with the workspace."""
    found = []
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        with (directory / name).open("rb") as file:
            batch = pickle.load(file, encoding="bytes")
        pixels = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        found += list(zip(pixels, batch[b"labels"], strict=True))
    name = views.all_exports(workspace.db)[0].view
    view = views.by_name(workspace.db, name)
    members = views.members(workspace.db, view.id)
    assert len(found) == len(members) + 500
    for (pixels, class_index), member in list(zip(found, members, strict=False))[:: len(members) // 50]:
        assert class_index == member.class_index
        assert np.array_equal(pixels, workspace.images.read(member.sha256))
