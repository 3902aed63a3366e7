"""Train the embedded text-to-image model on CIFAR-10 and the digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthaug.config import CIFAR10
from synthaug.generator_training.photo_captions import Fillers
from synthaug.generator_training.photos import ARCHITECTURE, CONFIG, LabeledImages, train_photos
from synthaug.hardware import describe_device
from synthaug.importers.digits import digits_arrays
from synthaug.stages.sources import labeled_arrays
from synthaug.templates.wordlists import shipped_lists


def template_fillers() -> Fillers:
    """The words of the cat template: no photograph says which breed it shows or what it sits on."""
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
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """Write the embedded model's folder, trained on the training split of CIFAR-10 at ``source``.

    ``source`` is anything ``import`` reads: parquet files, CIFAR's own batches, a folder. Goes on from
    ``checkpoints`` where an equal training was begun there.
    """
    import torch

    config = replace(CONFIG, seed=seed, steps=steps or CONFIG.steps)
    images, labels = labeled_arrays(source, CIFAR10, "train", ARCHITECTURE.image_size)
    digits, figures, is_test = digits_arrays()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return train_photos(
        LabeledImages(images, labels),
        LabeledImages(digits[~is_test], figures[~is_test]),
        CIFAR10,
        template_fillers(),
        output,
        checkpoints,
        config=config,
        progress=progress,
        trained_on=(
            f"the training splits of CIFAR-10 ({len(images)} photographs, each also mirrored) and of "
            f"scikit-learn's digits, {config.steps} steps of {config.batch_size} images on "
            f"{describe_device(device)}"
        ),
    )
