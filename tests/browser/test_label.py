"""The label desk in a browser: what is pressed is what the database says, whatever happens in between."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from synthaug.store import catalog, labels
from synthaug.workspace import Workspace

from .conftest import picture
from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
CLASSES = ["cat", HOSTILE, 'O\'Brien "the 2nd"', "🐱 ${document.title='owned'} {{value}}", "a/b\\c"]
IMAGES = 120


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """Synthetic images, and two real test images without a label."""
    root = tmp_path_factory.mktemp("label") / "work"
    workspace = make_workspace(root, CLASSES, IMAGES)
    for number in range(2):
        catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(picture(1000 + number), {}),
            size=(32, 32),
            split="test",
            origin="real",
            source=f"test/{number}.png",
        )
    workspace.db.close()
    with running(root) as started:
        yield started


@pytest.fixture
def since(app: App) -> int:
    """The last entry of the log before the test."""
    return last_entry(app)


def last_entry(app: App) -> int:
    """The id of the newest entry of the log."""
    workspace = Workspace.open(app.root)
    row = workspace.db.one("SELECT coalesce(max(id), 0) AS id FROM labels")
    workspace.db.close()
    assert row is not None
    return int(row["id"])


def open_desk(page: Page, app: App, query: str = "scope=synthetic") -> list[int]:
    """Open the desk; returns the ids of its queue, in order."""
    with page.expect_response(lambda answer: "/data/queue" in answer.url) as queue:
        page.goto(f"{app.url}/label?{query}")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    expect(page.locator(".ld-frame img")).to_be_visible()
    ids: list[int] = queue.value.json()["ids"]
    return ids


def all_saved(page: Page) -> None:
    """Wait until the desk says that everything is saved."""
    expect(page.locator("[data-saved]")).to_have_text("All saved")


def said(app: App, since: int) -> list[labels.LoggedLabel]:
    """The later entries of the log, in order."""
    workspace = Workspace.open(app.root)
    rows = workspace.db.query("SELECT DISTINCT image_id FROM labels WHERE id > ?", [since])
    entries = [entry for row in rows for entry in labels.history(workspace.db, row["image_id"])]
    workspace.db.close()
    return sorted((entry for entry in entries if entry.id > since), key=lambda entry: entry.id)


def in_short(entries: list[labels.LoggedLabel]) -> list[tuple[int, str, int | None, str]]:
    """What an entry says of which image."""
    return [(entry.image_id, entry.value, entry.class_index, entry.source) for entry in entries]


def test_every_key_is_recorded_for_the_image_that_was_shown(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    number = ids[2] - min(ids)
    page.keyboard.press("2")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.keyboard.press("u")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    all_saved(page)
    assert in_short(said(app, since)) == [
        (ids[0], "class", 1, "human"),
        (ids[1], "reject", None, "human"),
        (ids[2], "class", number % len(CLASSES), "accepted"),
        (ids[3], "unsure", None, "human"),
        (ids[5], "class", (ids[5] - min(ids)) % len(CLASSES), "accepted"),
    ]


def test_a_test_image_is_locked_by_its_label_and_an_owner_corrects_it(
    page: Page, app: App, since: int
) -> None:
    image, other = open_desk(page, app, "scope=real&order=newest")
    lock = page.locator("[data-lock]")
    expect(lock).to_be_hidden()
    page.keyboard.press("1")
    all_saved(page)
    page.keyboard.press("z")  # no way back: the page says why, and offers none that fails
    expect(lock).to_contain_text("The label of this test image is locked")
    for button in ("[data-class='1']", "[data-do=reject]", "[data-do=unsure]", ".ld-suggestion .ld-accept"):
        expect(page.locator(f".ld-side {button}")).to_be_disabled()
    for key in ("2", "x", "u", "Enter", "Shift+Z"):
        page.keyboard.press(key)
    expect(page.locator("[data-live]")).to_have_text("Nothing to redo.")
    lock.get_by_role("button", name="Correct").click()
    dialog = page.locator("[data-correction=label]")
    expect(dialog.locator("option")).to_have_text([*CLASSES[1:], "Rejected", "Unsure"])
    dialog.locator("select").select_option(CLASSES[2])
    dialog.locator("[name=reason]").fill("misread")
    page.keyboard.press("Enter")
    expect(page.locator("[data-current]")).to_have_text(CLASSES[2])
    assert in_short(said(app, since)) == [(image, "class", 0, "human"), (image, "class", 2, "human")]
    assert said(app, since)[-1].reason == "misread"
    page.keyboard.press("ArrowRight")
    expect(lock).to_be_hidden()
    expect(page.locator(".ld-side [data-do=reject]")).to_be_enabled()
    assert other != image


def test_a_burst_of_thirty_keys_labels_thirty_images_rightly(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    keys = [str(1 + position * 7 % len(CLASSES)) for position in range(30)]
    page.evaluate(
        "keys => keys.forEach(key => document.body.dispatchEvent("
        "new KeyboardEvent('keydown', { key, bubbles: true, composed: true })))",
        keys,
    )
    all_saved(page)
    expected = [(image_id, "class", int(key) - 1, "human") for image_id, key in zip(ids, keys, strict=False)]
    assert in_short(said(app, since)) == expected


def test_real_key_presses_in_quick_succession(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    for position in range(30):
        page.keyboard.press(str(1 + position % len(CLASSES)))
    all_saved(page)
    given = [(entry.image_id, entry.class_index) for entry in said(app, since)]
    assert given == [(ids[position], position % len(CLASSES)) for position in range(30)]


def test_the_image_shown_is_the_image_labeled(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    workspace = Workspace.open(app.root)
    for position in (0, 1):
        expect(page.locator(".ld-frame img")).to_have_attribute("alt", f"Image {ids[position]}")
        row = workspace.db.one("SELECT sha256 FROM images WHERE id = ?", [ids[position]])
        assert row is not None
        expect(page.locator(".ld-frame img")).to_have_attribute("src", re.compile(row["sha256"]))
        page.keyboard.press("ArrowRight")
    workspace.db.close()


def test_keys_in_a_text_field_label_nothing(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    page.evaluate("document.querySelector('.ld').append(document.createElement('textarea'))")
    page.locator(".ld textarea").click()
    page.keyboard.type("1x2u z")
    expect(page.locator(".ld textarea")).to_have_value("1x2u z")
    expect(page.locator("[data-place]")).to_have_text(f"Image 1 of {len(ids)} in the queue")
    assert said(app, since) == []


def test_held_keys_and_compositions_label_nothing(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    for extra in ("repeat: true", "isComposing: true", "metaKey: true", "altKey: true"):
        page.evaluate(
            f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: '1', bubbles: true, {extra} }}))"
        )
    expect(page.locator("[data-place]")).to_have_text(f"Image 1 of {len(ids)} in the queue")
    assert said(app, since) == []


def test_undo_goes_back_and_appends(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    page.keyboard.press("1")
    page.keyboard.press("2")
    expect(page.locator(".ld-frame img")).to_have_attribute("alt", f"Image {ids[2]}")
    page.keyboard.press("z")
    expect(page.locator(".ld-frame img")).to_have_attribute("alt", f"Image {ids[1]}")
    page.keyboard.press("Control+z")
    expect(page.locator(".ld-frame img")).to_have_attribute("alt", f"Image {ids[0]}")
    all_saved(page)
    entries = said(app, since)
    assert [(entry.image_id, entry.value) for entry in entries] == [
        (ids[0], "class"),
        (ids[1], "class"),
        (ids[1], "undo"),
        (ids[0], "undo"),
    ]
    assert [entry.undoes for entry in entries[2:]] == [entries[1].id, entries[0].id]


def test_back_and_label_again_appends_a_correction(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-current]")).to_have_text("cat")
    page.keyboard.press("5")
    all_saved(page)
    assert in_short(said(app, since)) == [
        (ids[0], "class", 0, "human"),
        (ids[0], "class", 4, "human"),
    ]


def test_class_names_are_shown_as_they_are(page: Page, app: App, since: int) -> None:
    open_desk(page, app)
    assert page.locator(".ld-class > span").all_text_contents() == CLASSES
    page.keyboard.press("2")
    expect(page.locator(".ld-strip span").first).to_have_text(HOSTILE)
    page.keyboard.press("?")
    expect(page.locator(".ld-dialog dd").nth(1)).to_have_text(HOSTILE)
    page.keyboard.press("Escape")
    all_saved(page)
    assert page.title() != "owned"
    assert page.locator(".ld img[src='x']").count() == 0


def test_buttons_say_what_keys_say(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    page.locator(".ld-class").nth(3).click()
    page.get_by_role("button", name="Reject").click()
    page.keyboard.press("3")  # the buttons have not taken the keys away
    all_saved(page)
    assert [(entry.image_id, entry.class_index) for entry in said(app, since)] == [
        (ids[0], 3),
        (ids[1], None),
        (ids[2], 2),
    ]


def test_the_page_does_not_shift_when_the_next_image_appears(page: Page, app: App, since: int) -> None:
    open_desk(page, app)
    parts = [
        ".ld-frame",
        ".ld-prompt",
        ".ld-accept",
        ".ld-classes",
        ".ld-actions",
        ".ld-strip",
        "[data-meter]",
    ]
    places = "parts => parts.map(part => document.querySelector(part).getBoundingClientRect().toJSON())"
    before = page.evaluate(places, parts)
    for key in ("1", "x", "Enter", "ArrowRight", "z"):
        page.keyboard.press(key)
        assert page.evaluate(places, parts) == before


def test_a_key_puts_a_small_image_over_the_window_and_takes_it_back(page: Page, app: App, since: int) -> None:
    open_desk(page, app)
    page.keyboard.press("%")
    expect(page.locator(".ld-main")).to_have_attribute("data-fill", "")
    box = page.locator(".ld-main").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["height"]) == (0, 0, 800)
    page.keyboard.press("Escape")
    expect(page.locator(".ld-main")).not_to_have_attribute("data-fill", "")
    assert said(app, since) == []


def test_an_answer_styles_parts_of_the_desk_and_not_the_page(page: Page, app: App, since: int) -> None:
    open_desk(page, app)
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    for key in ("1", "x", "ArrowRight"):
        page.keyboard.press(key)
    all_saved(page)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    styled = [each["args"]["elementCount"] for each in events if each["name"] == "UpdateLayoutTree"]
    assert styled
    assert max(styled) < page.locator("*").count() / 2


def test_a_selection_from_another_page_is_a_queue(page: Page, app: App, since: int) -> None:
    chosen = open_desk(page, app)[5:8]
    selected = [*chosen, 999_999]  # an image that is not there is left out
    page.evaluate(
        "ids => sessionStorage.setItem('synthaug.selection', JSON.stringify({ ids, from: 'explore' }))",
        selected,
    )
    page.goto(f"{app.url}/label")
    expect(page.locator("[data-place]")).to_have_text("Image 1 of 3 in the queue")
    expect(page.locator(".ld-frame img")).to_be_visible()
    for _ in chosen:
        page.keyboard.press("1")
    expect(page.locator("[data-empty-title]")).to_have_text("Nothing left to review")
    all_saved(page)
    assert [entry.image_id for entry in said(app, since)] == chosen


def test_a_label_of_another_site_is_refused(page: Page, app: App, since: int) -> None:
    ids = open_desk(page, app)
    entry: dict[str, Any] = {"image_id": ids[0], "value": "reject", "source": "human", "op_id": "x" * 20}
    body = json.dumps({"entries": [entry]})
    elsewhere = "http://localhost:9/"
    page.route(f"{elsewhere}**", lambda route: route.fulfill(body="another site", content_type="text/html"))
    page.goto(elsewhere)
    script = """async ([address, body]) => {
        try { await fetch(address, { method: 'POST', mode: 'no-cors', body }); } catch { /* refused */ }
    }"""
    with page.expect_event("requestfailed") as refused:  # the answer, 403, is kept from the other site
        page.evaluate(script, [f"{app.url}/data/labels", body])
    assert refused.value.url.endswith("/data/labels")
    assert said(app, since) == []


@pytest.mark.long
def test_labels_survive_a_server_that_goes_away(
    page: Page, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    make_workspace(tmp_path / "work", CLASSES, 20).db.close()
    with running(tmp_path / "work") as app:
        ids = open_desk(page, app)
        app.stop()
        for key in ("1", "2", "x", "z"):
            page.keyboard.press(key)
        expect(page.locator("[data-saved]")).to_have_text("4 unsaved · trying again")
        with page.expect_event("dialog") as leaving:
            page.evaluate("setTimeout(() => { location.href = '/'; }, 0)")
        assert leaving.value.type == "beforeunload"
        leaving.value.dismiss()
        app.start()
        all_saved(page)
        assert [(entry.image_id, entry.value) for entry in said(app, 0)] == [
            (ids[0], "class"),
            (ids[1], "class"),
            (ids[2], "reject"),
            (ids[2], "undo"),
        ]


@pytest.mark.long
def test_labels_survive_a_crash_of_the_browser(
    browsing: BrowserContext, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    make_workspace(tmp_path / "work", CLASSES, 20).db.close()
    with running(tmp_path / "work") as app:
        page = browsing.new_page()
        ids = open_desk(page, app)
        app.stop()
        page.keyboard.press("1")
        page.keyboard.press("2")
        expect(page.locator("[data-saved]")).to_have_attribute("data-count", "2")
        page.close(run_before_unload=False)
        app.start()
        page = browsing.new_page()
        left = open_desk(page, app, "scope=unreviewed")
        all_saved(page)
        given = [(entry.image_id, entry.class_index) for entry in said(app, 0)]
        assert given == [(ids[0], 0), (ids[1], 1)]
        assert left == ids[2:]
