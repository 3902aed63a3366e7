"""Train a generator from scratch: the shipped text-to-image models, or a DDPM or GAN on any view."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError, explain_os_error
from synthaug.generators.base import ModelCard
from synthaug.progress import StepProgress
from synthaug.stages.seeds import check_seed
from synthaug.store import catalog, views
from synthaug.workspace import Workspace

Family = Literal["ddpm", "gan"]

DDPM_SIDE = 32  # pixels
GAN_SIDE = 64


def train_digits_generator(
    output: Path, checkpoints: Path, *, steps: int | None = None, seed: int = 0, progress: StepProgress
) -> dict[str, Any]:
    """Write a ``StableDiffusionPipeline`` folder trained on the 1,297 training digits; returns the run's figures.

    Goes on from ``checkpoints`` where an equal training was begun there. Raises UserError if ``output`` is taken.
    """
    from synthaug.generator_training.config import TrainingConfig
    from synthaug.generator_training.digits import train_digits
    from synthaug.importers.digits import digits_arrays

    check_output(output, steps)
    check_seed(seed)
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
    flip: bool = False,
    seed: int = 0,
    progress: StepProgress,
) -> dict[str, Any]:
    """Write a DDPM's or a GAN's folder, trained on the images of a view, or on those of one class of it.

    ``classes``: whether a class is asked for; a DDPM then learns those of the view, a GAN is only ever asked for
    ``label``, and without it draws whatever the view shows. ``steps`` are a GAN's epochs. ``flip``: show a DDPM
    half of the images mirrored. The real test images are in no view. Goes on from ``checkpoints`` where an equal
    training was begun there; ``output`` appears whole or not at all.
    Raises UserError.
    """
    check_output(output, steps)
    check_seed(seed)
    if flip and family == "gan":
        raise UserError("a GAN is shown half of its images upside down, as its paper has it; leave flip out")
    watched = _Sitting(progress)
    partial = output.with_name(f".{output.name}.partial") / output.name
    try:
        shutil.rmtree(partial.parent, ignore_errors=True)
        figures = _train(
            workspace, partial, checkpoints, family, view, classes, label, size, steps, flip, seed, watched
        )
        said = _said(workspace, view, label, figures, watched)
        replace(ModelCard.read(partial), trained_on=said).write(partial)
        partial.replace(output)
        partial.parent.rmdir()
    except OSError as error:
        raise explain_os_error(error, output) from error
    return {**figures, "output": str(output)}


def _train(
    workspace: Workspace,
    output: Path,
    checkpoints: Path,
    family: Family,
    view: str,
    classes: bool,
    label: str | None,
    size: str,
    steps: int | None,
    flip: bool,
    seed: int,
    progress: StepProgress,
) -> dict[str, Any]:
    side = DDPM_SIDE if family == "ddpm" else GAN_SIDE
    images, labels, shown = _images(workspace, view, label, side)
    if family == "gan":
        from synthaug.generator_training.gan import GANConfig, train_gan

        gan = GANConfig(width=8 if size == "tiny" else 128, seed=seed)
        gan = gan if steps is None else replace(gan, epochs=steps)
        names = (label,) if label is not None and classes else ()
        return train_gan(images, names, gan, output, checkpoints, progress=progress)
    from synthaug.generator_training.ddpm import preset, train_ddpm

    ddpm = replace(preset(size), flip=flip, seed=seed)
    ddpm = ddpm if steps is None else replace(ddpm, steps=steps)
    return train_ddpm(
        images, labels if classes else None, shown, ddpm, output, checkpoints, progress=progress
    )


def check_output(output: Path, steps: int | None) -> None:
    """Refuse a folder that holds something, and a length that is none."""
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output} is not empty; choose a new folder")
    if steps is not None and steps < 1:
        raise UserError(f"steps is {steps}; it must be at least 1")


def _images(
    workspace: Workspace, view: str, label: str | None, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """Images (N, side, side, 3) of a view, their classes (N,), and the names of those that are among them."""
    from synthaug.stages.train import load_view

    data = load_view(workspace, views.by_name(workspace.db, view), side)
    if label is None:
        present, labels = np.unique(data.labels, return_inverse=True)
        return data.inputs, labels.astype(np.int64), tuple(workspace.classes[each] for each in present)
    wanted = data.labels == catalog.class_index(workspace.db, label)
    if not wanted.any():
        raise UserError(f"the view {view!r} has no images of the class {label!r}")
    return data.inputs[wanted], np.zeros(int(wanted.sum()), np.int64), (label,)


class _Sitting:
    """Passes progress on, and remembers how much of the training was done before this process began."""

    def __init__(self, progress: StepProgress) -> None:
        self._progress = progress
        self.before: int | None = None  # None: not a step was left to do

    def __call__(self, phase: str, done: int, total: int, loss: float) -> None:
        if self.before is None:
            self.before = done - 1
        self._progress(phase, done, total, loss)


def _said(
    workspace: Workspace, view: str, label: str | None, figures: Mapping[str, Any], sitting: _Sitting
) -> str:
    """On what a model was trained, for how long, and on which machine."""
    import torch

    from synthaug.hardware import describe_device

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config, count = figures["config"], figures["images"]
    what = f"{count} images" if label is None else f"{count} images of {label}"
    unit = "epochs" if "epochs" in config else "steps"
    length = (
        f"{config[unit]} {unit} of {config['batch_size']} images"
        if unit == "steps"
        else f"{config[unit]} epochs"
    )
    if sitting.before == 0:
        length += f" in {figures['seconds']:.0f} s"
    elif sitting.before is not None:
        length += f", the last {config[unit] - sitting.before} of them in {figures['seconds']:.0f} s"
    return f"{what} of the view {view!r} of the workspace {workspace.name!r}: {length}, on {describe_device(device)}"
