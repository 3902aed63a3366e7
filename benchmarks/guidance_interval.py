"""What guidance in some of the steps only costs and brings, by scale and interval, with the embedded model.

    python benchmarks/guidance_interval.py CIFAR10 [--images 1000] [--test 2000] [--steps 10] [--seed 100000]
        [--settings 5:0..1 5:0.2..0.8 ...]

CIFAR10 is any source that ``synthaug import`` reads. Every setting draws the same prompts with the same seeds; its
processor time is compared with that of the first one, in the same run. Agreement is that of the labeler that comes with
the package; FID, precision, recall and coverage are measured in its features against the 10,000 real test images, the
last three with up to 2,000 images of each kind.

"trained" is what the images are for: the accuracy on real test images (``--test``) of a logistic regression that was
fitted to the generated images alone, on features of timm's EfficientNet-Lite0, which saw ImageNet and none of these.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from generator_card import NEIGHBORS, phrased
from numpy.typing import NDArray
from samples import draw
from second_judge import features, imagenet_features, linear_judge

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.config import CIFAR10
from synthaug.generators import load_generator
from synthaug.measures.diversity import vendi_score
from synthaug.measures.fidelity import fid, neighborhoods
from synthaug.stages import labeler
from synthaug.stages.guidance import read_interval
from synthaug.stages.sources import labeled_arrays

SETTINGS = ("5:0..1", "2:0..1", "5:0..0.7", "5:0.2..1", "5:0.2..0.7", "7:0.2..0.7")
ROW = "{:>12} {:>8} {:>8} {:>9} {:>8} {:>9} {:>9} {:>8} {:>6} {:>8}"
SIDE = 96  # pixels, to which images are enlarged for the features of "trained"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--test", type=int, default=2000)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=100_000, help="of the first image; the others follow it")
    parser.add_argument("--settings", nargs="+", default=SETTINGS, metavar="SCALE:START..STOP")
    options = parser.parse_args()

    judge = FittedClassifier.load(labeler.shipped_file("cifar10-labeler"))
    test, labels = labeled_arrays(options.source, CIFAR10, "test", 32)
    _, real = judge.predict(test)
    extractor = imagenet_features(SIDE)
    seen, seen_labels = features(extractor, test[: options.test]), labels[: options.test]
    classes, _, prompts = phrased(options.images)
    print(
        ROW.format(
            "setting", "time", "agree", "cats", "FID", "precision", "recall", "coverage", "Vendi", "trained"
        )
    )
    first = None
    for setting in options.settings:
        seconds, images = drawn(setting, options.steps, prompts, options.seed)
        first = first or seconds
        fitted = linear_judge().fit(features(extractor, images), classes)
        figures = [*compared(judge, images, classes, real), f"{fitted.score(seen, seen_labels):.1%}"]
        print(ROW.format(setting, f"{seconds / first:.2f}", *figures), flush=True)


def drawn(setting: str, steps: int | None, prompts: list[str], seed: int) -> tuple[float, NDArray[np.uint8]]:
    """Seconds of processor time, and the images of the prompts."""
    scale, _, interval = setting.partition(":")
    generator = load_generator(
        "embedded",
        num_inference_steps=steps,
        guidance_scale=float(scale),
        guidance_interval=read_interval(interval),
        device="cpu",
    )
    draw(generator, prompts[:1], 0)  # warm-up
    began = time.process_time()
    images = draw(generator, prompts, seed)
    return time.process_time() - began, images


def compared(
    judge: FittedClassifier, images: NDArray[np.uint8], classes: NDArray[np.int64], real: NDArray[np.float32]
) -> list[str]:
    """Agreement, that of cats, FID, precision, recall, coverage and Vendi score, as text."""
    probabilities, features = judge.predict(images)
    right = probabilities.argmax(1) == classes
    among = neighborhoods(features[:NEIGHBORS], real[:NEIGHBORS])
    cats = right[classes == CIFAR10.index("cat")].mean()
    shares = [among.precision, among.recall, among.coverage]
    return [
        f"{right.mean():.1%}",
        f"{cats:.1%}",
        f"{fid(features, real):.3f}",
        *(f"{each:.3f}" for each in shares),
        f"{vendi_score(features):.2f}",
    ]


if __name__ == "__main__":
    main()
