"""Train the embedded text-to-image model on CIFAR-10 and the digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthaug.config import CIFAR10
from synthaug.generator_training.checkpoints import steps_done
from synthaug.generator_training.photo_captions import Fillers
from synthaug.generator_training.photos import ARCHITECTURE, CONFIG, FURTHER, LabeledImages, train_photos
from synthaug.generator_training.summary import TextToImageSummary
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import ModelFolder, find_model
from synthaug.hardware import describe_device
from synthaug.importers.digits import digits_arrays
from synthaug.stages.labeler import shipped_file
from synthaug.stages.seeds import check_seed
from synthaug.stages.sources import labeled_arrays
from synthaug.templates.wordlists import shipped_lists


def template_fillers() -> Fillers:
    """The words of the cat template, which captions draw at random: photographs carry no breed and no place."""
    lists = shipped_lists()
    places = [
        f"{preposition} the {furniture}"
        for preposition in dict.fromkeys(lists["preposition"])
        for furniture in lists["furniture"]
    ]
    return Fillers({"cat": lists["breed"]}, places)


def train_photo_generator(
    output: Path,
    checkpoints: Path,
    source: Path,
    *,
    steps: int | None = None,
    seed: int = 0,
    base: str | None = None,
    export: bool = False,
    progress: Callable[[str, int, int, float], None],
) -> TextToImageSummary:
    """Write the embedded model's folder, trained on the training split of CIFAR-10 at ``source``.

    ``source`` is anything that ``import`` reads: Parquet files, the batches of CIFAR-10, or a folder. Continues from
    ``checkpoints`` if a training with the same data and settings was started there. ``base`` is a model whose U-Net
    and text encoder are trained further, aligned with the features of the shipped labeler. ``export`` writes the model
    as it is in the checkpoint, without further steps. Raises UserError for an unreadable source or unsuitable settings.
    """
    import torch

    check_seed(seed)
    config = replace(CONFIG if base is None else FURTHER, seed=seed)
    steps = steps_done(checkpoints / "diffusion.safetensors") if export else steps
    config = config if steps is None else replace(config, steps=steps)
    start = None if base is None else find_model(base)
    images, labels = labeled_arrays(source, CIFAR10, "train", ARCHITECTURE.image_size)
    digits, digit_labels, is_test = digits_arrays()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return train_photos(
        LabeledImages(images, labels),
        LabeledImages(digits[~is_test], digit_labels[~is_test]),
        CIFAR10,
        template_fillers(),
        output,
        checkpoints,
        config=config,
        progress=progress,
        trained_on=(
            f"the training splits of CIFAR-10 ({len(images)} photographs, each also mirrored) and of "
            f"scikit-learn's digits, {config.steps} steps of {config.batch_size} images on "
            f"{describe_device(device)}{_starting_point(start)}"
        ),
        base=None if start is None else start.path,
        maps_of=None if start is None else labeler_maps(),
    )


def labeler_maps() -> Callable[[NDArray[np.uint8]], NDArray[np.float16]]:
    """Returns a function from images (N, 32, 32, 3) uint8 to feature maps (N, C, h, w) of the shipped labeler."""
    from synthaug.classifiers.fitted import FittedClassifier
    from synthaug.classifiers.maps import feature_maps

    classifier = FittedClassifier.load(shipped_file("cifar10-labeler"))
    return lambda images: feature_maps(classifier, images)


def _starting_point(base: ModelFolder | None) -> str:
    """The weights that a training started from, and the features that it was aligned with, for the model card."""
    if base is None:
        return ""
    earlier = ModelCard.read(base.path).trained_on
    return (
        f"; aligned with the features of cifar10-labeler; started from the weights of revision {base.revision[:12]}"
        + (f", which were trained on {earlier}" if earlier else "")
    )
