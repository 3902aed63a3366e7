"""The training loop. All images are in one integer tensor; crops and flips work on whole batches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from synthaug.classifiers.base import Images
from synthaug.classifiers.fitted import Fitted, penultimate
from synthaug.classifiers.losses import Objective
from synthaug.classifiers.networks import Network, build, dropping, fill_pretrained, initialise, place
from synthaug.classifiers.optimisation import lr_factor, make_optimizer
from synthaug.classifiers.pixels import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    augment,
    batches,
    channel_statistics,
    standardise,
    to_tensor,
)
from synthaug.classifiers.recipes import REAL_SHARE, Recipe
from synthaug.classifiers.selection import Best
from synthaug.classifiers.training_record import TrainingRecord, selected
from synthaug.errors import Cancelled, UserError
from synthaug.hardware import mixed_precision
from synthaug.progress import EpochProgress, EpochReport, Score

_TRAIN: dict[str, Score] = {"accuracy": "train_accuracy", "error": "train_error"}
_SELECTION: dict[str, Score] = {"accuracy": "selection_accuracy", "error": "selection_error"}

WHITENED = 5000
"""Number of images from whose patches a whitening layer is computed."""


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """A context in which torch uses ``count`` CPU threads; None leaves their number unchanged."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Loop:
    """One training run: the data on the device, the network, the optimizer and the number of steps taken."""

    def __init__(
        self,
        images: Images,
        objective: Objective,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        start: Fitted | None = None,
        last_rows: Tensor | None = None,
    ) -> None:
        """``last_rows`` (M,) are the rows of the images that the last epochs see, if they do not see all of them."""
        self.recipe = recipe
        self.device = device
        self.objective = objective
        self.images = to_tensor(images, recipe.image_size, recipe.framing).to(device)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.network = place(build(recipe.network, objective.outputs), device).train()
        if start is None and recipe.pretrained:
            self.mean, self.std = (
                torch.tensor(each, device=device) for each in (IMAGENET_MEAN, IMAGENET_STD)
            )
            initialise(self.network, self.generator, self.images)
            fill_pretrained(self.network, recipe.network)
        elif start is None:
            self.mean, self.std = channel_statistics(self.images)
            initialise(self.network, self.generator, standardise(self.images[:WHITENED], self.mean, self.std))
        else:
            self.mean, self.std = (torch.tensor(each, device=device) for each in (start.mean, start.std))
            self.network.load_state_dict(start.network.state_dict())
        self.average = None if recipe.ema_decay is None else _moving_average(self.network, recipe.ema_decay)
        self.optimizer = make_optimizer(self.network, recipe)
        self.steps_an_epoch = math.ceil(len(images) / recipe.batch_size)
        self.total_steps = recipe.steps or recipe.epochs * self.steps_an_epoch
        self.epochs = math.ceil(self.total_steps / self.steps_an_epoch)
        self.warmup_steps = round(self.total_steps * recipe.warmup_epochs / recipe.epochs)
        self.steps = 0
        self.last_rows = None if last_rows is None else last_rows.to(device)
        self.last_epochs = min(self.epochs - 1, max(1, round(REAL_SHARE * self.epochs)))

    def train(
        self,
        selection_set: tuple[Images, Tensor] | None,
        progress: EpochProgress | None,
        should_cancel: Callable[[], bool] | None,
    ) -> tuple[Network, TrainingRecord]:
        """Train all epochs; returns the network to keep, and the record of the training.

        With a ``selection_set`` (images and their targets), the epoch with the best score on it is kept. Raises
        Cancelled after ``should_cancel()`` becomes true, and UserError if the loss diverges.
        """
        best = Best(self.objective.higher_is_better)
        judged = None if selection_set is None else self._on_device(*selection_set)
        for epoch in range(1, self.epochs + 1):
            report = self._epoch(epoch, should_cancel)
            if judged is not None:
                score = self._score(*judged)
                report[_SELECTION[self.objective.measure]] = score
                best.offer(self.fitted(), epoch, score, report)
            if progress is not None:
                progress(report)
            if judged is not None and self.recipe.patience and epoch - best.epoch >= self.recipe.patience:
                break
        epochs_run = report["epoch"]
        if best.report is not None:
            self.fitted().load_state_dict(best.state)
            report = best.report
        return self.fitted(), {**selected(report), "epochs": epochs_run, "steps": self.steps}

    def fitted(self) -> Network:
        """The network to predict with: the latest weights, or their moving average."""
        if self.average is None:
            return self.network
        averaged = self.average.module
        assert isinstance(averaged, Network)  # noqa: S101 (for the type checker)
        return averaged

    def _epoch(self, number: int, should_cancel: Callable[[], bool] | None) -> EpochReport:
        """As many steps as all images take, or until the last step; returns its report."""
        started = time.perf_counter()
        loss_sum, score_sum = torch.zeros(2, device=self.device)
        order = self._order(number)
        seen = 0
        with dropping(self.network, self.recipe.body_dropout, self.generator):
            # Batches of even size: a last batch of one image would upset batch normalisation.
            for rows in order.tensor_split(self.steps_an_epoch)[: self.total_steps - self.steps]:
                if should_cancel is not None and should_cancel():
                    raise Cancelled(f"training stopped in epoch {number} of {self.epochs}")
                loss, score = self._step(rows)
                loss_sum += loss * len(rows)
                score_sum += score
                seen += len(rows)
        self._refuse_divergence(loss_sum.item() / seen, number)
        report: EpochReport = {
            "epoch": number,
            "epochs": self.epochs,
            "loss": loss_sum.item() / seen,
            "images_per_second": seen / (time.perf_counter() - started),
        }
        report[_TRAIN[self.objective.measure]] = score_sum.item() / seen
        return report

    def _order(self, number: int) -> Tensor:
        """The rows (N,) of an epoch: all in random order, or in the last epochs ``last_rows`` again and again."""
        count = len(self.images)
        if self.last_rows is None or number <= self.epochs - self.last_epochs:
            return torch.randperm(count, generator=self.generator, device=self.device)
        passes = math.ceil(count / len(self.last_rows))
        orders = [
            torch.randperm(len(self.last_rows), generator=self.generator, device=self.device)
            for _ in range(passes)
        ]
        return self.last_rows[torch.cat(orders)[:count]]

    def _step(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """One update of the weights; returns the batch's mean loss and sum of scores, still on the device."""
        recipe = self.recipe
        self._set_learning_rate()
        x = standardise(augment(self.images[rows], recipe, self.generator), self.mean, self.std)
        with mixed_precision(self.device, wanted=recipe.mixed_precision):
            features = self.network.features(x)
        outputs = self.network.head(self._dropout(features.float()))
        loss = self.objective.loss(outputs, rows)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if recipe.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return loss.detach(), self.objective.scores(outputs.detach(), self.objective.targets[rows]).sum()

    def _set_learning_rate(self) -> None:
        factor = lr_factor(self.recipe.schedule, self.steps, self.total_steps, self.warmup_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_lr"] * factor
        self.steps += 1

    def _dropout(self, features: Tensor) -> Tensor:
        """Inverted dropout whose mask is drawn from the run's own random generator."""
        keep = 1 - self.recipe.dropout
        if keep == 1:
            return features
        return features * torch.empty_like(features).bernoulli_(keep, generator=self.generator) / keep

    def _refuse_divergence(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            raise UserError(
                f"training diverged: the loss is {loss} in epoch {epoch} with the recipe {self.recipe.name!r} "
                f"(learning rate {self.recipe.lr:g}); use a lower learning rate or a gradient clip"
            )

    def _on_device(self, images: Images, targets: Tensor) -> tuple[Tensor, Tensor]:
        return to_tensor(images, self.recipe.image_size, self.recipe.framing).to(self.device), targets.to(
            self.device
        )

    @torch.inference_mode()
    def _score(self, images: Tensor, targets: Tensor) -> float:
        """The mean score of the network's present predictions."""
        network = self.fitted().eval()
        total = torch.zeros((), device=self.device)
        for rows in batches(len(images), self.recipe.image_size):
            x = standardise(images[rows], self.mean, self.std)
            with mixed_precision(self.device, wanted=self.recipe.mixed_precision):
                features = penultimate(network, x, self.recipe)
            total += self.objective.scores(network.head(features.float()), targets[rows]).sum()
        network.train()
        return total.item() / len(images)


def _moving_average(network: Network, decay: float) -> torch.optim.swa_utils.AveragedModel:
    """A moving average of the network's weights and statistics; early steps use a smaller decay."""

    def toward(average: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:
        if not average.is_floating_point():  # the number of batches in the statistics
            return current
        return average.lerp(current, 1 - min(decay, (1 + int(steps)) / (10 + int(steps))))

    return torch.optim.swa_utils.AveragedModel(network, avg_fn=toward, use_buffers=True)
