"""Train a generator from scratch: the shipped text-to-image models, or a DDPM or GAN on any view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.store import catalog, views
from synthaug.workspace import Workspace

Family = Literal["ddpm", "gan"]
Progress = Callable[[str, int, int, float], None]

DDPM_SIDE = 32  # pixels
GAN_SIDE = 64


def train_digits_generator(
    output: Path, checkpoints: Path, *, steps: int | None = None, seed: int = 0, progress: Progress
) -> dict[str, Any]:
    """Write a ``StableDiffusionPipeline`` folder trained on the 1,297 training digits; returns the run's figures.

    Goes on from ``checkpoints`` where an equal training was begun there. Raises UserError if ``output`` is taken.
    """
    from synthaug.generators.digits import train_digits
    from synthaug.generators.training_config import TrainingConfig
    from synthaug.importers.digits import digits_arrays

    check_output(output, steps)
    config = TrainingConfig(seed=seed)
    if steps is not None:
        config = replace(config, steps=steps)
    images, labels, is_test = digits_arrays()
    return train_digits(
        images[~is_test], labels[~is_test], output, checkpoints, config=config, progress=progress
    )


def train_on_view(
    workspace: Workspace,
    output: Path,
    checkpoints: Path,
    family: Family,
    view: str,
    *,
    classes: bool = True,
    label: str | None = None,
    size: str = "small",
    steps: int | None = None,
    seed: int = 0,
    progress: Progress,
) -> dict[str, Any]:
    """Write a DDPM's or a GAN's folder, trained on the images of a view, or on those of one class of it.

    ``classes``: whether a DDPM learns to be asked for a class. A GAN is not asked: with ``label`` it draws that
    class, without it whatever the view shows. ``steps`` are a GAN's epochs. The real test images are in no view.
    Goes on from ``checkpoints`` where an equal training was begun there. Raises UserError.
    """
    check_output(output, steps)
    side = DDPM_SIDE if family == "ddpm" else GAN_SIDE
    images, labels = _images(workspace, view, label, side)
    trained_on = _said(workspace, view, label, len(images))
    if family == "gan":
        from synthaug.generators.gan_training import GANConfig, train_gan

        gan = GANConfig(width=8 if size == "tiny" else 128, seed=seed)
        gan = gan if steps is None else replace(gan, epochs=steps)
        names = () if label is None else (label,)
        return train_gan(images, names, gan, output, checkpoints, progress=progress, trained_on=trained_on)
    from synthaug.generators.ddpm_training import CHANNELS, DDPMConfig, train_ddpm

    (chosen,) = (each for each in CHANNELS if each == size)
    ddpm = DDPMConfig(size=chosen, seed=seed)
    ddpm = ddpm if steps is None else replace(ddpm, steps=steps)
    named = (label,) if label is not None else workspace.classes
    return train_ddpm(
        images,
        labels if classes else None,
        named,
        ddpm,
        output,
        checkpoints,
        progress=progress,
        trained_on=trained_on,
    )


def check_output(output: Path, steps: int | None) -> None:
    """Refuse a folder that holds something, and a length that is none."""
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output} is not empty; choose a new folder")
    if steps is not None and steps < 1:
        raise UserError(f"steps is {steps}; it must be at least 1")


def _images(
    workspace: Workspace, view: str, label: str | None, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The images (N, side, side, 3) of a view and their classes, counted from 0 where only one is wanted."""
    from synthaug.stages.train import load_view

    data = load_view(workspace, views.by_name(workspace.db, view), side)
    if label is None:
        return data.images, data.labels
    wanted = data.labels == catalog.class_index(workspace.db, label)
    if not wanted.any():
        raise UserError(f"the view {view!r} has no images of the class {label!r}")
    return data.images[wanted], np.zeros(int(wanted.sum()), np.int64)


def _said(workspace: Workspace, view: str, label: str | None, count: int) -> str:
    import torch

    from synthaug.hardware import describe_device

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    what = f"{count} images" if label is None else f"{count} images of {label}"
    return f"{what} of the view {view!r} of the workspace {workspace.name!r}, on {describe_device(device)}"
