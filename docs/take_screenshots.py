"""Take the screenshots of docs/screenshots/ from an app that runs on the demo's workspace.

synthaug demo &
python docs/take_screenshots.py 'http://127.0.0.1:7860/?token=...'   (the address that it printed)
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, sync_playwright

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SIZES = ((1440, 900), (1024, 800))
DECODE = "Promise.all([...document.images].filter((i) => i.naturalWidth).map((i) => i.decode()))"
READY = {
    "data": ".sa-page-data h2",
    "generate": "#start:enabled",
    "finetune": "#tuning .sa-empty, #tuning .sa-tuning",
    "label": ".ld-frame img",
    "explore": ".sa-scatter[data-painted]",
    "train": ".sa-verdict h2",
    "runs": ".sa-runs-page:not([data-state=loading])",
}


def lasso(page: Page) -> None:
    """A loop around the synthetic eights of the demo, so that the grid has something to show."""
    box = page.locator(".sa-scatter [data-part=overlay]").bounding_box()
    if box is None:
        raise RuntimeError("the plot is not to be seen")
    corners = [(0.31, 0.08), (0.44, 0.04), (0.47, 0.16), (0.41, 0.34), (0.31, 0.28)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    page.locator(".sa-grid[data-state=filled][data-painted]").wait_for()


def main(url: str, folder: Path) -> None:
    """Every page, light and dark, at two widths."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for theme in ("light", "dark"):
            for width, height in SIZES:
                for name, ready in READY.items():
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.set_default_timeout(90_000)
                    path = "" if name == "data" else name
                    page.goto(url)  # with the start token
                    page.goto(urljoin(url, f"/{path}?__theme={theme}"))
                    page.locator(ready).first.wait_for()
                    if name == "explore":
                        lasso(page)
                    page.wait_for_function("[...document.images].every((image) => image.complete)")
                    page.evaluate(DECODE)
                    page.screenshot(path=folder / f"{name}-{theme}-{width}.png")
                    page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "screenshots")
