"""The real app in a process of its own, on a real workspace, driven in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synthaug.records import Pixels
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.store import catalog, generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace

from .served import BROWSERS, PATIENCE, SESSIONS, App, running

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
POLICY = "Content Security Policy"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, best without a window (half of the work), or Playwright's own where that is installed."""
    required = os.environ.get("SYNTHAUG_REQUIRE_BROWSER") == "1"
    try:
        from playwright.sync_api import Error, expect, sync_playwright
    except ImportError:
        give_up(required, "playwright is not installed")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        except Error as error:
            give_up(required, f"no Chromium: {str(error).splitlines()[0]}")
        yield launched
        launched.close()


def chromium() -> str | None:
    """The path of Debian's browser; None: Playwright looks for its own."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


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
