"""All results on the card of the embedded model, optionally written to the card, and its sheet of samples.

    python benchmarks/generator_card.py CIFAR10 [--model embedded] [--images 10000] [--write]
        [--sheet docs/photo-samples.png] [--steps N] [--guidance W]

CIFAR10 is any source that ``synthaug import`` reads. The judge is the labeler that comes with the package, which was
trained on the real training split and not on generated images. Fidelity is measured in its features against the 10,000
real test images.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from samples import draw, sheet

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.config import CIFAR10
from synthaug.generator_training.photo_captions import SYNONYMS, look
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import find_model
from synthaug.measures.diversity import vendi_score
from synthaug.measures.fidelity import fid, kid, neighborhoods
from synthaug.measures.memorisation import memorisation
from synthaug.stages import labeler
from synthaug.stages.sources import labeled_arrays

STYLES = (
    "a photo of a {noun}",
    "{noun}",
    "an image of a {noun}",
    "a dark photo of a {noun}",
    "a bright photo of a {noun}",
    "a photo of a {noun} on a green background",
    "a photo of a {noun} on a blue background",
    "a photo of a {noun} on a white background",
    "a red {noun}",
    "a photo of a {noun} near the sofa",
)
ASKED = {
    "dark": lambda seen: seen.tone == "dark",
    "bright": lambda seen: seen.tone == "bright",
    "on a green background": lambda seen: seen.background == "green",
    "on a blue background": lambda seen: seen.background == "blue",
    "on a white background": lambda seen: seen.background == "white",
}
NEIGHBORS = 2000  # images of each kind for precision, recall, density and coverage


def phrased(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """The class (N,), the phrasing (N,) and the prompt of each image; classes alternate, and so do their synonyms."""
    classes = np.arange(count) % len(CIFAR10)
    styles = np.arange(count) // len(CIFAR10) % len(STYLES)
    nouns = [SYNONYMS.get(CIFAR10[index], (CIFAR10[index],)) for index in classes]
    prompts = [
        STYLES[style].format(noun=names[i % len(names)])
        for i, (style, names) in enumerate(zip(styles, nouns, strict=True))
    ]
    return classes, styles, prompts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--write", action="store_true", help="store the results in the model's card")
    options = parser.parse_args()

    generator = load_generator(
        options.model, num_inference_steps=options.steps, guidance_scale=options.guidance, device="cpu"
    )
    print(f"revision {generator.revision}, {generator.settings}")
    if options.sheet is not None:
        sheet(
            generator, [f"a photo of a {name}" for name in CIFAR10], options.sheet, Image.Resampling.LANCZOS
        )
    judge = FittedClassifier.load(labeler.shipped_file("cifar10-labeler"))
    classes, styles, prompts = phrased(options.images)
    draw(generator, prompts[:1], 0)  # warm-up
    began = time.perf_counter()
    images = draw(generator, prompts, 100_000)
    seconds = time.perf_counter() - began
    figures = measured(judge, images, classes, styles, prompts, options.source)
    figures["images_per_second"] = round(options.images / seconds, 1)
    print(json.dumps(figures, indent=2))
    if options.write:
        folder = find_model(options.model).path
        replace(ModelCard.read(folder), figures=figures).write(folder)


def share_that_shows(words: str, images: NDArray[np.uint8]) -> float:
    """The share of images (N, 32, 32, 3) in which the tone or background of a prompt is measured."""
    return round(float(np.mean([ASKED[words](look(each)) for each in images])), 3)


def measured(
    judge: FittedClassifier,
    images: NDArray[np.uint8],
    classes: NDArray[np.int64],
    styles: NDArray[np.int64],
    prompts: list[str],
    source: Path,
) -> dict[str, object]:
    """The results for the card, as JSON."""
    test, test_labels = labeled_arrays(source, CIFAR10, "test", 32)
    train, _ = labeled_arrays(source, CIFAR10, "train", 32)
    probabilities, features = judge.predict(images)
    real_probabilities, real = judge.predict(test)
    right = probabilities.argmax(1) == classes
    asked = {words: images[[words in text for text in prompts]] for words in ASKED}
    kid_mean, kid_deviation = kid(features, real)
    among = neighborhoods(features[:NEIGHBORS], real[:NEIGHBORS])
    _, train_features = judge.predict(train)
    copied = memorisation(features[:NEIGHBORS], train_features, real[:NEIGHBORS])
    return {
        "images": len(images),
        "class agreement": round(float(right.mean()), 4),
        "class agreement by class": {
            name: round(float(right[classes == index].mean()), 3) for index, name in enumerate(CIFAR10)
        },
        "class agreement by phrasing": {
            text: round(float(right[styles == index].mean()), 3) for index, text in enumerate(STYLES)
        },
        "judge on real test images": round(float((real_probabilities.argmax(1) == test_labels).mean()), 4),
        "FID (labeler's features)": round(fid(features, real), 2),
        "KID (labeler's features)": [round(kid_mean, 4), round(kid_deviation, 4)],
        "precision, recall, density, coverage": [
            round(each, 3) for each in (among.precision, among.recall, among.density, among.coverage)
        ],
        "Vendi score": round(vendi_score(features), 2),
        "Vendi score of real test images": round(vendi_score(real), 2),
        "asked and measured so": {words: share_that_shows(words, some) for words, some in asked.items()},
        "measured so in real images": {words: share_that_shows(words, test[:2000]) for words in ASKED},
        "nearer to a train image than the nearest 1% of test images": round(copied.copies, 4),
        "nearer to a train image than a test image is (0.5: as test images)": round(copied.closer, 3),
    }


if __name__ == "__main__":
    main()
