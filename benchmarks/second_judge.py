"""What a judge that none of this project's code trained says of the embedded model's images.

    python benchmarks/second_judge.py CIFAR10 [--model embedded] [--images 2000] [--train 20000] [--side 128]

CIFAR10 is any source that ``synthaug import`` reads. The judge is scikit-learn's logistic regression on the features of
timm's EfficientNet-Lite0, which saw ImageNet, of real training images. It has not seen a generated image, and the
embedded model was not aligned with its features. Images are drawn from the prompt "a photo of a CLASS" at the model's
own settings.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from samples import draw
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from synthaug.backbones import DEVIATION, MEAN, efficientnet_lite0
from synthaug.config import CIFAR10
from synthaug.features.timm_model import TimmExtractor
from synthaug.generators import load_generator
from synthaug.images import resize
from synthaug.stages.sources import labeled_arrays

Pixels = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--train", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=128)
    options = parser.parse_args()

    extractor = imagenet_features(options.side)
    train, train_labels = (
        each[: options.train] for each in labeled_arrays(options.source, CIFAR10, "train", 32)
    )
    test, test_labels = labeled_arrays(options.source, CIFAR10, "test", 32)
    judge = linear_judge().fit(features(extractor, train), train_labels)
    print_agreement("real test images", judge.predict(features(extractor, test)), test_labels)

    asked = np.arange(options.images) % len(CIFAR10)
    generator = load_generator(options.model)
    images = draw(generator, [f"a photo of a {CIFAR10[index]}" for index in asked], 0)
    print_agreement(f"images of {options.model}", judge.predict(features(extractor, images)), asked)


def imagenet_features(side: int) -> TimmExtractor:
    """The extractor that enlarges images to ``side`` pixels for timm's EfficientNet-Lite0."""
    return TimmExtractor(
        "efficientnet-lite0", efficientnet_lite0(), side, (MEAN,) * 3, (DEVIATION,) * 3, "squeezed"
    )


def linear_judge() -> Pipeline:
    """scikit-learn's logistic regression on standardised features, not fitted yet."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=300))


def features(extractor: TimmExtractor, images: Pixels) -> NDArray[np.float32]:
    """Features (N, 1280) of images (N, H, W, 3), enlarged to the size of the extractor."""
    side = extractor.image_size
    return extractor.features(np.stack([resize(each, (side, side)) for each in images]))


def print_agreement(what: str, predicted: NDArray[np.int64], asked: NDArray[np.int64]) -> None:
    """Print the share that the judge takes for what was asked, in all and by class."""
    right = predicted == asked
    classes = ", ".join(f"{name} {right[asked == index].mean():.1%}" for index, name in enumerate(CIFAR10))
    print(f"{what}: {right.mean():.2%} of {len(asked):,} ({classes})", flush=True)


if __name__ == "__main__":
    main()
