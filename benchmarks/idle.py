"""Share of a core that an app takes while nobody does anything: without a page, and with each page open in a browser.

    python benchmarks/idle.py [--seconds 10]

The first row is the app with the interval at which Gradio looks at its queue by itself (a thousandth of a second); the
ratio to it is printed in each row. Needs Chromium and Linux.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import httpx

from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from playwright.sync_api import BrowserContext

PAGES = ("", "generate", "finetune", "label", "explore", "train", "runs")
GRADIO_SECONDS = 0.001
SETTLE_SECONDS = 4.0
TICKS = os.sysconf("SC_CLK_TCK")
PROCESSES = multiprocessing.get_context("spawn")


def serve(root: Path, port: int, queue_seconds: float | None) -> None:
    """Serve the workspace until killed."""
    from synthaug_app import server

    if queue_seconds is not None:
        server.QUEUE_SECONDS = queue_seconds
    server.serve(root, port=port)


def used(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def share(pid: int, seconds: float) -> float:
    """The share of a core that a process takes in the next seconds."""
    time.sleep(SETTLE_SECONDS)
    before, start = used(pid), time.monotonic()
    time.sleep(seconds)
    return (used(pid) - before) / (time.monotonic() - start)


def started(root: Path, port: int, queue_seconds: float | None = None) -> SpawnProcess:
    """A process that serves the workspace, ready for requests."""
    process = PROCESSES.Process(target=serve, args=(root, port, queue_seconds))
    process.start()
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/log-in")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return process


def stopped(process: SpawnProcess) -> None:
    """End it."""
    process.terminate()
    process.join()


def measured(root: Path, port: int, seconds: float, context: BrowserContext) -> list[tuple[str, float]]:
    """What is open, and the share of a core that the app takes."""
    before = started(root, port, GRADIO_SECONDS)
    rows = [("no page, Gradio's interval", share(before.pid or 0, seconds))]
    stopped(before)
    app = started(root, port)
    rows.append(("no page", share(app.pid or 0, seconds)))
    for path in PAGES:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/{path}")
        page.locator(".sa-nav").wait_for()  # the page, not the log-in
        rows.append((f"/{path}", share(app.pid or 0, seconds)))
        page.close()
    stopped(app)
    return rows


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="How long each row is watched.")
@click.option("--port", default=7871, show_default=True, help="Port of the app.")
def main(seconds: float, port: int) -> None:
    """Print one row for each page."""
    from playwright.sync_api import sync_playwright
    from synthaug_app.accounts.person import cookie_name

    from synthaug.stages import accounts

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder) / "work"
        workspace = Workspace.create(root, (), "digits")
        owner = accounts.add(workspace, "owner", "owner", "idle for a while")
        token = accounts.log_in(workspace, owner, "127.0.0.1")
        workspace.db.close()
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        context.add_cookies([{"name": cookie_name(root), "value": token, "domain": "127.0.0.1", "path": "/"}])
        rows = measured(root, port, seconds, context)
        browser.close()
    for name, taken in rows:
        print(f"{name:28} {100 * taken:5.1f}% of a core, {taken / rows[0][1]:.2f} of the first row")


if __name__ == "__main__":
    main()
