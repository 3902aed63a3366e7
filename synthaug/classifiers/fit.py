"""The training loop: all images in one uint8 tensor, crops and flips on whole batches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthaug.classifiers.base import Images
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.networks import Network, build, choose_device, initialise, place
from synthaug.classifiers.optimisation import lr_factor, make_optimizer
from synthaug.classifiers.pixels import augment, channel_statistics, check_images, standardise, to_tensor
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import Cancelled, UserError
from synthaug.hardware import mixed_precision

WHITENED = 5000
"""Images whose patches a whitening layer is made from."""

Labels = NDArray[np.integer[Any]]
Weights = NDArray[np.floating[Any]]


def fit(
    images: Images,
    labels: Labels,
    num_classes: int,
    recipe: Recipe,
    seed: int,
    *,
    weights: Weights | None = None,
    class_names: Sequence[str] | None = None,
    progress: Callable[[dict[str, Any]], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
) -> FittedClassifier:
    """Train on images (N, H, W, 3) uint8 with labels (N,) in 0..num_classes-1.

    On a CPU the same seed gives bit-equal weights, for the same machine and thread count.
    ``weights`` (N,) are importances of the images in the loss; only their ratios matter.
    ``progress`` gets a dict(epoch, epochs, loss, train_accuracy, images_per_second) after each epoch.
    ``device`` is a torch device; without one, the GPU where there is one.
    """
    names = tuple(class_names) if class_names is not None else tuple(map(str, range(num_classes)))
    _check(images, labels, weights, num_classes, names)
    with _threads(recipe.cpu_threads):
        run = _Run(images, labels, weights, num_classes, recipe, seed, choose_device(device))
        report: dict[str, Any] = {}
        for epoch in range(1, recipe.epochs + 1):
            report = run.epoch(epoch, should_cancel)
            if not math.isfinite(report["loss"]):
                raise UserError(
                    f"training diverged: the loss is {report['loss']} in epoch {epoch} with recipe "
                    f"{recipe.name!r} (learning rate {recipe.lr:g}); use a lower learning rate or a gradient clip"
                )
            if progress is not None:
                progress(report)
    training = {"seed": seed, "images": len(images)} | {k: report[k] for k in ("loss", "train_accuracy")}
    return FittedClassifier(run.fitted(), recipe, names, run.mean.tolist(), run.std.tolist(), training)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Let torch use ``count`` cores of the CPU meanwhile; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _moving_average(network: Network, decay: float) -> torch.optim.swa_utils.AveragedModel:
    """A copy whose weights and statistics follow the network's; it starts as fast as it may."""

    def toward(average: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:
        if not average.is_floating_point():  # how many batches the statistics have seen
            return current
        return average.lerp(current, 1 - min(decay, (1 + int(steps)) / (10 + int(steps))))

    return torch.optim.swa_utils.AveragedModel(network, avg_fn=toward, use_buffers=True)


class _Run:
    """One training run: the data on the device, the network, the optimizer and the steps taken."""

    def __init__(
        self,
        images: Images,
        labels: Labels,
        weights: Weights | None,
        num_classes: int,
        recipe: Recipe,
        seed: int,
        device: torch.device,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.images = to_tensor(images, recipe.image_size).to(device)
        self.labels = torch.as_tensor(labels.astype(np.int64)).to(device)
        self.weights = _unit_mean(weights, len(images)).to(device)
        self.mean, self.std = channel_statistics(self.images)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.network = place(build(recipe.network, num_classes), device).train()
        initialise(self.network, self.generator, standardise(self.images[:WHITENED], self.mean, self.std))
        self.average = None if recipe.ema_decay is None else _moving_average(self.network, recipe.ema_decay)
        self.optimizer = make_optimizer(self.network, recipe)
        self.steps_an_epoch = math.ceil(len(images) / recipe.batch_size)
        self.steps = 0

    def epoch(self, number: int, should_cancel: Callable[[], bool] | None) -> dict[str, Any]:
        """One pass over all images in random order; what ``fit`` reports of it."""
        started = time.perf_counter()
        count = len(self.images)
        loss_sum = torch.zeros((), device=self.device)
        correct = torch.zeros((), dtype=torch.long, device=self.device)
        order = torch.randperm(count, generator=self.generator, device=self.device)
        # Batches of even size: a last batch of one image would upset batch normalisation.
        for rows in order.tensor_split(self.steps_an_epoch):
            if should_cancel is not None and should_cancel():
                raise Cancelled(f"training stopped in epoch {number} of {self.recipe.epochs}")
            loss, hits = self._step(rows)
            loss_sum += loss * len(rows)
            correct += hits
        return {
            "epoch": number,
            "epochs": self.recipe.epochs,
            "loss": loss_sum.item() / count,
            "train_accuracy": correct.item() / count,
            "images_per_second": count / (time.perf_counter() - started),
        }

    def fitted(self) -> Network:
        """The network to predict with: the last weights, or their average."""
        if self.average is None:
            return self.network
        averaged = self.average.module
        assert isinstance(averaged, Network)  # noqa: S101 (for the type checker)
        return averaged

    def _step(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """One update; the batch's mean loss and number of right answers, still on the device."""
        recipe = self.recipe
        self._set_learning_rate()
        x = standardise(augment(self.images[rows], recipe, self.generator), self.mean, self.std)
        with mixed_precision(self.device, wanted=recipe.mixed_precision):
            features = self.network.features(x)
        logits = self.network.head(self._dropout(features.float()))
        targets = self.labels[rows]
        losses = F.cross_entropy(logits, targets, reduction="none", label_smoothing=recipe.label_smoothing)
        loss = (losses * self.weights[rows]).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if recipe.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return loss.detach(), (logits.argmax(1) == targets).sum()

    def _set_learning_rate(self) -> None:
        recipe = self.recipe
        total, warmup = recipe.epochs * self.steps_an_epoch, round(recipe.warmup_epochs * self.steps_an_epoch)
        factor = lr_factor(recipe.schedule, self.steps, total, warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * factor
        self.steps += 1

    def _dropout(self, features: Tensor) -> Tensor:
        """Inverted dropout whose mask comes from the run's own generator."""
        keep = 1 - self.recipe.dropout
        if keep == 1:
            return features
        return features * torch.empty_like(features).bernoulli_(keep, generator=self.generator) / keep


def _unit_mean(weights: Weights | None, count: int) -> Tensor:
    """Weights of mean 1 (N,), so that the learning rate keeps its meaning."""
    if weights is None:
        return torch.ones(count)
    return torch.as_tensor(weights / weights.mean(), dtype=torch.float32)


def _check(
    images: Images, labels: Labels, weights: Weights | None, num_classes: int, names: tuple[str, ...]
) -> None:
    """Refuse data that nothing can be learned from."""
    check_images(images)
    if not len(images):
        raise UserError("there are no images to train on; import or label some first")
    if labels.shape != (len(images),):
        raise UserError(f"{len(images)} images need labels of shape ({len(images)},), not {labels.shape}")
    if len(names) != num_classes:
        raise UserError(f"{num_classes} classes need as many names, not {len(names)}")
    present = np.unique(labels)
    if present[0] < 0 or present[-1] >= num_classes:
        raise UserError(f"labels must lie in 0..{num_classes - 1}, not {present[0]}..{present[-1]}")
    if len(present) < 2:
        raise UserError(
            f"all images have the class {names[present[0]]!r}; training needs two or more classes"
        )
    if weights is not None and not _usable(weights, labels):
        raise UserError(f"weights must be {len(images)} finite numbers of at least 0, not all 0")


def _usable(weights: Weights, labels: Labels) -> bool:
    return bool(
        weights.shape == labels.shape and np.isfinite(weights).all() and weights.min() >= 0 and weights.any()
    )
