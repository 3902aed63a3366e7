"""Choosing, comparing, judging and fine-tuning generators in a browser, with the digits model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.records import LabelEntry
from synthaug.stages import finetune, label
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog
from synthaug.workspace import Workspace
from tests.files import copy_workspace

from .served import A_JOB, App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, digits_template: Path) -> Iterator[App]:
    """An app on the digits, with a small view."""
    root = tmp_path_factory.mktemp("generating") / "work"
    copy_workspace(digits_template, root)
    workspace = Workspace.open(root)
    make_view(workspace, "few", ViewSpec(fraction=0.02))
    workspace.db.close()
    with running(root) as started:
        yield started


def open_generate(page: Page, app: App) -> None:
    """The page with the digits chosen."""
    page.goto(f"{app.url}/generate?generator=digits")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator(".sa-gen-name")).to_contain_text("digits")


@pytest.mark.long
def test_two_guidance_values_are_drawn_side_by_side(app: App, page: Page) -> None:
    open_generate(page, app)
    page.get_by_label("Steps").fill("2")
    page.locator("#compare input").check()
    page.get_by_role("button", name="Preview both").click()
    expect(page.locator("#preview .sa-error")).to_contain_text("the two settings are equal")
    page.get_by_label("Second guidance").fill("7")
    page.get_by_role("button", name="Preview both").click()
    pairs = page.locator("#preview .sa-pair-images")
    expect(pairs.locator("img")).to_have_count(16, timeout=A_JOB)
    expect(page.locator(".sa-compare-legend")).to_contain_text("guidance 7")
    prompts = [[image.get_attribute("alt") for image in pair.locator("img").all()] for pair in pairs.all()]
    assert all(left == right for left, right in prompts)
    sources = [[image.get_attribute("src") for image in pair.locator("img").all()] for pair in pairs.all()]
    assert any(left != right for left, right in sources)
    expect(page.locator("#stop-preview")).to_be_hidden()


def test_known_words_are_marked_and_unknown_ones_struck_through(app: App, page: Page) -> None:
    open_generate(page, app)
    expect(page.locator(".sa-gen-class")).to_contain_text("eight")
    page.locator("#template textarea").fill("a bold eight slanted left on a sofa")
    expect(page.locator(".sa-word-known")).to_have_text(["bold", "eight", "slanted left"])
    expect(page.locator(".sa-word-unknown")).to_have_text(["sofa"])
    expect(page.locator(".sa-words-legend")).to_contain_text("(sofa)")
    page.get_by_label("Generator", exact=True).fill("nobody/at-all")
    page.keyboard.press("Enter")
    expect(page.locator(".sa-gen-name")).to_contain_text("not on this machine yet")
    expect(page.locator(".sa-word-unknown")).to_have_count(0)


def test_bad_guidance_is_said_in_words(app: App, page: Page) -> None:
    open_generate(page, app)
    page.locator("#guidance").get_by_role("textbox").fill("a lot")
    page.locator("#start").click()
    expect(page.locator(".sa-form .sa-error")).to_contain_text("'a lot'")


@pytest.mark.long
def test_template_health_names_a_bad_word_and_opens_its_images(
    page: Page, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    workspace = make_workspace(tmp_path / "work", ["cat", "dog"], 4)
    with running(tmp_path / "work") as app:
        page.goto(f"{app.url}/generate")
        health = page.locator(".sa-health")
        expect(health).to_have_attribute("data-state", "empty")
        ids = [image.id for image in catalog.find_images(workspace.db, origin="synthetic")]
        said = [("reject", None), ("class", 1), ("class", 0)]
        label.record(
            workspace,
            [
                LabelEntry(image_id, value, "me", "human", f"operation-{image_id}", class_index)  # type: ignore[arg-type]
                for image_id, (value, class_index) in zip(ids, said, strict=False)
            ],
        )
        page.reload()
        expect(health).to_have_attribute("data-state", "filled")
        rows = health.locator("tbody tr")
        expect(rows).to_have_count(4)
        expect(rows.first).to_contain_text("100%1 of 1")
        health.get_by_role("button", name="Corrected").click()
        expect(rows.first.locator("td").first).to_have_text("1")
        rows.first.locator("td").nth(5).get_by_role("button").click()
        expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
        chosen = page.evaluate("JSON.parse(sessionStorage.getItem('synthaug.selection')).ids")
    workspace.db.close()
    assert chosen == [ids[1]]


@pytest.mark.long
def test_a_fine_tuning_shows_its_pictures_and_gives_a_generator(app: App, page: Page) -> None:
    page.goto(f"{app.url}/finetune")
    expect(page.get_by_label("Dataset view")).to_have_value("few")
    page.get_by_label("Caption").fill("a handwritten digit {class}")
    page.get_by_label("Base generator").fill("digits")
    page.keyboard.press("Enter")
    page.get_by_label("Steps", exact=True).fill("2")
    page.get_by_label("Validate every").fill("1")
    page.get_by_label("Validation prompts").fill("a bold eight\na thin three")
    page.locator("#tune-start").click()
    tuning = page.locator(".sa-tuning")
    expect(tuning).to_have_attribute("data-state", "done", timeout=A_JOB)
    pictures = tuning.locator(".sa-film img")
    expect(pictures).to_have_count(12)  # two prompts, two seeds each; before, after one step and two
    assert all(
        picture.evaluate("each => each.decode().then(() => each.naturalWidth)") == 32
        for picture in pictures.all()
    )
    expect(tuning.locator(".sa-loss polyline")).to_have_count(2)
    tuning.get_by_role("link", name="Generate with it").click()
    expect(page.locator(".sa-gen-name")).to_contain_text("fine-tuned here")
    workspace = Workspace.open(app.root)
    (model,) = finetune.list_finetuned(workspace)
    workspace.db.close()
    assert (model.method, model.steps) == ("lora", 2)
