"""The researcher's walk-through, counted: how many planted clocks, duplicates and wrong labels the Explore page finds.

    python benchmarks/walk_through.py CIFAR10 [--seeds 1 2 3]

A workspace gets real CIFAR-10 training images, 5% of them with a wrong label, and "synthetic" cats: CIFAR-10 test
images of cats, which stand for the good images of a generator, and drawn clocks, which stand for what it draws where
it takes the prompt "a cat on the clock" too literally. Some of the cats come twice: as a JPEG of quality 90,
brightened by 4 of 255, or shifted by a pixel. Features come from EfficientNet-Lite0, which was trained on ImageNet;
there is no classifier.

The benchmark then asks what the page asks: the points with both distances, the queues of near-duplicates and of
likely label errors, and the health of the template. It prints recall (found of the planted) and precision (planted of
the found) as means over the seeds with their range. What counts as a near-duplicate was
chosen with seed 0.
"""

from __future__ import annotations

import argparse
import io
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synthaug.config import PRESETS
from synthaug.features import DEFAULT_EXTRACTOR
from synthaug.measures.quality import read_ood
from synthaug.reading import explore, feature_space, template_health
from synthaug.reading.suspects import suspects
from synthaug.records import LabelEntry, Origin, Pixels
from synthaug.stages import label
from synthaug.stages.score import score
from synthaug.stages.sources import labeled_arrays
from synthaug.store import catalog, generations, jobs
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace

CAT = 3
SIZE = (32, 32)
WORDS = ("sofa", "table", "carpet", "clock")
REAL, WRONG = 3000, 150
CATS, CLOCKS, COPIES = 540, 60, 60
Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Planted:
    """What was hidden, as image ids; ``copies``: the kind of each copy."""

    clocks: set[int]
    wrong: set[int]
    copies: dict[int, str]


def as_jpeg(pixels: Pixels) -> Pixels:
    """The image after a round trip through JPEG of quality 90."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file).convert("RGB"))


def brightened(pixels: Pixels) -> Pixels:
    """The image with every value raised by 4 of 255."""
    return np.minimum(pixels.astype(np.uint16) + 4, 255).astype(np.uint8)


def shifted(pixels: Pixels) -> Pixels:
    """The image moved to the right by one pixel; the first column is repeated."""
    return np.concatenate([pixels[:, :1], pixels[:, :-1]], axis=1)


COPYING: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG": as_jpeg,
    "brightened": brightened,
    "shifted": shifted,
}


def drawn_clock(background: Pixels, rng: np.random.Generator) -> Pixels:
    """A dial with ticks and two hands at a random time, place and size, over a photograph."""
    side = 8 * SIZE[0]
    image = Image.fromarray(background).resize((side, side), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    radius = rng.uniform(0.28, 0.42) * side
    x, y = rng.uniform(0.45, 0.55, 2) * side
    light, dark = int(rng.integers(215, 256)), int(rng.integers(0, 60))
    rim = tuple(int(each) for each in rng.integers(20, 200, 3))
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], (light,) * 3, rim, width=int(radius / 7))
    for hour in range(12):
        along = np.array([math.sin(hour * math.pi / 6), math.cos(hour * math.pi / 6)])
        start, end = (np.array([x, y]) + along * radius * share for share in (0.68, 0.82))
        pen.line([*start, *end], (dark,) * 3, width=6)
    for length, angle in ((0.42, rng.uniform(0, 2 * math.pi)), (0.66, rng.uniform(0, 2 * math.pi))):
        tip = (x + length * radius * math.sin(angle), y - length * radius * math.cos(angle))
        pen.line([x, y, *tip], (dark,) * 3, width=9)
    return np.asarray(image.resize(SIZE, Image.Resampling.BOX))


def plant(workspace: Workspace, source: Path, seed: int) -> Planted:
    """Fill the workspace."""
    rng = np.random.default_rng(seed)
    names = PRESETS["cifar10"]
    images, labels = labeled_arrays(source, names, "train", SIZE[0])
    others, truth = labeled_arrays(source, names, "test", SIZE[0])
    some = rng.choice(len(images), REAL, replace=False)
    wrong = add_real(workspace, images[some], labels[some], rng)
    cats = others[truth == CAT][rng.permutation(int((truth == CAT).sum()))[: CATS + CLOCKS]]
    clocks = [drawn_clock(each, rng) for each in cats[CATS:]]
    originals = cats[:COPIES]
    kinds = [list(COPYING)[number % len(COPYING)] for number in range(COPIES)]
    copies = [COPYING[kind](each) for kind, each in zip(kinds, originals, strict=True)]
    words = [WORDS[number % len(WORDS)] for number in range(CATS + COPIES)] + ["clock"] * CLOCKS
    ids = add_synthetic(workspace, [*cats[:CATS], *copies, *clocks], words)
    return Planted(set(ids[CATS + COPIES :]), wrong, dict(zip(ids[CATS : CATS + COPIES], kinds, strict=True)))


def add_real(
    workspace: Workspace, images: Images, labels: NDArray[np.int64], rng: np.random.Generator
) -> set[int]:
    """Add labeled training images; returns those that got another class than theirs."""
    flipped = set(rng.choice(len(images), WRONG, replace=False).tolist())
    ids = [add(workspace, each, "real") for each in images]
    said = [
        int(labels[i] + (rng.integers(1, 10) if i in flipped else 0)) % len(workspace.classes)
        for i in range(len(ids))
    ]
    label.record(
        workspace,
        [LabelEntry(ids[i], "class", "import", "imported", f"import:{i}", said[i]) for i in range(len(ids))],
    )
    return {ids[i] for i in flipped}


def add_synthetic(workspace: Workspace, images: list[Pixels], words: list[str]) -> list[int]:
    """Add generated images of the prompt "a cat on the <FURNITURE>"; returns their ids."""
    job = jobs.submit(workspace.db, "generate", {}, len(images))
    ids = []
    for number, (pixels, word) in enumerate(zip(images, words, strict=True)):
        image_id = add(workspace, pixels, "synthetic")
        prompt = f"a cat on the {word}"
        made = Generation(job, number, image_id, CAT, prompt, 0, {"FURNITURE": word}, number, "planted", "r")
        generations.add(workspace.db, made)
        ids.append(image_id)
    jobs.finish(workspace.db, job, "done", result={"generated": len(images), "seconds": 1.0})
    return ids


def add(workspace: Workspace, pixels: Pixels, origin: Origin) -> int:
    """Store one training image."""
    image_id, _ = catalog.add_image(
        workspace.db,
        sha256=workspace.images.put(np.ascontiguousarray(pixels), {}),
        size=SIZE,
        split="train",
        origin=origin,
        source="planted",
    )
    return image_id


def found(hits: set[int], planted: set[int]) -> tuple[float, float]:
    """Recall and precision."""
    both = len(hits & planted)
    return both / len(planted), both / max(1, len(hits))


def walk(workspace: Workspace, planted: Planted) -> dict[str, tuple[float, float]]:
    """What the page finds: (recall, precision) by step."""
    score(workspace, DEFAULT_EXTRACTOR)
    points = explore.points(workspace)
    ids = points.ids.astype(np.int64)
    synthetic = np.flatnonzero(points.origin == 2)
    ranks = (each[synthetic].astype(np.float64) for each in (points.ood_real, points.ood_synthetic))
    reading: NDArray[np.str_] = np.array(list[str](read_ood(*ranks)))
    artefacts = set(ids[synthetic[reading == "artefact"]].tolist())
    far = set(ids[synthetic[np.isin(reading, ["artefact", "redundant"])]].tolist())
    first = synthetic[np.argsort(-points.ood_real[synthetic], kind="stable")[:CLOCKS]]
    space = feature_space.load(workspace)
    copies = set(suspects(workspace, "duplicates", space).marked)
    errors = suspects(workspace, "label-errors", space).ids
    results = {
        "clocks: far from real (artefact or redundant)": found(far, planted.clocks),
        "clocks: the quadrant 'artefact'": found(artefacts, planted.clocks),
        f"clocks: the {CLOCKS} farthest from real": found(set(ids[first].tolist()), planted.clocks),
        "duplicates: marked in the queue": found(copies, set(planted.copies)),
        "wrong labels: the whole queue": found(set(errors), planted.wrong),
        f"wrong labels: the first {WRONG} of the queue": found(set(errors[:WRONG]), planted.wrong),
    }
    for kind in COPYING:
        of_kind = {image for image, each in planted.copies.items() if each == kind}
        results[f"  duplicates, {kind}"] = found(copies & of_kind, of_kind)
    return results


def clock_health(workspace: Workspace) -> str:
    """What Template health says of the words, the one with most far images first."""
    rows = sorted(template_health.health(workspace), key=lambda row: -(row.far.share or 0))
    return ", ".join(f"{row.value} {row.far.share or 0:.0%}" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="CIFAR-10 as any format that synthaug imports.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="N")
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace.create(Path(folder) / "work", PRESETS["cifar10"])
            planted = plant(workspace, options.source, seed)
            runs.append(walk(workspace, planted))
            print(f"seed {seed}: far from real by word of the template: {clock_health(workspace)}")
            workspace.db.close()
    print(f"planted: {CLOCKS} clocks, {COPIES} near-copies, {WRONG} wrong labels; {REAL} real images")
    for step in runs[0]:
        for name, values in zip(
            ("recall", "precision"), zip(*(run[step] for run in runs), strict=True), strict=True
        ):
            shown = f"{np.mean(values):.1%} ({min(values):.1%} to {max(values):.1%})"
            if name == "recall" or not step.startswith(" "):
                print(f"{step:<48} {name:<9} {shown}")


if __name__ == "__main__":
    main()
