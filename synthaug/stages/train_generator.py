"""Train a generator from scratch: the shipped text-to-image models, or a DDPM or GAN on any view."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError, explain_os_error
from synthaug.generator_training.summary import DiffusionSummary, GANSummary, TextToImageSummary
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
) -> TextToImageSummary:
    """Train on the 1,297 training digits and write a ``StableDiffusionPipeline`` folder; returns a summary.

    Continues from ``checkpoints`` if a training with the same settings was started there. Raises UserError if
    ``output`` is not empty or a setting is out of range.
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
) -> DiffusionSummary | GANSummary:
    """Train a DDPM or a GAN on the images of a view, or on one class of them, and write its folder.

    ``label`` restricts the training to one class. With ``classes``, a DDPM is conditioned on the classes of the view,
    and prompts for a GAN must name ``label``; a GAN without a label generates images of any class. ``steps`` are epochs
    if the family is "gan". ``flip`` mirrors half of the images that a DDPM is shown. No view contains real test images.

    Continues from ``checkpoints`` if a training with the same data and settings was started there. ``output`` is
    written completely or not at all. Raises UserError for an unknown view or label, a folder that is not empty, or
    settings that are out of range.
    """
    check_output(output, steps)
    check_seed(seed)
    if flip and family == "gan":
        raise UserError(
            "flip applies to a DDPM only; a GAN always sees half of its images upside down, as in its paper"
        )
    watched = _StartingStep(progress)
    partial = output.with_name(f".{output.name}.partial") / output.name
    try:
        shutil.rmtree(partial.parent, ignore_errors=True)
        summary = _train(
            workspace, partial, checkpoints, family, view, classes, label, size, steps, flip, seed, watched
        )
        trained_on = _described(workspace, view, label, summary, watched.step)
        replace(ModelCard.read(partial), trained_on=trained_on).write(partial)
        partial.replace(output)
        partial.parent.rmdir()
    except OSError as error:
        raise explain_os_error(error, output) from error
    summary["output"] = str(output)
    return summary


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
) -> DiffusionSummary | GANSummary:
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
    """Raise UserError if the folder ``output`` is not empty, or ``steps`` is below 1."""
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output} is not empty; choose a new folder")
    if steps is not None and steps < 1:
        raise UserError(f"steps is {steps}; it must be at least 1")


def _images(
    workspace: Workspace, view: str, label: str | None, side: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """Images (N, side, side, 3) uint8 of a view, their labels (N,), and the names that the labels index."""
    from synthaug.stages.train import load_view

    data = load_view(workspace, views.by_name(workspace.db, view), side)
    if label is None:
        present, labels = np.unique(data.labels, return_inverse=True)
        return data.inputs, labels.astype(np.int64), tuple(workspace.classes[each] for each in present)
    wanted = data.labels == catalog.class_index(workspace.db, label)
    if not wanted.any():
        raise UserError(f"the view {view!r} has no images of the class {label!r}")
    return data.inputs[wanted], np.zeros(int(wanted.sum()), np.int64), (label,)


class _StartingStep:
    """Forwards progress, and remembers how many steps were already done when this process started."""

    def __init__(self, progress: StepProgress) -> None:
        self._progress = progress
        self.step: int | None = None  # None if no step was left to do

    def __call__(self, phase: str, done: int, total: int, loss: float) -> None:
        if self.step is None:
            self.step = done - 1
        self._progress(phase, done, total, loss)


def _described(
    workspace: Workspace,
    view: str,
    label: str | None,
    summary: DiffusionSummary | GANSummary,
    start: int | None,
) -> str:
    """The training data, duration and hardware in words, for the model card; ``start`` counts earlier steps."""
    import torch

    from synthaug.hardware import describe_device

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config, count = summary["config"], summary["images"]
    what = f"{count} images" if label is None else f"{count} images of {label}"
    unit = "epochs" if "epochs" in config else "steps"
    total = cast(int, config[unit])
    length = f"{total} steps of {config['batch_size']} images" if unit == "steps" else f"{total} epochs"
    if start == 0:
        length += f" in {summary['seconds']:.0f} s"
    elif start is not None:
        length += f", the last {total - start} of them in {summary['seconds']:.0f} s"
    return f"{what} of the view {view!r} of the workspace {workspace.name!r}: {length}, on {describe_device(device)}"
