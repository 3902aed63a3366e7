"""Two people in two browsers at one queue: never the same image, nothing overwritten, and conflicts settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.reading.agreement import Coefficient, agreement_of_readers
from synthaug.stages import accounts, reading_settings
from synthaug.stages.readers import Reader
from synthaug.store import catalog, labels, readings
from synthaug.workspace import Workspace
from tests.landmarks.made import hip_workspace
from tests.made import add_camera_images
from tests.reading.test_agreement import place_all

from .served import App, running
from .test_accounts import PASSWORD, desk_ready, log_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

REAL = 40
PEOPLE = {"anna": "owner", "ben": "reviewer", "cleo": "annotator", "dora": "annotator"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """Forty real images without a label, and four people."""
    workspace = make_workspace(tmp_path_factory.mktemp("readers") / "work", ["cat", "dog"], 5)
    add_camera_images(workspace, REAL, seed=78)
    for name, role in PEOPLE.items():
        accounts.add(workspace, name, role, PASSWORD)
    workspace.db.close()
    with running(workspace.root, "0.0.0.0") as started:  # noqa: S104 - closed at the end of the module
        yield started


@pytest.fixture
def others(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody else."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield context
    context.close()


def sit_down(page: Page, app: App, name: str, scope: str = "unlabeled") -> None:
    """Log in, and open a queue, the newest image first."""
    page.goto(f"{app.url}/label?scope={scope}&order=newest")
    log_in(page, name)
    desk_ready(page)


def shown(page: Page) -> int:
    """The id of the image that is looked at."""
    expect(page.locator(".ld-frame img")).to_be_visible()
    return int((page.locator(".ld-frame img").get_attribute("alt") or "").removeprefix("Image "))


def desk_open(page: Page) -> None:
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")


def saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_have_text("All saved")


def test_two_people_in_two_browsers_never_get_the_same_image(
    page: Page, others: BrowserContext, app: App
) -> None:
    first, second = page, others.new_page()
    sit_down(first, app, "cleo")
    sit_down(second, app, "dora")
    seen: dict[str, list[int]] = {"cleo": [], "dora": []}
    for _ in range(6):
        for name, desk, key in (("cleo", first, "1"), ("dora", second, "2")):
            seen[name].append(shown(desk))
            desk.keyboard.press(key)
    assert not set(seen["cleo"]) & set(seen["dora"])
    for _ in range(REAL):  # to the end of the queue, with what the other left
        for desk in (first, second):
            if desk.locator("[data-empty]").is_hidden():
                desk.keyboard.press("1")
    for desk in (first, second):
        expect(desk.locator("[data-empty-title]")).to_have_text("Nothing left to review")
        saved(desk)
    workspace = Workspace.open(app.root)
    log = workspace.db.query("SELECT image_id, annotator, reading FROM labels ORDER BY id")
    workspace.db.close()
    assert len({row["image_id"] for row in log}) == len(log)
    assert all(row["reading"] is None for row in log)
    assert {row["annotator"] for row in log} == {"cleo", "dora"}


def test_a_second_reading_is_blind_and_a_reviewer_settles_what_differs(
    page: Page, others: BrowserContext, app: App
) -> None:
    workspace = Workspace.open(app.root)
    reading_settings.change(workspace, second_share=1.0)
    sit_down(page, app, "cleo", "unreviewed")
    image = shown(page)
    page.keyboard.press("1")
    saved(page)

    second = others.new_page()
    sit_down(second, app, "dora", "unreviewed")
    assert shown(second) == image
    expect(second.locator("[data-current]")).to_have_text("not labeled yet")
    expect(second.locator("[data-why]")).to_contain_text("blind reading")
    second.keyboard.press("2")
    saved(second)
    assert labels.current(workspace.db, [image])[image].annotator == "cleo"
    assert readings.conflicts(workspace.db) == [image]
    expect(second.locator("[data-scope] option[value=conflicts]")).to_have_count(0)
    second.get_by_role("button", name="Log out").click()

    sit_down(second, app, "ben", "conflicts")
    assert shown(second) == image
    expect(second.locator("[data-slots] dt")).to_have_text(["cleo", "dora"])
    expect(second.locator("[data-slots] dd")).to_have_text(["cat", "dog"])
    second.keyboard.press("2")
    saved(second)
    expect(second.locator("[data-empty-title]")).to_have_text("No conflict left")
    current = labels.current(workspace.db, [image])[image]
    assert (current.annotator, current.class_index) == ("ben", 1)
    assert readings.conflicts(workspace.db) == []
    second.goto(f"{app.url}/image/{catalog.images_by_id(workspace.db, [image])[0].sha256}")
    timeline = second.locator(".sa-inspector-log li")  # the newest first
    expect(timeline.locator("b")).to_have_text(["dog", "dog", "cat"])
    for line, said in enumerate(("ben · settles the conflict", "dora · reading 2", "cleo · reading 1")):
        expect(timeline.nth(line)).to_contain_text(said)
    expect(timeline.get_by_text("counts")).to_have_count(1)
    expect(timeline.first).to_contain_text("counts")
    expect(second.locator(".sa-inspector")).not_to_contain_text("These readers differ")
    reading_settings.change(workspace, second_share=0.0)
    workspace.db.close()


def test_notes_filters_and_keys_of_ones_own(page: Page, app: App) -> None:
    workspace = Workspace.open(app.root)
    page.goto(f"{app.url}/label?scope=real&order=newest")
    log_in(page, "anna")
    desk_ready(page)
    image = shown(page)
    page.get_by_label("Note on this image").fill("rim <b>hidden</b>")
    page.keyboard.press("Enter")
    with page.expect_response(lambda answer: '"flagged":true' in (answer.request.post_data or "")):
        page.keyboard.press("!")
    expect(page.locator("[data-flag]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-scope]").select_option("flagged")
    expect(page.locator("[data-place]")).to_have_text("Image 1 of 1 in the queue")
    assert shown(page) == image
    expect(page.get_by_label("Note on this image")).to_have_value("rim <b>hidden</b>")

    page.locator("[data-scope]").select_option("real")
    page.locator("[data-filter-title]").click()
    page.locator("[data-filter] [name=from]").fill("95")
    page.locator("[data-filter] [name=from]").press("Tab")
    expect(page.locator("[data-filter-title]")).to_have_text("Filter: 1 condition")
    expect(page.locator("[data-empty]")).to_be_visible()  # no model has seen them
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Close").first.click()
    expect(page.locator("[data-place]")).to_have_text(f"Image 1 of {REAL} in the queue")

    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key of Reject").click()
    page.keyboard.press("1")
    expect(page.locator("[data-keys-said]")).to_contain_text('1 is "cat" already')
    page.keyboard.press("r")
    page.locator("[data-dialog]").get_by_role("button", name="Close").click()
    expect(page.locator(".ld [data-do=reject] kbd")).to_have_text("R")
    image = shown(page)
    page.keyboard.press("x")
    page.keyboard.press("r")
    saved(page)
    current = labels.current(workspace.db, [image])[image]
    assert (current.annotator, current.value) == ("anna", "reject")
    workspace.db.close()


def words(*found: Coefficient) -> list[str]:
    """Coefficients as a table shows them."""
    return [
        "not defined" if each.value is None else f"{each.value:.2f} ({each.low:.2f} to {each.high:.2f})"
        for each in found
    ]


def cells(page: Page, head: str) -> list[str]:
    """The figures of the table of agreement with this head, row by row."""
    table = page.locator(".rd-agreement table").filter(has=page.get_by_role("columnheader", name=head))
    expect(table).to_be_visible()
    return table.locator("tbody .sa-num").all_inner_texts()


def test_the_owner_sets_how_is_read_sees_the_agreement_and_writes_the_guideline(
    page: Page, others: BrowserContext, tmp_path: Path
) -> None:
    workspace = hip_workspace(tmp_path / "work")
    for name, role in PEOPLE.items():
        accounts.add(workspace, name, role, PASSWORD)
    ben, cleo, dora = Reader("ben"), Reader("cleo"), Reader("dora")
    for number in range(8):
        shifts = {ben: 0.0, cleo: 1.0 + number % 3} | ({dora: 3.0 - number % 2} if number else {})
        place_all(workspace, shifts, number)
    found = agreement_of_readers(workspace)
    with running(workspace.root, "0.0.0.0") as app:  # noqa: S104 - closed at the end of the test
        page.goto(f"{app.url}/label?scope=real")
        log_in(page, "anna")
        desk_open(page)
        page.get_by_role("button", name="Readers").click()
        all_answers = cells(page, "Fleiss' kappa")
        assert all_answers[:2] == words(found.alpha, found.kappa)
        assert all_answers[2:] == [
            cell for name in found.classes for cell in words(found.classes[name], found.class_kappas[name])
        ]
        assert cells(page, "All readers: angles") == words(*[each.icc for each in found.angles.values()])
        for pair in found.pairs:
            who = f"{pair.first} and {pair.second}"
            assert cells(page, f"{who}: same answer") == words(pair.kappa, *pair.classes.values())
            assert cells(page, f"{who}: angles") == words(*[each.icc for each in pair.angles.values()])
        page.get_by_label("Blind reading").check()
        page.get_by_label("Second readings").fill("25")
        page.locator(".rd-settings").get_by_role("button", name="Save").click()
        expect(page.locator(".rd-settings").get_by_role("status")).to_have_text("Saved")
        page.locator(".rd-readers").get_by_role("button", name="Close").click()

        page.get_by_role("button", name="Guideline").click()
        expect(page.locator(".rd-guideline article")).to_contain_text("There is no guideline yet")
        page.get_by_role("button", name="Edit").click()
        page.get_by_label("Guideline in Markdown").fill("# Rim\n\nThe **outer** rim.\n- <i>left</i>\n- right")
        page.locator(".rd-guideline").get_by_role("button", name="Save").click()
        expect(page.locator(".rd-guideline article").get_by_role("heading")).to_have_text("Rim")
        settings = reading_settings.settings(workspace)
        assert (settings.blind, settings.second_share) == (True, 0.25)

        reader = others.new_page()
        reader.goto(f"{app.url}/label?scope=real")
        log_in(reader, "dora")
        desk_open(reader)
        expect(reader.get_by_role("button", name="Readers")).to_be_hidden()
        reader.get_by_role("button", name="Guideline").click()
        guideline = reader.locator(".rd-guideline article")
        expect(guideline.get_by_role("heading")).to_have_text("Rim")
        expect(guideline.locator("p strong")).to_have_text("outer")
        expect(guideline.get_by_role("listitem")).to_have_text(["<i>left</i>", "right"])
        expect(reader.get_by_role("button", name="Edit")).to_be_hidden()
    workspace.db.close()
