"""The Explore page with many points in a real browser: first paint, lassoing, lasso to grid, panning, memory.

    python benchmarks/explore.py [--points 20000] [--rounds 10]

The goals for 20,000 points: painted within 1 s of opening the page, and the grid with its images within 300 ms of
releasing the lasso. For 100,000: 0.5 s and 150 ms. For 1,000,000: 2 s and 400 ms, panning above 20 frames per second
with software rendering, and less than 1.5 GB of memory on the server. The benchmark first creates a workspace of images
with random coordinates, then runs the app as users do, after one warm-up request. Times are wall-clock times in the
page (median and 95th percentile). A mouse move takes at least one frame of the browser.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
from numpy.typing import NDArray
from planted import plant_model
from playwright.sync_api import Page, sync_playwright

from synthaug.images import encode_png
from synthaug.store.database import Database
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


WITH_FILES = 5000  # of the newest images, which the grid shows first


def make_workspace(root: Path, count: int) -> None:
    """A workspace of images in clusters, two thirds real and one third synthetic; only the newest have files."""
    rng = np.random.default_rng(0)
    workspace = Workspace.create(root / "workspace", CLASSES)
    db = workspace.db
    hashes = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    real = 2 * count // 3
    classes = rng.integers(0, len(CLASSES), count)
    plant_images(db, hashes, real)
    model = plant_model(db, "random")
    plant_predictions(db, model.id, classes, rng)
    plant_scores(db, model.id, classes, rng)
    add_files(workspace, hashes[-WITH_FILES:], rng)
    db.close()


def plant_images(db: Database, hashes: Sequence[str], real: int) -> None:
    """Rows of images without files: the first ``real`` ones real, a quarter of them test images."""
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO images (id, sha256, width, height, split, origin, source, added_at)"
            " VALUES (?, ?, 32, 32, ?, ?, 'planted', '2026-01-01T00:00:00')",
            (
                (
                    number + 1,
                    sha256,
                    "test" if number < real // 4 else "train",
                    "real" if number < real else "synthetic",
                )
                for number, sha256 in enumerate(hashes)
            ),
        )


def plant_predictions(
    db: Database, model_id: int, classes: NDArray[np.int64], rng: np.random.Generator
) -> None:
    count = len(classes)
    sure = rng.uniform(0.3, 1, count).astype(np.float32)
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO predictions (model_id, image_id, probs, features, created_at)"
            " VALUES (?, ?, ?, x'00000000', '2026-01-01T00:00:00')",
            ((model_id, number + 1, one_hot(classes[number], sure[number])) for number in range(count)),
        )


def plant_scores(db: Database, model_id: int, classes: NDArray[np.int64], rng: np.random.Generator) -> None:
    """Coordinates in one cluster per class, and random ranks."""
    count = len(classes)
    places = (rng.normal(size=(len(CLASSES), 2)) * 4)[classes] + rng.normal(size=(count, 2))
    ranks = rng.random(count)
    with db.transaction() as connection:
        connection.executemany(
            "INSERT INTO scores (image_id, features, model_id, pca_x, pca_y, umap_x, umap_y, ood_real, ood_synthetic,"
            " scored_at) VALUES (?, 'random', ?, ?, ?, ?, ?, ?, ?, '2026-01-01T00:00:00')",
            (
                (number + 1, model_id, x, y, y, x, rank, 1 - rank)
                for number, ((x, y), rank) in enumerate(zip(places.tolist(), ranks.tolist(), strict=True))
            ),
        )


def one_hot(index: int, sure: float) -> bytes:
    """Class probabilities with one likely class."""
    probs = np.full(len(CLASSES), (1 - sure) / (len(CLASSES) - 1), np.float32)
    probs[index] = sure
    return probs.tobytes()


def add_files(workspace: Workspace, hashes: list[str], rng: np.random.Generator) -> None:
    """The image files that the grid shows; pixels of noise, one picture under many names."""
    picture = encode_png(rng.integers(0, 256, (32, 32, 3), np.uint8), {})
    for sha256 in hashes:
        path = workspace.images.path(sha256)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture)


@contextmanager
def running_app(workspace: Path) -> Iterator[tuple[str, int]]:
    """Run the app in its own process; yields the address that it prints, and its process id."""
    command = [sys.executable, "-m", "synthaug_app", str(workspace), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr or ():
            if found := re.search(r"ready at (http://\S+)", line):
                yield found[1], process.pid
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


def pan(page: Page, steps: int) -> list[float]:
    """ms from a mouse move to the frame that shows it, of a drag with the Move tool."""
    page.keyboard.press("Escape")
    page.locator("[data-tool=move]").first.click()
    x, y, width, height = page.evaluate(
        "() => { const box = document.querySelector('.sa-scatter [data-part=overlay]').getBoundingClientRect();"
        " return [box.x, box.y, box.width, box.height]; }"
    )
    page.evaluate("() => { window.moves.length = 0; }")
    page.mouse.move(x + width / 2, y + height / 2)
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(x + width / 2 + 60 * math.sin(step / 5), y + height / 2 + 60 * math.cos(step / 5))
    page.mouse.up()
    page.wait_for_function("steps => window.moves.length >= steps", arg=steps)
    times: list[float] = page.evaluate("window.moves")
    page.locator("[data-tool=lasso]").first.click()
    return times


def memory(pid: int, name: str) -> float:
    """GiB of a process: VmRSS now, VmHWM at most."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024**2  # type: ignore[index]


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
        with running_app(Path(folder) / "workspace") as (address, pid):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(address)  # with the start token
            cold, _ = first_paint(
                page, address
            )  # the server's first answer imports modules and reads the points
            paints = [first_paint(page, address) for _ in range(options.rounds)]
            page.evaluate(TIME_MOVES)
            rounds = [lasso(page, number) for number in range(options.rounds)]
            frames = pan(page, 120)
            used = memory(pid, "VmRSS"), memory(pid, "VmHWM")
        browser.close()
    show("open the page -> points painted", [painted for painted, _ in paints])
    show("  of which: fetching the points", [fetched for _, fetched in paints])
    show("mouse move of the lasso -> next frame", [each for moves, _, _ in rounds for each in moves])
    show("release the lasso -> grid painted", [elapsed for _, elapsed, _ in rounds])
    show("panning: mouse move -> frame painted", frames)
    print(f"{1000 / statistics.median(frames):.0f} frames per second while panning")
    print(f"first page after the start: {cold:.0f} ms; load average of the machine {os.getloadavg()[0]:.1f}")
    print(f"memory of the server: {used[0]:.2f} GiB, {used[1]:.2f} GiB at peak")
    print(f"{statistics.mean(selected for *_, selected in rounds):,.0f} points selected per round")


if __name__ == "__main__":
    main()
