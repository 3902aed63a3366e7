"""The real app in a process of its own, on a real workspace, driven in a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from synthaug.records import Pixels
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.store import catalog, generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from .planted import Planted

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000
A_JOB = 600_000
"""Milliseconds that a test waits for the page, and for a job. Waits that succeed are short on any machine."""
POLICY = "Content Security Policy"
READY = "synthaug is ready at "
BROWSERS: set[BrowserContext] = set()
SESSIONS: dict[str, dict[str, Any]] = {}
"""Open browser profiles, and the cookies of the apps that were started, by name: each profile is logged in to all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class App:
    """One ``synthaug_app`` process; stop it and start it again on the same port."""

    def __init__(self, root: Path, host: str = "127.0.0.1") -> None:
        self.root = root
        self.host = host
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it says that it is ready."""
        command = [sys.executable, "-m", "synthaug_app", str(self.root), "--port", str(self.port)]
        command += ["--host", self.host]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        seen = []
        for line in self._process.stderr:
            seen.append(line)
            if line.startswith(READY):
                shown = line.removeprefix(READY).split()[0]
                self.port = urlsplit(shown).port or 0
                if "token=" in shown:
                    log_in(shown)
                return
        pytest.fail(f"the app did not start: {''.join(seen)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone."""
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=PATIENCE / 1000)
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._process = None


def log_in(address: str) -> None:
    """Open the address that the app printed, and hand its cookie to every browser profile."""
    answer = httpx.get(address)
    (cookie,) = answer.cookies.jar
    SESSIONS[cookie.name] = {"name": cookie.name, "value": cookie.value, "domain": "127.0.0.1", "path": "/"}
    for profile in BROWSERS:
        profile.add_cookies([SESSIONS[cookie.name]])


@contextmanager
def running(root: Path, host: str = "127.0.0.1") -> Iterator[App]:
    """The app on a workspace, for as long as the block lasts."""
    app = App(root, host)
    app.start()
    try:
        yield app
    finally:
        app.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or Playwright's own where that is installed."""
    required = os.environ.get("SYNTHAUG_REQUIRE_BROWSER") == "1"
    try:
        from playwright.sync_api import Error, expect, sync_playwright
    except ImportError:
        give_up(required, "playwright is not installed")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        except Error as error:
            give_up(required, f"no Chromium: {str(error).splitlines()[0]}")
        yield launched
        launched.close()


def give_up(required: bool, reason: str) -> None:
    """Skip, or fail where a browser is demanded."""
    if required:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def browsing(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile that fails the test on a script error, a breach of the policy, a request to anywhere else."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    strangers: list[str] = []
    errors: list[str] = []

    def on_page(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if POLICY in said.text else None)
        page.on("request", lambda request: note(request.url))

    def note(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "http://localhost:", "data:", "blob:", "about:")):
            strangers.append(url)

    context.on("page", on_page)
    context.add_cookies(list(SESSIONS.values()))
    BROWSERS.add(context)
    yield context
    BROWSERS.remove(context)
    context.close()
    assert strangers == [], "the browser asked somebody else"
    assert errors == []


@pytest.fixture
def page(browsing: BrowserContext) -> Page:
    """A fresh tab."""
    return browsing.new_page()


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A workspace with known answers, and what they are. Tests of one session share it: leave it as it was."""
    from .planted import plant

    return plant(tmp_path_factory.mktemp("planted") / "work")


@pytest.fixture(scope="module")
def map_app(planted: Planted) -> Iterator[App]:
    """One app on the planted workspace."""
    with running(planted.root) as started:
        yield started


@pytest.fixture(scope="session")
def make_workspace() -> Callable[..., Workspace]:
    """``make_workspace(root, classes, count)``: a workspace with synthetic images, prompts and predictions."""
    return fill


def fill(root: Path, classes: list[str], count: int) -> Workspace:
    """``count`` different small images; number i was prompted as class 0 and is predicted as class i % K."""
    workspace = Workspace.create(root, classes)
    db = workspace.db
    spec = GenerationSpec("a <WHAT> picture", classes[0], count)
    params = GenerationParams(spec, "embedded", count, source_ids=None, size=(32, 32))
    job = jobs.submit(db, "generate", params.to_json(), count)
    jobs.finish(db, job, "done", result={"generated": count, "seconds": 1.0})
    ids = []
    with db.transaction():
        for number in range(count):
            sha256 = workspace.images.put(picture(number), {})
            image_id, _ = catalog.add_image(
                db, sha256=sha256, size=(32, 32), split="train", origin="synthetic", source=f"job {job}"
            )
            made = Generation(
                job,
                number,
                image_id,
                0,
                f"a {number} picture",
                number,
                {"WHAT": str(number)},
                number,
                "embedded",
                "r",
            )
            generations.add(db, made)
            ids.append(image_id)
    predict(workspace, ids, len(classes))
    return workspace


def picture(number: int) -> Pixels:
    """A 32-px image that no other number gives."""
    return np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def predict(workspace: Workspace, ids: list[int], classes: int) -> None:
    """Predictions of a (made up) model: image i is of class i % K, with 0.9."""
    metadata: dict[str, Any] = {"metrics": {}, "environment": {}, "file": "models/none.safetensors"}
    model = models.add(
        workspace.db, name="fixed", recipe="digits", revision="0" * 16, seed=0, view_id=None, **metadata
    )
    probs = np.full((len(ids), classes), 0.1 / max(1, classes - 1), np.float32)
    probs[np.arange(len(ids)), np.arange(len(ids)) % classes] = 0.9
    models.add_predictions(workspace.db, model.id, ids, probs, np.zeros((len(ids), 2), np.float32))
