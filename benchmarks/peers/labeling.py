"""From a key to the next painted image, beside Label Studio.

    python -m benchmarks.peers.labeling

Ours and the floor are measured as in benchmarks/labeling.py. In Label Studio, one key chooses a class and Ctrl+Enter
submits it; the time starts at Ctrl+Enter, so its first key is not counted.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from .common.claim import Action, Claim, Row, Side
from .common.turns import main

IMAGES, LABELS = 2000, 40


def ours(data: Path) -> Action:
    """The app on a workspace of its own; a round labels the next images of its queue."""
    from benchmarks import labeling

    labeling.fill(data / "workspace", IMAGES)

    def work() -> dict[str, float]:
        command = [sys.executable, "-m", "synthaug_app", str(data / "workspace"), "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as app:
            try:
                url = next(line for line in app.stderr or () if line.startswith(labeling.READY)).split()[4]
                floor, desk = labeling.measure(url, LABELS)
            finally:
                app.terminate()
        return {"key_ms": statistics.median(desk), "floor_ms": statistics.median(floor)}

    return work


def trivial_page(_: Path) -> Action:
    """The same keys on a page that swaps two decoded images."""
    from playwright.sync_api import sync_playwright

    from benchmarks import labeling

    def work() -> dict[str, float]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=labeling.FLAGS
            )
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_content(labeling.FLOOR)
            page.evaluate(labeling.MEASURE, "#frame")
            times = labeling.press(page, LABELS)
            browser.close()
        return {"key_ms": statistics.median(times)}

    return work


def label_studio(data: Path) -> Action:
    """Its server with as many images; a round labels the next of them."""
    from .common.label_studio import LabelStudio

    peer = LabelStudio(data / "label-studio")
    project = peer.project(IMAGES)

    def work() -> dict[str, float]:
        before = peer.labeled(project)
        times = peer.label(project, LABELS)
        if peer.labeled(project) - before != LABELS:
            raise RuntimeError("not every label was saved")
        return {"key_ms": statistics.median(times)}

    return work


CLAIM = Claim(
    "labeling",
    "Labeling",
    (
        Side("synthaug", ours, role="ours"),
        Side("Label Studio", label_studio, ("label-studio==1.23.2", "playwright==1.65.2")),
        Side("floor", trivial_page, role="floor"),
    ),
    (Row("key_ms", "Key to next image painted, every label saved", "ms"),),
    floor="the same keys on a page that swaps two decoded images",
    notes="Label Studio submits with a second key; the first, which chooses the class, is not counted.",
    rounds=3,
)

if __name__ == "__main__":
    main(CLAIM)
