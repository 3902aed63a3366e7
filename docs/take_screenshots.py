"""Take the screenshots of docs/screenshots/ from an app that runs on the demo's workspace.

    synthaug demo &
    python docs/take_screenshots.py 'http://127.0.0.1:7860/?token=...'   (the address that it printed)

With ``--films`` it takes those of radiographs with landmarks instead, from an app on the workspace of a benchmark:

    python benchmarks/landmarks.py --train 30 --test 60 --size 640 --rough --keep films
    synthaug serve --workspace films &
    python docs/take_screenshots.py 'http://127.0.0.1:7860/?token=...' --films
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, sync_playwright

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


def main(url: str, folder: Path, films: bool) -> None:
    """The pages of the demo, or those of the films, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for theme in ("light", "dark"):
            if films:
                take_films(browser, url, folder, theme)
            else:
                take_pages(browser, url, folder, theme)
        browser.close()


def take_pages(browser: Browser, url: str, folder: Path, theme: str) -> None:
    """Every page at two widths."""
    for size in SIZES:
        for name, ready in READY.items():
            with opened(browser, url, f"{'' if name == 'data' else name}?__theme={theme}", size) as page:
                page.locator(ready).first.wait_for()
                if name == "explore":
                    lasso(page)
                shoot(page, folder / f"{name}-{theme}-{size[0]}.png")


def take_films(browser: Browser, url: str, folder: Path, theme: str) -> None:
    """What a model proposes on a film, its report, and the grid of films."""
    with opened(browser, url, f"label?scope=unlabeled&__theme={theme}", SIZES[0]) as page:
        page.locator(".ld-frame canvas").first.wait_for()
        page.locator("[data-lm-angles] *").first.wait_for()
        shoot(page, folder / f"film-{theme}.png")
        page.locator("[data-lm-report]").click()
        page.locator("[data-lm-figures] svg").first.wait_for()
        shoot(page, folder / f"film-report-{theme}.png")


@contextmanager
def opened(browser: Browser, url: str, path: str, size: tuple[int, int]) -> Iterator[Page]:
    """A page of the app in a window of this width and height."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(90_000)
    page.goto(url)  # with the start token
    page.goto(urljoin(url, f"/{path}"))
    yield page
    page.close()


def shoot(page: Page, file: Path) -> None:
    """Write the page once all its images are on the screen."""
    page.wait_for_function(
        "[...document.images].every((image) => image.complete || image.loading === 'lazy')"
    )
    page.evaluate(DECODE)
    page.screenshot(path=file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="the address with the token")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "screenshots")
    parser.add_argument("--films", action="store_true", help="an app on the films of benchmarks/landmarks.py")
    options = parser.parse_args()
    main(options.url, options.folder, options.films)
