"""People on a network: each logs in, sees what is theirs, and signs with their own name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.stages import accounts
from synthaug.workspace import Workspace

from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that the test makes
PEOPLE = {"anna": "owner", "ben": "reviewer", "cleo": "annotator", "dora": "annotator"}
NOTICE_A_CHANGE = """() => {
    const module = document.querySelector('link[rel=modulepreload][href$="/static/lib/changes.js"]').href;
    return import(module).then(({ noteState }) => noteState("another"));
}"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """An app that other machines may reach, with four accounts."""
    workspace = make_workspace(tmp_path_factory.mktemp("accounts") / "work", ["cat", "dog"], 20)
    for name, role in PEOPLE.items():
        accounts.add(workspace, name, role, PASSWORD)
    workspace.db.close()
    with running(workspace.root, "0.0.0.0") as started:  # noqa: S104 - closed at the end of the module
        yield started


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Fill in the form that is shown."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def desk_ready(page: Page) -> None:
    """Wait until the first image is there."""
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    expect(page.locator(".ld-frame img")).to_be_visible()


def signed(app: App) -> list[str]:
    """Who gave each label, in order."""
    workspace = Workspace.open(app.root)
    rows = workspace.db.query("SELECT annotator FROM labels ORDER BY id")
    workspace.db.close()
    return [row["annotator"] for row in rows]


def test_an_annotator_logs_in_labels_and_logs_out(page: Page, app: App) -> None:
    page.goto(f"{app.url}/label?scope=all")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    log_in(page, "cleo", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    log_in(page, "cleo")
    desk_ready(page)
    assert page.url == f"{app.url}/label?scope=all"
    expect(page.locator("[data-annotator]")).to_have_text("cleo")
    expect(page.locator("[data-sa-person]")).to_have_text("cleo")
    expect(page.locator(".sa-nav a:visible")).to_have_text(["Label"])
    page.keyboard.press("1")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert signed(app)[-1] == "cleo"
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(f"{app.url}/label")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ben", ["Data", "Label", "Explore", "Train", "Runs"]),
        ("anna", ["Data", "Generate", "Fine-tune", "Label", "Explore", "Train", "Runs"]),
    ],
)
def test_a_role_sees_its_pages(page: Page, app: App, name: str, shown: list[str]) -> None:
    page.goto(app.url)
    log_in(page, name)
    expect(page.locator(".sa-figures dd").first).to_have_text("20")
    expect(page.locator("[data-sa-person]")).to_have_text(name)
    expect(page.locator(".sa-nav a:visible")).to_have_text(shown)
    assert page.get_by_role("button", name="Choose a folder").is_visible() == (name == "anna")
    page.goto(f"{app.url}/generate")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Generate" if name == "anna" else "Generate is for owners"
    )


def test_answers_kept_in_a_browser_are_never_signed_by_the_next_person(
    browsing: BrowserContext, app: App
) -> None:
    first = browsing.new_page()
    first.goto(f"{app.url}/label?scope=unreviewed")
    log_in(first, "cleo")
    desk_ready(first)
    before = signed(app)
    other = browsing.new_page()
    other.goto(f"{app.url}/label")
    expect(other.locator("[data-sa-person]")).to_have_text("cleo")
    other.get_by_role("button", name="Log out").click()
    log_in(other, "dora")
    desk_ready(other)
    first.keyboard.press("2")  # on the page that cleo opened, while dora is logged in
    expect(first.locator("[data-problem]")).to_contain_text(
        "'cleo' opened this page, but 'dora' is now logged in"
    )
    expect(other.locator("[data-saved]")).to_have_text("All saved")
    assert signed(app) == before
    other.get_by_role("button", name="Log out").click()
    log_in(other, "cleo")
    expect(first.locator("[data-saved]")).to_have_text("All saved")
    assert signed(app) == [*before, "cleo"]


def test_a_page_that_polls_tells_the_end_of_a_session_once(page: Page, app: App) -> None:
    page.goto(app.url)
    log_in(page, "ben")
    expect(page.locator(".sa-figures dd").first).to_have_text("20")
    workspace = Workspace.open(app.root)
    with page.expect_response(lambda answer: "/data/jobs" in answer.url and answer.status == 401):
        accounts.set_password(workspace, "ben", PASSWORD)
    workspace.db.close()
    with page.expect_response(lambda answer: "/queue/join" in answer.url and answer.status == 401):
        page.evaluate(NOTICE_A_CHANGE)  # as if it had been noticed just before the session ended
    expect(page.get_by_role("link", name="Log in again")).to_be_visible()
    expect(page.locator(".toast-body:visible")).to_have_count(0)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Log in again").click()
    log_in(opened.value, "ben")
    expect(page.locator("[data-sa-person]")).to_have_text("ben")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_a_session_that_an_owner_ended_says_so_and_loses_nothing(page: Page, app: App) -> None:
    page.goto(f"{app.url}/label?scope=unreviewed")
    log_in(page, "dora")
    desk_ready(page)
    workspace = Workspace.open(app.root)
    accounts.set_password(workspace, "dora", PASSWORD + "!")
    page.keyboard.press("1")
    expect(page.locator("[data-problem]")).to_contain_text("not logged in")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Log in again").click()
    log_in(opened.value, "dora", PASSWORD + "!")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    workspace.db.close()
    assert signed(app)[-1] == "dora"
