"""The Explore page with 20,000 points in a real browser: first paint, drawing a lasso, and lasso to grid.

    python benchmarks/explore.py [--points 20000] [--rounds 10]

The goals: points are painted within 1 s of opening the page, and the grid with its images within 300 ms of releasing
the lasso. The benchmark first creates a workspace of random images with random coordinates, then runs the app as
users do. Times are wall-clock times in the page (median and 95th percentile). A mouse move takes at least one frame
of the browser.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
from playwright.sync_api import Page, sync_playwright

from synthaug.stages.importing import import_images
from synthaug.store import catalog, models
from synthaug.workspace import Workspace

CLASSES = [f"class {index}" for index in range(10)]
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIME_MOVES = """
() => {
  window.moves = [];
  window.addEventListener("pointermove", () => {
    const began = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.moves.push(performance.now() - began);
      channel.port2.postMessage(0);
    });
  }, true);
}
"""


def make_workspace(root: Path, count: int) -> None:
    """A workspace of noise images (two thirds real, one third synthetic) with predictions and clustered coordinates."""
    rng = np.random.default_rng(0)
    workspace = Workspace.create(root / "workspace", CLASSES)
    for origin, share in (("real", 2 * count // 3), ("synthetic", count - 2 * count // 3)):
        source = root / origin
        source.mkdir()
        labels = rng.integers(0, len(CLASSES), share, dtype=np.uint8)
        pixels = rng.integers(0, 256, (share, 3072), dtype=np.uint8)
        rows = np.column_stack([labels, pixels])
        tested = share // 4 if origin == "real" else 0
        (source / "data_batch_1.bin").write_bytes(rows[tested:].tobytes())
        (source / "test_batch.bin").write_bytes(rows[:tested].tobytes())
        (source / "batches.meta.txt").write_text("\n".join(CLASSES))
        import_images(workspace, source, "cifar10", origin=origin)
    ids = [image.id for image in catalog.find_images(workspace.db)]
    classes = rng.integers(0, len(CLASSES), len(ids))
    probs = rng.dirichlet(np.ones(len(CLASSES)) * 0.2, len(ids)).astype(np.float32)
    centres = rng.normal(size=(len(CLASSES), 2)) * 4
    model = models.add(
        workspace.db,
        name="random",
        recipe="none",
        revision="0" * 64,
        seed=0,
        view_id=None,
        file="models/none.safetensors",
        metrics={},
        environment={},
    )
    models.add_predictions(
        workspace.db, model.id, ids, probs, rng.normal(size=(len(ids), 64)).astype(np.float32)
    )
    places = centres[classes] + rng.normal(size=(len(ids), 2))
    scores = [
        models.Score(image_id, tuple(place), tuple(place[::-1]), 1.0, 0.5, rank, 1 - rank, None)
        for image_id, place, rank in zip(ids, places.tolist(), rng.random(len(ids)).tolist(), strict=True)
    ]
    models.replace_scores(workspace.db, model.id, scores)


@contextmanager
def running_app(workspace: Path) -> Iterator[str]:
    """Run the app in its own process; yields the address that it prints."""
    command = [sys.executable, "-m", "synthaug_app", str(workspace), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr or ():
            if found := re.search(r"ready at (http://\S+)", line):
                yield found[1]
                return
        raise SystemExit("the app did not start")
    finally:
        process.terminate()
        process.wait()


def first_paint(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds from opening the page to painted points, and the part of it spent on fetching the points."""
    page.goto(urljoin(address, "/explore"))
    page.wait_for_selector(".sa-scatter[data-painted]", timeout=60_000)
    painted = page.evaluate("performance.getEntriesByName('synthaug:points-painted').at(-1).startTime")
    fetched = page.evaluate(
        "performance.getEntriesByType('resource').find((each) => each.name.endsWith('/data/points')).duration"
    )
    return painted, fetched


def lasso(page: Page, round_: int) -> tuple[list[float], float, int]:
    """Milliseconds per mouse move of the lasso, milliseconds from its release to the painted grid, points selected."""
    x, y, width, height = page.evaluate(
        "() => { const box = document.querySelector('.sa-scatter [data-part=overlay]').getBoundingClientRect();"
        " return [box.x, box.y, box.width, box.height]; }"
    )
    middle = x + width * (0.4 + 0.02 * (round_ % 10)), y + height / 2
    page.keyboard.press("Escape")
    page.wait_for_selector(".sa-grid:not([data-painted])")
    page.evaluate("() => { window.moves.length = 0; performance.clearMarks(); }")
    page.mouse.move(middle[0] + 120, middle[1])
    page.mouse.down()
    for step in range(1, 60):
        angle = 2 * math.pi * step / 60
        page.mouse.move(middle[0] + 120 * math.cos(angle), middle[1] + 120 * math.sin(angle))
    page.mouse.up()
    page.wait_for_selector(".sa-grid[data-painted]", timeout=60_000)
    elapsed = page.evaluate(
        "performance.getEntriesByName('synthaug:grid-painted')[0].startTime"
        " - performance.getEntriesByName('synthaug:lasso-released')[0].startTime"
    )
    selected = int(page.locator(".sa-scatter").get_attribute("data-selected") or 0)
    return page.evaluate("window.moves"), elapsed, selected


def show(name: str, values: list[float]) -> None:
    ranked = sorted(values)
    p95 = ranked[min(len(ranked) - 1, math.ceil(0.95 * len(ranked)) - 1)]
    print(f"{name:<44} median {statistics.median(ranked):7.1f} ms   p95 {p95:7.1f} ms   n {len(ranked)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=20_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=10, metavar="N")
    options = parser.parse_args()
    print(f"{options.points:,} points; {os.cpu_count()} cores, {platform.platform()}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        make_workspace(Path(folder), options.points)
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        with running_app(Path(folder) / "workspace") as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(address)  # with the start token
            first_paint(page, address)  # the server's first answer imports modules
            paints = [first_paint(page, address) for _ in range(options.rounds)]
            page.evaluate(TIME_MOVES)
            rounds = [lasso(page, number) for number in range(options.rounds)]
        browser.close()
    show("open the page -> points painted", [painted for painted, _ in paints])
    show("  of which: fetching the points", [fetched for _, fetched in paints])
    show("mouse move of the lasso -> next frame", [each for moves, _, _ in rounds for each in moves])
    show("release the lasso -> grid painted", [elapsed for _, elapsed, _ in rounds])
    print(f"{statistics.mean(selected for *_, selected in rounds):,.0f} points selected per round")


if __name__ == "__main__":
    main()
