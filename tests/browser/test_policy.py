"""The Content-Security-Policy in a real browser: nothing of ours breaches it, and what it is there for is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from synthaug.workspace import Workspace

from .conftest import POLICY
from .served import SESSIONS, App, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SETTLED = {
    "": ".sa-page-data h2",
    "generate": "#start:enabled",
    "finetune": "#tuning .sa-empty",
    "label": ".ld-frame img",
    "explore": ".sa-scatter-empty b",
    "train": ".sa-page-train .sa-empty",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """An app with a few images."""
    root = tmp_path_factory.mktemp("policy") / "work"
    make_workspace(root, ["cat", "dog"], 8).db.close()
    with running(root) as started:
        yield started


@pytest.fixture
def breaches() -> list[str]:
    """What the browser says against the policy."""
    return []


@pytest.fixture
def page(browser: Browser, app: App, breaches: list[str]) -> Iterator[Page]:
    """A fresh tab, logged in, that writes down each breach."""
    context = browser.new_context()
    context.add_cookies(list(SESSIONS.values()))  # type: ignore[arg-type]
    opened = context.new_page()
    opened.on("console", lambda said: breaches.append(said.text) if POLICY in said.text else None)
    yield opened
    context.close()


@pytest.mark.parametrize("path", SETTLED)
def test_no_page_breaches_the_policy(page: Page, app: App, breaches: list[str], path: str) -> None:
    page.goto(f"{app.url}/{path}")
    expect(page.locator(SETTLED[path]).first).to_be_visible()
    page.get_by_role("button", name="Switch between light and dark").click()
    assert breaches == []


def test_the_log_in_page_keeps_the_policy(page: Page, app: App, breaches: list[str]) -> None:
    page.goto(f"{app.url}/log-in")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert breaches == []


@pytest.mark.parametrize(
    "markup",
    [
        "<img src=/nothing.png onerror=\"document.title='owned'\">",
        "<svg onload=\"document.title='owned'\"></svg>",
        "<iframe srcdoc=\"<script>parent.document.title='owned'</script>\"></iframe>",
    ],
)
def test_a_script_that_got_into_the_page_does_not_run(
    page: Page, app: App, breaches: list[str], markup: str
) -> None:
    page.goto(f"{app.url}/label")
    expect(page.locator(SETTLED["label"])).to_be_visible()
    with page.expect_console_message(lambda said: POLICY in said.text):
        page.evaluate("markup => document.body.insertAdjacentHTML('beforeend', markup)", markup)
    assert page.title() != "owned"
    assert breaches


def test_the_browser_contacts_no_other_server(page: Page, app: App) -> None:
    page.goto(f"{app.url}/label")
    expect(page.locator(SETTLED["label"])).to_be_visible()
    with page.expect_console_message(lambda said: POLICY in said.text):
        sent = page.evaluate("fetch('http://localhost:9/?labels').then(() => true, () => false)")
    assert sent is False


@pytest.fixture
def elsewhere(tmp_path: Path, app: App) -> Iterator[str]:
    """Another site on this machine, with a page that frames the app's log-in."""
    (tmp_path / "index.html").write_text(f'<iframe src="{app.url}/log-in"></iframe>')
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_no_other_page_shows_the_app_in_a_frame(page: Page, app: App, elsewhere: str) -> None:
    with page.expect_event("requestfailed") as blocked:
        page.goto(elsewhere)
    assert blocked.value.url == f"{app.url}/log-in"
    assert blocked.value.failure == "net::ERR_BLOCKED_BY_RESPONSE"
