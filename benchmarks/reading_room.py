"""How fast a reader is with the Label page: landmarks against typing angles, and a grid of images against single ones.

    python benchmarks/reading_room.py [--films 20] [--images 200] [--wrong 0.05] [--off 6]

A simulated reader with a think time of 0 s drives Chromium with real pointer and key events, so the figures are upper
bounds for the interface: a person also has to look. Each part is one run, and everything is saved as usual.

- Landmarks: drawn radiographs of 640 px with proposals that are off by a normal error of ``--off`` px on each axis, as
  a model's are. The reader drags every landmark that is more than 2 px off to its place, and presses Enter.
- Typing: the same two angles a film, typed with one decimal into a table, Tab after each. The angles are known to the
  reader: measuring them, which the landmarks include, is left out.
- Single and grid: images of two classes with predictions of which a share is wrong. One by one, Enter or the right
  class's key, each after the next image is on the screen; on the grid, a click on each wrong one, the right class's key
  for these, Enter for the rest of the page.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import click
import numpy as np
from labeling import FLAGS, READY

from synthaug.importers.hip.phantom import TEST, hip_phantom
from synthaug.landmarks.geometry import Places
from synthaug.stages.landmark_scheme import use_scheme
from synthaug.store import catalog, labels, landmarks, models
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIDE = 640
CLOSE = 2.0  # pixels: what the reader leaves where it is
PAGE = 100  # images of the grid
CLASSES = ("Big", "Small")
TABLE = """<table>{rows}</table><script>document.querySelector('input').focus()</script>"""
ROW = "<tr><td><input></td><td><input></td></tr>"


def fill_films(root: Path, count: int, off: float) -> list[Places]:
    """Create a workspace of films with proposals; returns where the landmarks of each truly are."""
    workspace = Workspace.create(root, (), "hip")
    use_scheme(workspace, "hip")
    rng = np.random.default_rng(0)
    true, proposed = [], {}
    for number in range(count):
        drawn = hip_phantom((0, TEST, number), SIDE)
        image_id, _ = catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(drawn.pixels, {}),
            size=(SIDE, SIDE),
            split="train",
            origin="real",
            source=f"films/{number}",
        )
        places: Places = drawn.landmarks
        true.append(places)
        moved = {
            name: tuple(float(each) for each in (*(np.array(place[:2]) + rng.normal(0, off, 2)), *place[2:]))
            for name, place in places.items()
        }
        proposed[image_id] = (moved, off)
    landmarks.add_predictions(workspace.db, _model(workspace), proposed)
    workspace.db.close()
    return true


def fill_images(root: Path, count: int, wrong: float) -> list[int]:
    """Create a workspace of small images with predictions, a share of them wrong; returns the true classes."""
    workspace = Workspace.create(root, CLASSES)
    rng = np.random.default_rng(0)
    true = rng.integers(0, len(CLASSES), count)
    predicted = np.where(rng.random(count) < wrong, 1 - true, true)
    with workspace.db.transaction():
        ids = [
            catalog.add_image(
                workspace.db,
                sha256=workspace.images.put(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), {}),
                size=(32, 32),
                split="train",
                origin="real",
                source="noise",
            )[0]
            for _ in range(count)
        ]
    probs = np.full((count, len(CLASSES)), 0.1, np.float32)
    probs[np.arange(count), predicted] = 0.9
    models.add_predictions(workspace.db, _model(workspace), ids, probs, np.zeros((count, 2), np.float32))
    workspace.db.close()
    return [int(each) for each in true]


def _model(workspace: Workspace) -> int:
    return models.add(
        workspace.db,
        name="given",
        recipe="none",
        revision="0" * 64,
        seed=0,
        view_id=None,
        file="none",
        metrics={},
        environment={},
    ).id


def place_landmarks(page: Page, url: str, true: Sequence[Places]) -> float:
    """Seconds to correct and save the landmarks of every film."""
    _open(page, url, "/label?scope=real&order=newest")
    page.wait_for_selector(".lm-mark")
    start = time.perf_counter()
    for image_id in range(len(true), 0, -1):
        page.wait_for_selector(f".ld-frame canvas[aria-label='Image {image_id}']")
        for name, place in true[image_id - 1].items():
            _drag(page, name, place)
        page.keyboard.press("Enter")
    page.wait_for_selector("[data-saved][data-count='0'][data-state=saved]")
    return time.perf_counter() - start


WHERE = """name => {
    const { a, b, c, d, e, f } = document.querySelector(`.lm-mark[data-name=${name}]`).getScreenCTM();
    const [x, y] = document.querySelector(`.lm-mark[data-name=${name}]`).getAttribute('aria-label')
        .match(/-?\\d+/g).map(Number);
    const canvas = document.querySelector('.ld-frame canvas').getBoundingClientRect();
    return [e, f, x, y, Math.min(canvas.width, canvas.height)];
}"""


def _drag(page: Page, name: str, place: Sequence[float]) -> None:
    """Take hold of a landmark and put it there, if it is not close already."""
    left, top, x, y, side = page.evaluate(WHERE, name)
    dx, dy = place[0] - x, place[1] - y
    if math.hypot(dx, dy) <= CLOSE:
        return
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + dx * side / SIDE, top + dy * side / SIDE, steps=2)
    page.mouse.up()


def type_angles(page: Page, rows: Sequence[Sequence[float]]) -> float:
    """Seconds to type two angles a film into a table."""
    page.set_content(TABLE.format(rows=ROW * len(rows)))
    start = time.perf_counter()
    for row in rows:
        for degrees in row:
            page.keyboard.type(f"{degrees:.1f}")
            page.keyboard.press("Tab")
    return time.perf_counter() - start


def answer_singly(page: Page, url: str, true: Sequence[int]) -> float:
    """Seconds to answer every image on the desk."""
    _open(page, url, "/label?scope=unlabeled&order=newest")
    shown: int = page.evaluate("() => Number(document.querySelector('.ld-frame').dataset.image)")
    wrong: list[int] = []
    start = time.perf_counter()
    for image_id in range(len(true), 0, -1):
        page.wait_for_selector(f".ld-frame[data-image='{image_id}']")
        said = page.locator("[data-suggested]").inner_text()
        name = CLASSES[true[image_id - 1]]
        wrong += [image_id] * (said != name)
        page.keyboard.press("Enter" if said == name else str(CLASSES.index(name) + 1))
    page.wait_for_selector("[data-saved][data-count='0'][data-state=saved]")
    seconds = time.perf_counter() - start
    print(f"  ({len(wrong)} of {len(true)} predictions were wrong; the queue began at image {shown})")
    return seconds


def answer_in_a_grid(page: Page, url: str, true: Sequence[int]) -> float:
    """Seconds to answer every image page by page."""
    _open(page, url, "/label?scope=unlabeled&order=newest")
    page.locator("[data-do=grid]").click()
    start = time.perf_counter()
    for number in range(math.ceil(len(true) / PAGE)):
        page.wait_for_selector(f".gr[data-page='{number}'] .sa-grid-tile[data-state='0']")
        for index, name in enumerate(CLASSES):
            for tile in _wrong_tiles(page, true, index):
                page.locator(f".gr .sa-grid-tile[aria-label^='image {tile},'] .sa-grid-picture").click()
            if page.locator(".gr [data-part=marked]").inner_text() != "0 marked wrong":
                page.keyboard.press(str(index + 1))
                page.wait_for_function(
                    "words => document.querySelector('.gr [data-part=status]').textContent.endsWith(words)",
                    arg=f"label as {name}",
                )
        page.keyboard.press("Enter")
        page.wait_for_function(
            "() => document.querySelector('.gr [data-part=status]').textContent.endsWith('accepted')"
        )
    return time.perf_counter() - start


def _wrong_tiles(page: Page, true: Sequence[int], index: int) -> list[int]:
    """The images of this page whose true class is ``index`` and whose prediction is the other."""
    said: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('.gr .sa-grid-tile')].map(each => each.getAttribute('aria-label'))"
    )
    tiles = [(int(each.split(",")[0].removeprefix("image ")), each.split(", ")[1]) for each in said]
    other = CLASSES[1 - index]
    return [number for number, word in tiles if true[number - 1] == index and word.startswith(other)]


def _new_page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    return page


def _open(page: Page, url: str, path: str) -> None:
    page.goto(url)  # with the start token
    page.goto(urljoin(url, path))
    page.wait_for_selector(".ld[data-ready=true] .ld-frame[data-image]")


def _rate(name: str, done: int, seconds: float, unit: str, per: int) -> None:
    print(f"{name:<34} {done * per / seconds:8.0f} {unit}   n = {done}, {seconds:.1f} s")


class App:
    """The app on a workspace, for as long as the block lasts."""

    def __init__(self, root: Path) -> None:
        command = [sys.executable, "-m", "synthaug_app", str(root), "--port", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        """The address with the token."""
        assert self.process.stderr is not None  # noqa: S101 - asked for above
        return next(line for line in self.process.stderr if line.startswith(READY)).split()[4]

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


@click.command()
@click.option("--films", default=20, show_default=True, help="Films with landmarks.")
@click.option("--images", default=200, show_default=True, help="Images to classify.")
@click.option("--wrong", default=0.05, show_default=True, help="Share of the predictions that are wrong.")
@click.option("--off", default=6.0, show_default=True, help="Error of a proposed landmark on each axis, px.")
def main(films: int, images: int, wrong: float, off: float) -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    print("simulated reader, think time 0 s, real pointer and key events")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        place = Path(folder)
        true = fill_films(place / "films", films, off)
        page = _new_page(browser)
        with App(place / "films") as url:
            dragging = place_landmarks(page, url, true)
        _rate("landmarks dragged, 4 a film", films, dragging, "films an hour", 3600)
        workspace = Workspace.open(place / "films")
        kept = landmarks.current(workspace.db, list(range(1, films + 1)))
        angles = [list(each.landmarks.angles.values()) for each in kept.values()]
        workspace.db.close()
        typing = type_angles(page, angles)
        _rate("angles typed, not measured", films, typing, "films an hour", 3600)
        more = (dragging - typing) / films
        print(
            f"  (dragging is faster as soon as measuring a film's angles elsewhere takes {more:.1f} s or more)"
        )
        print(
            f"  ({len(kept)} of {films} films saved; the farthest landmark is {_farthest(kept, true):.1f} px off)"
        )
        for name, answer in (
            ("single images", answer_singly),
            (f"grid of {PAGE}", answer_in_a_grid),
        ):
            root = place / name.replace(" ", "-")
            classes = fill_images(root, images, wrong)
            with App(root) as url:
                _rate(name, images, answer(_new_page(browser), url, classes), "labels a minute", 60)
            print(f"  ({_right(root, classes)} of {images} saved with the right class)")
        browser.close()


def _farthest(kept: dict[int, landmarks.PlacedLandmarks], true: Sequence[Places]) -> float:
    """Pixels between a saved landmark and where it truly is, the most of all."""
    return max(
        math.dist(place[:2], true[image_id - 1][name][:2])
        for image_id, each in kept.items()
        for name, place in each.landmarks.points.items()
    )


def _right(root: Path, true: Sequence[int]) -> int:
    workspace = Workspace.open(root)
    current = labels.current(workspace.db, list(range(1, len(true) + 1)))
    workspace.db.close()
    return sum(label.class_index == true[image_id - 1] for image_id, label in current.items())


if __name__ == "__main__":
    main()
