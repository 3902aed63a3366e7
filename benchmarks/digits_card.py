"""All results on the card of the digits model, and its sheet of samples.

    python benchmarks/digits_card.py [--per-digit 130] [--sheet docs/digits-samples.png] [--guidance G] [--steps N]

The judge is a support vector machine on 8x8 pixels, trained on the real training split and tested on the real test
split; it is not trained on generated images.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from samples import draw, sheet

from synthaug.generator_training.digit_captions import DIGIT_WORDS, slant_word, weight_word
from synthaug.generators import load_generator
from synthaug.generators.base import Generator
from synthaug.importers.digits import digits_arrays

STYLES = (
    "a handwritten digit {word}",
    "{word}",
    "{figure}",
    "a photo of the digit {figure}",
    "the number {word}",
    "a drawing of a {word}",
    "a bold handwritten digit {word}",
    "a thin handwritten digit {word}",
    "a handwritten digit {word}, slanted left",
    "a handwritten digit {word}, slanted right",
    "an upright handwritten digit {word}",
    "a bold handwritten digit {word} slanted right",
    "a thin {figure} slanted left",
)
ATTRIBUTES = ("bold", "thin", "slanted left", "slanted right", "upright")
OPPOSITES = {
    "bold": "thin",
    "thin": "bold",
    "slanted left": "slanted right",
    "slanted right": "slanted left",
}


def small(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Convert images (N, 32, 32, 3) uint8 to (N, 64): means of 4x4 pixels in 0 .. 16, as in scikit-learn's digits."""
    gray = images[..., 0].astype(np.float64).reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    return gray.reshape(len(gray), 64) * 16 / 255


def fitted_judge(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Any:
    from sklearn.svm import SVC

    return SVC(gamma=0.001, C=10).fit(small(images), labels)


def nearest(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Root mean square difference, in gray levels, between each image and the nearest of the others."""
    from sklearn.neighbors import NearestNeighbors

    flat = [each[..., 0].reshape(len(each), -1).astype(np.float64) for each in (images, others)]
    return NearestNeighbors(n_neighbors=1).fit(flat[1]).kneighbors(flat[0])[0][:, 0] / 32


def spread(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    """Root mean square deviation of pixels within a class, averaged over the classes, in gray levels."""
    gray = images[..., 0].astype(np.float64)
    return float(np.mean([np.sqrt(gray[labels == digit].var(axis=0).mean()) for digit in range(10)]))


def quantiles(values: NDArray[np.float64]) -> str:
    low, middle, high = np.percentile(values, [1, 50, 99])
    return f"1% {low:.1f}, median {middle:.1f}, 99% {high:.1f}"


@dataclass(frozen=True)
class Drawn:
    """Generated images (N, 32, 32, 3), with the digit, the phrasing and the prompt of each."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    styles: NDArray[np.int64]
    prompts: Sequence[str]
    seconds: float


def drawn_by(generator: Generator, per_digit: int) -> Drawn:
    styles = np.array([i % len(STYLES) for _ in range(10) for i in range(per_digit)])
    labels = np.repeat(np.arange(10), per_digit)
    prompts = [
        STYLES[style].format(word=DIGIT_WORDS[label], figure=label)
        for style, label in zip(styles, labels, strict=True)
    ]
    draw(generator, prompts[:1], 0)  # warm-up
    began = time.perf_counter()
    images = draw(generator, prompts, 10_000)
    return Drawn(images, labels, styles, prompts, time.perf_counter() - began)


def print_class_agreement(judge: Any, drawn: Drawn) -> None:
    right = judge.predict(small(drawn.images)) == drawn.labels
    print(f"class agreement: {right.mean():.2%} ({right.sum()} of {len(right)})")
    print(
        "  by digit:", ", ".join(f"{digit} {right[drawn.labels == digit].mean():.1%}" for digit in range(10))
    )
    for style, text in enumerate(STYLES):
        print(f"  {right[drawn.styles == style].mean():6.1%}  {text}")


def print_attributes(drawn: Drawn) -> None:
    """Print how often an image has the weight and the slant that its prompt asks for."""
    measured = [
        (weight_word(image, int(label)), slant_word(image, int(label)))
        for image, label in zip(drawn.images, drawn.labels, strict=True)
    ]
    for word in ATTRIBUTES:
        found = [pair for pair, prompt in zip(measured, drawn.prompts, strict=True) if word in prompt]
        agree = np.mean([word in pair for pair in found])
        against = np.mean([OPPOSITES.get(word) in pair for pair in found])
        print(f"prompted as {word}: measured so {agree:.1%}, the opposite {against:.1%} (n = {len(found)})")


def print_distances(images: NDArray[np.uint8], train: NDArray[np.uint8], test: NDArray[np.uint8]) -> None:
    """Print how near generated images come to training images, compared with real test images."""
    to_train, reference = nearest(images, train), nearest(test, train)
    for whose, values in (("generated images", to_train), ("real test images", reference)):
        print(f"distance to the nearest training image, {whose}: {quantiles(values)} gray levels (RMS)")
    close = (to_train < np.percentile(reference, 1)).mean()
    print(f"generated images closer to a training image than the closest 1% of test images: {close:.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--per-digit", type=int, default=130, help="images per digit, over all phrasings")
    parser.add_argument("--sheet", type=Path, help="file for the sheet of samples")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    options = parser.parse_args()

    real, real_labels, is_test = digits_arrays()
    test, test_labels = real[is_test], real_labels[is_test]
    judge = fitted_judge(real[~is_test], real_labels[~is_test])
    print(f"judge: accuracy {judge.score(small(test), test_labels):.1%} on {len(test)} real test images")
    generator = load_generator(
        options.model, num_inference_steps=options.steps, guidance_scale=options.guidance, device="cpu"
    )
    print(f"revision: {generator.revision}\nsettings: {generator.settings}")
    drawn = drawn_by(generator, options.per_digit)
    print_class_agreement(judge, drawn)
    print_attributes(drawn)
    print_distances(drawn.images, real[~is_test], test)
    ours, theirs = spread(drawn.images, drawn.labels), spread(test, test_labels)
    print(f"spread within a class: generated {ours:.1f}, real test images {theirs:.1f} gray levels")
    score = fitted_judge(drawn.images, drawn.labels).score(small(test), test_labels)
    print(
        f"judge trained only on {len(drawn.images)} generated images: accuracy {score:.1%} on real test images"
    )
    print(f"speed: {len(drawn.images) / drawn.seconds:.1f} images/s")
    if options.sheet:
        sheet(
            generator,
            [f"a handwritten digit {word}" for word in DIGIT_WORDS],
            options.sheet,
            Image.Resampling.NEAREST,
        )


if __name__ == "__main__":
    main()
