"""Every page in a browser: it opens, keeps to itself, fits, and its jobs outlive a reload."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect
from synthaug_app.modules import NOT_LOADED

from synthaug.store import catalog
from synthaug.workspace import Workspace
from tests.files import copy_workspace

from .conftest import picture
from .served import A_JOB, App, running

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

PAGES = ("", "generate", "finetune", "label", "explore", "train", "runs")
HOSTILE = "<b onclick=alert(1)>cat</b> ${1+1} {{value}} 🐈"


@pytest.fixture(scope="module")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]
) -> Iterator[App]:
    """An app whose class names try to be code."""
    root = tmp_path_factory.mktemp("pages") / "work"
    make_workspace(root, [HOSTILE, "dog"], 12).db.close()
    with running(root) as app:
        yield app


@pytest.fixture(scope="module")
def digits_app(tmp_path_factory: pytest.TempPathFactory, digits_template: Path) -> Iterator[App]:
    """An app on the digits, which the embedded generator can draw."""
    root = tmp_path_factory.mktemp("digits-app") / "work"
    copy_workspace(digits_template, root)
    with running(root) as app:
        yield app


@pytest.fixture(scope="module")
def empty_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app on a workspace without an image."""
    root = tmp_path_factory.mktemp("empty") / "hips"
    Workspace.create(root, (), "hip").db.close()
    with running(root) as app:
        yield app


MODULES = """() => [
    [...document.querySelectorAll('link[rel=modulepreload]')].map((each) => each.href),
    performance.getEntriesByType('resource').map((each) => each.name),
].map((all) => all.filter((each) => each.includes('/app/')))"""
"""The addresses of our modules that the head of a page announces, and of those that the browser fetched."""


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_and_fits(hostile: App, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{hostile.url}/{path}")
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("h1 + p")).not_to_be_empty()
    expect(page.locator(".sa-nav a[aria-current=page]")).to_have_attribute("href", f"/{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
    assert page.locator("footer:visible").count() == 0
    announced, fetched = page.evaluate(MODULES)
    assert announced
    assert set(fetched) == set(announced)


BLOCKED = {
    "generate": [("Predict new images", "Predicting needs a classifier.")],
    "finetune": [("Start fine-tuning", "There is no dataset view yet.")],
    "explore": [("Compute features", "Import or generate images, then compute their features.")],
    "train": [
        ("Train a model", "needs labeled images of two classes"),
        ("Export the curated set and retrain", "The comparison needs real images to train on"),
    ],
    "runs": [
        ("Make the view", "A view needs labeled training images."),
        ("Export", "There is no view to export yet."),
    ],
}
"""Buttons that can do nothing in an empty workspace, and the reason that their page gives."""


def test_in_an_empty_workspace_no_button_is_enabled_that_would_fail(empty_app: App, page: Page) -> None:
    for path, buttons in BLOCKED.items():
        page.goto(f"{empty_app.url}/{path}")
        for name, reason in buttons:
            expect(page.get_by_text(reason)).to_be_visible()
            expect(page.get_by_role("button", name=name, exact=True)).to_be_disabled()
    page.goto(f"{empty_app.url}/explore")
    expect(page.locator(".sa-scatter")).to_have_attribute("data-state", "empty")
    page.locator(".sa-scatter [data-to=umap]").focus()
    expect(page.locator(".sa-scatter :focus")).to_have_count(0)  # not by key either


def test_tabs_can_be_told_apart_and_the_header_skipped(empty_app: App, page: Page) -> None:
    for path, name in (("", "Data"), ("label", "Label"), ("runs", "Runs")):
        page.goto(f"{empty_app.url}/{path}")
        expect(page.locator("html")).to_have_attribute("data-sa-role", "owner")  # the shell is there
        expect(page).to_have_title(f"{name} · hips · synthaug")
        skip = page.get_by_role("link", name="Skip to content")
        expect(skip).not_to_be_in_viewport()
        page.keyboard.press("Tab")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator(".sa-body")).to_be_focused()
        assert page.url == f"{empty_app.url}/{path}"
        page.keyboard.press("Tab")
        expect(page.locator(".sa-body :focus")).to_have_count(1)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(hostile: App, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{hostile.url}/{path}")
    expect(page.locator(".sa-card, .sa-guide, .ld-bar, .sa-scatter").first).to_be_visible()
    wide = page.evaluate(
        "[...document.querySelectorAll('.sa-card, .sa-guide, .ld-bar, .sa-scatter')]"
        ".filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.className)"
    )
    assert wide == []


def test_a_part_that_did_not_load_says_so(hostile: App, page: Page) -> None:
    page.route("**/components/importing/importing.js", lambda route: route.abort())
    page.goto(hostile.url)
    expect(page.get_by_role("alert")).to_have_text(NOT_LOADED)


def test_the_theme_chosen_holds_on_every_page(hostile: App, page: Page) -> None:
    page.goto(hostile.url)
    expect(page.locator("html")).to_have_attribute("data-sa-role", "owner")  # the shell is there
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.get_by_role("button", name="Switch between light and dark").click()
    for path in PAGES:
        page.goto(f"{hostile.url}/{path}")
        expect(page.locator("h1")).to_have_count(1)
        page.wait_for_function("dark => document.body.classList.contains('dark') !== dark", arg=dark)


def test_class_names_stay_text(hostile: App, page: Page) -> None:
    page.goto(hostile.url)
    expect(page.locator(".sa-class-name").first).to_have_text(HOSTILE)
    page.goto(f"{hostile.url}/generate")
    expect(page.get_by_label("Class")).to_have_value(HOSTILE)


def test_a_template_says_how_many_prompts_or_where_it_is_wrong(hostile: App, page: Page) -> None:
    open_generate(page, hostile)
    field = page.locator("#template textarea")
    field.fill("<BREED> cat <PREPOSITION> the <FURNITURE>")
    expect(page.locator(".sa-prompts b")).to_have_text("101,915")
    expect(page.locator(".sa-prompts p")).to_contain_text("92,650 different")
    expect(page.locator(".sa-prompts li")).to_have_count(5)
    field.fill("a cat {on|under the sofa")
    expect(page.locator(".sa-prompts mark")).to_have_text("{")
    field.fill("a <i>nice</i> cat")
    expect(page.locator(".sa-prompts i")).to_have_count(0)


def test_prompts_are_those_of_the_latest_template_however_late_an_answer_is(hostile: App, page: Page) -> None:
    open_generate(page, hostile)
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}").get("data") or []
        if asked[:2] == ["a <WHAT> picture", "digits"] and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/gradio_api/queue/join*", hold)
    with page.expect_request(lambda request: '["a <WHAT> picture","digits"' in (request.post_data or "")):
        page.get_by_label("Generator", exact=True).fill("digits")
        page.keyboard.press("Enter")
    page.locator("#template textarea").fill("one <BREED>")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    held[0].continue_()
    expect(page.locator(".sa-gen-name")).to_contain_text("digits")
    expect(page.locator(".sa-prompts li").first).to_contain_text("one ")


def test_an_import_reports_what_it_took_and_what_it_refused(hostile: App, page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "source" / "dog"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(picture(900 + number)).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"not an image")
    page.goto(hostile.url)
    images = page.locator(".sa-figures dd").first
    expect(images).to_have_text(re.compile(r"^\d+$"))
    before = int(images.text_content() or "")
    look_at(page, str(tmp_path / "source"))
    page.get_by_role("button", name="Import 4 images").click()
    expect(page.locator(".sa-job-foot").first).to_contain_text("3 added")
    expect(page.locator(".sa-job .sa-chip.warn").first).to_have_text("1 not imported")
    page.get_by_text("1 file was not imported").click()
    expect(page.locator(".sa-rejected td").first).to_contain_text("broken.png")
    with page.expect_download() as listed:
        page.get_by_role("link", name="Download the list (CSV)").click()
    assert "broken.png" in listed.value.path().read_text()
    expect(images).to_have_text(str(before + 3))


def look_at(page: Page, path: str) -> None:
    """Ask for what a path on the server holds."""
    page.get_by_role("button", name="On this machine").click()
    page.locator(".im-path input").fill(path)
    page.get_by_role("button", name="Open", exact=True).click()


def test_a_path_that_is_not_there_says_so(hostile: App, page: Page) -> None:
    page.goto(hostile.url)
    look_at(page, "/does/not/exist")
    expect(page.locator(".im .sa-error")).to_contain_text("does not exist")


@pytest.mark.long
def test_generating_previews_runs_and_outlives_a_reload(digits_app: App, page: Page) -> None:
    open_generate(page, digits_app)
    expect(page.get_by_label("Class")).to_have_value("8")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".sa-previews img")).to_have_count(8, timeout=A_JOB)
    page.get_by_label("Images", exact=True).fill("200")
    page.locator("#start").click()
    expect(page.locator(".sa-job[data-state=running]")).to_be_visible(timeout=A_JOB)
    page.reload()
    expect(page.locator(".sa-job")).to_have_count(1)
    expect(page.locator(".sa-job[data-state=done]")).to_be_visible(timeout=A_JOB)
    expect(page.locator(".sa-job-foot").first).to_contain_text("200 of 200")
    expect(page.locator(".sa-fresh img")).to_have_count(24)
    assert made(digits_app) == 200


@pytest.mark.long
def test_a_running_job_can_be_stopped_and_goes_on(digits_app: App, page: Page) -> None:
    before = made(digits_app)
    open_generate(page, digits_app)
    page.get_by_label("Images", exact=True).fill("100")
    page.get_by_label("Seed").fill("7")
    page.locator("#start").click()
    newest = page.locator(".sa-job").first
    expect(newest).to_have_attribute("data-state", "running", timeout=A_JOB)
    newest.get_by_role("button", name="Stop").click()
    expect(newest).to_have_attribute("data-state", "cancelled", timeout=A_JOB)
    newest.get_by_role("button", name="Continue").click()
    expect(newest).to_have_attribute("data-state", "done", timeout=A_JOB)
    assert made(digits_app) == before + 100


def test_two_tabs_see_the_same_job(digits_app: App, browsing: BrowserContext) -> None:
    first, second = browsing.new_page(), browsing.new_page()
    for page in (first, second):
        open_generate(page, digits_app)
    first.get_by_label("Images", exact=True).fill("4")
    jobs = second.locator(".sa-job").count()
    first.locator("#start").click()
    expect(second.locator(".sa-job")).to_have_count(jobs + 1)
    expect(second.locator(".sa-job").first).to_have_attribute("data-state", "done", timeout=A_JOB)


def open_generate(page: Page, app: App) -> None:
    """Open the page and wait until it has filled in its form."""
    page.goto(f"{app.url}/generate")
    expect(page.locator("#start")).to_be_enabled()


def made(app: App) -> int:
    """How many synthetic images there are."""
    workspace = Workspace.open(app.root)
    count = len(catalog.find_images(workspace.db, origin="synthetic"))
    workspace.db.close()
    return count
