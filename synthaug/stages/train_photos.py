"""Train the embedded text-to-image model on CIFAR-10 and the digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.config import CIFAR10
from synthaug.generator_training.checkpoints import steps_done
from synthaug.generator_training.photo_captions import Fillers
from synthaug.generator_training.photos import ARCHITECTURE, CONFIG, FURTHER, LabeledImages, train_photos
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import ModelFolder, find_model
from synthaug.hardware import describe_device
from synthaug.importers.digits import digits_arrays
from synthaug.stages.labeler import shipped_file
from synthaug.stages.seeds import check_seed
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
    base: str | None = None,
    export: bool = False,
    progress: Callable[[str, int, int, float], None],
) -> dict[str, Any]:
    """Write the embedded model's folder, trained on the training split of CIFAR-10 at ``source``.

    ``source`` is anything ``import`` reads: parquet files, CIFAR's own batches, a folder. Goes on from
    ``checkpoints`` where an equal training was begun there. ``base``: a model whose U-Net and text encoder are
    trained further, aligned with the shipped labeler. ``export``: write the model as the checkpoint has it.
    """
    import torch

    check_seed(seed)
    config = replace(CONFIG if base is None else FURTHER, seed=seed)
    steps = steps_done(checkpoints / "diffusion.safetensors") if export else steps
    config = config if steps is None else replace(config, steps=steps)
    begun = None if base is None else find_model(base)
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
            f"{describe_device(device)}{_begun_with(begun)}"
        ),
        base=None if begun is None else begun.path,
        maps_of=None if begun is None else labeler_maps(),
    )


def labeler_maps() -> Callable[[NDArray[np.uint8]], NDArray[np.float16]]:
    """The shipped labeler's feature maps (N, C, h, w) of images (N, 32, 32, 3)."""
    from synthaug.classifiers.fitted import FittedClassifier
    from synthaug.classifiers.maps import feature_maps

    classifier = FittedClassifier.load(shipped_file("cifar10-labeler"))
    return lambda images: feature_maps(classifier, images)


def _begun_with(base: ModelFolder | None) -> str:
    """Which weights a training began with, and what its features were aligned with."""
    if base is None:
        return ""
    said = ModelCard.read(base.path).trained_on
    return (
        f"; aligned with the features of cifar10-labeler; begun with the weights of revision {base.revision[:12]}"
        + (f", themselves trained on {said}" if said else "")
    )
