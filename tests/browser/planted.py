"""A workspace with known answers: clusters of features, planted wrong labels, near-duplicates and strangers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import expect

from synthaug.images import encode_png, pixel_hash
from synthaug.measures import quality
from synthaug.records import LabelEntry, Pixels
from synthaug.stages import label
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.store import catalog, generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.store.models import Score
from synthaug.workspace import Workspace
from tests.made import add_untrained_model

from .served import App

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLASSES = ("cat", "dog", "horse")
WORDS = ("sofa", "clock", "table", "lamp")
COUNT = int(os.environ.get("SYNTHAUG_MAP_IMAGES", "2000"))  # see CONTRIBUTING.md
REAL, TEST = 600, 150
SYNTHETIC = COUNT - REAL - TEST
DIMENSION = 8
RANKED_AMONG = 1250
MOST_SHOWN = 10_000  # images in the grid while nothing is selected


@dataclass(frozen=True, slots=True)
class Planted:
    """What was hidden where, as image ids."""

    root: Path
    real: list[int]
    test: list[int]
    synthetic: list[int]
    strangers: set[int]  # synthetic, unlike anything real
    wrong: set[int]  # real training images with another class's label
    twins: list[tuple[int, int]]  # synthetic image, its near-copy
    disputed: set[int]  # synthetic images of another class than their prompt's


def plant(root: Path) -> Planted:
    """Make it; the database is closed again."""
    rng = np.random.default_rng(5)
    workspace = Workspace.create(root, CLASSES)
    ids, classes, features = _images(workspace, rng)
    real, test, synthetic = ids[:REAL], ids[REAL : REAL + TEST], ids[REAL + TEST :]
    strange = range(REAL + TEST, REAL + TEST + 40)
    features[strange] = rng.normal(size=(40, DIMENSION)) * 0.1 + _away()
    copies = [(COUNT - 60 + 2 * i, COUNT - 59 + 2 * i) for i in range(20)]
    for first, second in copies:
        features[second] = features[first]
    swapped = list(range(0, 24))
    disputed = list(range(REAL + TEST + 100, REAL + TEST + 130))
    _generations(workspace, synthetic, classes, {each - REAL - TEST for each in disputed})
    _labels(workspace, ids, classes, swapped)
    model = _predictions(workspace, ids, classes, features)
    _scores(workspace, model, ids, features, {ids[b]: ids[a] for a, b in copies})
    workspace.db.close()
    return Planted(
        root,
        real,
        test,
        synthetic,
        {ids[i] for i in strange},
        {ids[i] for i in swapped},
        [(ids[a], ids[b]) for a, b in copies],
        {ids[i] for i in disputed},
    )


def _away() -> NDArray[np.float64]:
    """A direction that no class takes."""
    return np.eye(DIMENSION)[-1] * 4


def _images(
    workspace: Workspace, rng: np.random.Generator
) -> tuple[list[int], NDArray[np.int64], NDArray[np.float64]]:
    classes = np.arange(COUNT) % len(CLASSES)
    features = np.eye(DIMENSION)[classes] * 3 + rng.normal(size=(COUNT, DIMENSION)) * 0.4
    ids = []
    with workspace.db.transaction():
        for number in range(COUNT):
            pixels = np.zeros((32, 32, 3), np.uint8)
            pixels[..., classes[number]] = 90 + number % 120
            pixels[4 + number % 20 : 10 + number % 20, 8:24] = rng.integers(0, 256, 3)
            pixels[0, :3, 0] = number // 10000, number // 100 % 100, number % 100
            image_id, _ = catalog.add_image(
                workspace.db,
                sha256=_store(workspace, pixels),
                size=(32, 32),
                split="test" if REAL <= number < REAL + TEST else "train",
                origin="synthetic" if number >= REAL + TEST else "real",
                source=f"photographs/{number}.png" if number < REAL + TEST else "job 1",
            )
            ids.append(image_id)
    return ids, classes, features


def _store(workspace: Workspace, pixels: Pixels) -> str:
    """Store an image under its address, without the syncs that take minutes for a hundred thousand."""
    sha256 = pixel_hash(pixels)
    path = workspace.images.path(sha256)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_png(pixels, {}))
    return sha256


def _generations(
    workspace: Workspace, synthetic: list[int], classes: NDArray[np.int64], disputed: set[int]
) -> None:
    template = "a photo of an animal on the <WHAT>"
    spec = GenerationSpec(template, CLASSES[0], len(synthetic), generator="cifar10", seed=7)
    params = GenerationParams(spec, "cifar10", len(WORDS), source_ids=None, size=(32, 32))
    halves = [jobs.submit(workspace.db, "generate", params.to_json(), len(synthetic)) for _ in range(2)]
    for job in halves:
        jobs.finish(workspace.db, job, "done", result={"generated": len(synthetic) // 2, "seconds": 1.0})
    with workspace.db.transaction():
        for number, image_id in enumerate(synthetic):
            word = WORDS[number % len(WORDS)]
            asked = (int(classes[REAL + TEST + number]) + (number in disputed)) % len(CLASSES)
            made = Generation(
                halves[number % 2],
                number,
                image_id,
                asked,
                f"a photo of a {CLASSES[asked]} on the {word}",
                number % len(WORDS),
                {"WHAT": word},
                7 + number,
                "cifar10" if number % 3 else "digits",
                "0123456789abcdef",
                {"guidance_scale": float(1 + number % 3)},
            )
            generations.add(workspace.db, made)


def _labels(workspace: Workspace, ids: list[int], classes: NDArray[np.int64], swapped: list[int]) -> None:
    said = [(int(classes[i]) + (i in swapped)) % len(CLASSES) for i in range(REAL + TEST)]
    entries = [
        LabelEntry(ids[i], "class", "import", "imported", f"import:{i}", said[i]) for i in range(REAL + TEST)
    ]
    label.record(workspace, entries)


def _predictions(
    workspace: Workspace, ids: list[int], classes: NDArray[np.int64], features: NDArray[np.float64]
) -> int:
    model = add_untrained_model(workspace, recipe="cifar")
    sure = np.exp(features[:, : len(CLASSES)])
    probs = (sure / sure.sum(1, keepdims=True)).astype(np.float32)
    models.add_predictions(workspace.db, model.id, ids, probs, features.astype(np.float32))
    return model.id


def _scores(
    workspace: Workspace, model: int, ids: list[int], features: NDArray[np.float64], repeats: dict[int, int]
) -> None:
    synthetic = np.arange(COUNT) >= REAL + TEST
    ood_real, ood_synthetic = np.full((2, COUNT), np.nan)
    ood_real[synthetic] = quality.out_of_distribution(features[synthetic], features[:REAL])
    some = features[REAL + TEST :][:RANKED_AMONG]  # all of them, or enough: each with each takes minutes
    ood_synthetic[synthetic] = np.concatenate(
        [
            quality.out_of_distribution(None, some),
            quality.out_of_distribution(features[REAL + TEST + RANKED_AMONG :], some),
        ]
    )

    def known(value: float) -> float | None:
        return None if np.isnan(value) else float(value)

    scores = [
        Score(
            image_id,
            (float(features[i, 0]), float(features[i, 1])),
            (float(features[i, 1] - features[i, 2]), float(features[i, -1])),
            0.5,
            0.5,
            known(ood_real[i]),
            known(ood_synthetic[i]),
            repeats.get(image_id),
        )
        for i, image_id in enumerate(ids)
    ]
    models.replace_scores(workspace.db, model, scores)


def open_map(page: Page, app: App, query: str = "") -> None:
    """Open the Explore page and wait for the points."""
    page.goto(f"{app.url}/explore{query}")
    expect(page.locator(".sa-scatter")).to_have_attribute("data-painted", str(COUNT))
    page.locator(".sa-scatter [data-part=overlay]").click(trial=True)


STILL = """async id => {
  const { scatter } = document.querySelector(".sa-scatter");
  const frame = () => new Promise((then) => requestAnimationFrame(then));
  for (let still = 0, last = ""; still < 5; await frame()) {
    const now = String(scatter.locate(id));
    still = now === last ? still + 1 : 0;
    last = now;
  }
  return scatter.locate(id);
}"""


def click_point(page: Page, image: int) -> None:
    """Click where an image lies in the plot, once neither the page nor the points move."""
    x, y = page.evaluate(STILL, image)
    page.mouse.click(x, y)


def selected(page: Page) -> set[int]:
    """The ids that the plot says are selected."""
    return set(page.evaluate("document.querySelector('.sa-scatter').scatter.selectedIds()"))
