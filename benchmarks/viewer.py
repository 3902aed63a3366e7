"""The viewer with radiographs of 3000 x 3000 pixels and 16 bits: decoding, next image, and dragging the window.

    python benchmarks/viewer.py [--side 3000] [--films 6]

"Painted" means the second animation frame after the next film is on the screen. Films are decoded in advance, so that a
key press waits only if it comes before that; the benchmark leaves enough time, and measures decoding separately. A
headless Chromium without a GPU renders WebGL in software. Needs Chromium.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import click
import numpy as np

from synthaug.grayscale import full_range
from synthaug.records import Display, GrayImage
from synthaug.store import catalog, gray_images
from synthaug.store.gray_images import GrayRecord
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--no-first-run"]
AHEAD_MS = 3000  # time to decode the next films
READY = "synthaug is ready at "
PAINTED = "new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))"

UNPACK = """async address => {
    const start = performance.now();
    const { fetchFilm } = await import(address.module);
    await fetchFilm(address.film);
    return performance.now() - start;
}"""
KEY = f"""async next => {{
    const start = performance.now();
    const options = {{ key: 'ArrowRight', bubbles: true, composed: true }};
    document.body.dispatchEvent(new KeyboardEvent('keydown', options));
    const there = () => document.querySelector('.ld-frame canvas')?.getAttribute('aria-label') === next;
    while (!there()) await new Promise(requestAnimationFrame);
    await {PAINTED};
    return performance.now() - start;
}}"""
DRAG = f"""async dx => {{
    const canvas = document.querySelector('.ld-frame canvas');
    const start = performance.now();
    const options = {{ clientX: 400 + dx, clientY: 400, pointerId: 1, bubbles: true }};
    canvas.dispatchEvent(new PointerEvent('pointermove', options));
    await {PAINTED};
    return performance.now() - start;
}}"""


def fill(root: Path, count: int, side: int) -> list[str]:
    """Create a workspace with ``count`` films of noise on a gradient; returns their hashes."""
    workspace = Workspace.create(root, ["normal", "abnormal"])
    y, x = np.mgrid[:side, :side]
    display, hashes = Display((full_range(16),)), []
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 200, (side, side))
        values = ((x + y) * (60_000 // (2 * side)) + noise).astype(np.uint16)
        hashes.append(workspace.images.put(GrayImage(values, 16, display), {}))
        image_id, _ = catalog.add_image(
            workspace.db, sha256=hashes[-1], size=(side, side), split="train", origin="real", source="noise"
        )
        gray_images.add(workspace.db, image_id, GrayRecord(16, {}))
    workspace.db.close()
    return hashes


def describe(name: str, times: list[float]) -> None:
    """Print the median and the maximum."""
    print(
        f"{name:<34} median {statistics.median(times):7.1f} ms   worst {max(times):7.1f} ms   n = {len(times)}"
    )


def measure(page: Page, url: str, hashes: list[str]) -> None:
    """Print the three measurements."""
    page.goto(url)  # with the start token
    page.goto(urljoin(url, "/label?scope=real&order=newest"))
    page.wait_for_selector(".ld-frame canvas")
    kind = page.evaluate(
        "() => document.querySelector('.ld-frame canvas').getContext('2d') ? '2D' : 'WebGL2'"
    )
    scripts: list[str] = page.evaluate(
        "() => performance.getEntriesByType('resource').map(each => each.name)"
    )
    module = next(name for name in scripts if name.endswith("/viewer/films.js"))
    page.wait_for_timeout(AHEAD_MS)
    unpacked = [
        page.evaluate(UNPACK, {"module": module, "film": f"/media/{sha256}.gray.png?{number}"})
        for number, sha256 in enumerate(hashes)
    ]
    describe("fetch and decode a film", unpacked)
    keys = []
    for image_id in range(len(hashes) - 1, 0, -1):
        keys.append(page.evaluate(KEY, f"Image {image_id}"))
        page.wait_for_timeout(AHEAD_MS)
    describe(f"key press -> next film painted ({kind})", keys)
    page.mouse.move(400, 400)
    page.mouse.down(button="right")
    drags: list[Any] = [page.evaluate(DRAG, dx) for dx in range(1, 41)]
    describe("step of dragging the window -> painted", drags)


@click.command()
@click.option("--side", default=3000, show_default=True, help="Pixels per side.")
@click.option("--films", default=6, show_default=True, help="Films in the queue.")
def main(side: int, films: int) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "work"
        hashes = fill(root, films, side)
        command = [sys.executable, "-m", "synthaug_app", str(root), "--port", "0"]
        with (
            subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as app,
            sync_playwright() as playwright,
        ):
            try:
                assert app.stderr is not None  # noqa: S101 - asked for above
                url = next(line for line in app.stderr if line.startswith(READY)).split()[4]
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
                measure(browser.new_page(viewport={"width": 1440, "height": 900}), url, hashes)
                browser.close()
            finally:
                app.terminate()


if __name__ == "__main__":
    main()
