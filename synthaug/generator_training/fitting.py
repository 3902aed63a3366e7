"""The training loop of every phase: AdamW, warm-up, gradient clipping, a moving average of weights, checkpoints.

A batch may be split into shards, each processed by one thread on one core. If threads share a *convolution* instead,
they busy-wait for one another; as soon as another program runs, every step loses whole time slices (measured on two
cores: 9 images/s instead of 250).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthaug.errors import SynthaugError, UserError
from synthaug.generator_training.checkpoints import load_state, save_state
from synthaug.generator_training.config import Schedule, TrainingConfig
from synthaug.progress import StepProgress

if TYPE_CHECKING:
    import torch

    LossAt = Callable[..., torch.Tensor]
    Gradients = Sequence[torch.Tensor | None]


@dataclass(frozen=True, slots=True)
class Fit:
    """Runs the training loop for one phase after another; each phase has its own checkpoint."""

    config: TrainingConfig
    fingerprint: str
    checkpoint_dir: Path
    progress: StepProgress

    def run(self, phase: str, module: torch.nn.Module, loss_at: LossAt, schedule: Schedule) -> float | None:
        """Train ``module`` to the end of the schedule and load the averaged weights into it.

        ``loss_at(step)`` returns the loss of a batch; with more than one shard it is called as ``loss_at(step,
        shard)`` from several threads at once. Returns the last loss, or None if no step was left. Raises UserError for
        a checkpoint that does not belong to this training or is beyond its end.
        """
        import torch

        config, steps = self.config, schedule.steps
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=schedule.peak, weight_decay=config.weight_decay, betas=(0.9, 0.99)
        )
        averaged = {name: value.detach().clone() for name, value in module.state_dict().items()}
        checkpoint = _Checkpoint(
            self.checkpoint_dir / f"{phase}.safetensors", self.fingerprint, module, averaged, optimizer
        )
        loss: float | None = None
        start, saved = checkpoint.load(steps), time.monotonic()
        module.train()
        with Backward(module, config.shards) as backward:
            for step in range(start, steps):
                for group in optimizer.param_groups:
                    group["lr"] = schedule.learning_rate(step)
                loss = self._step(step, module, averaged, optimizer, backward, loss_at)
                last = step + 1 == steps
                if last or time.monotonic() - saved >= 60 * config.checkpoint_minutes:
                    checkpoint.save(step + 1)
                    saved = time.monotonic()
                self.progress(phase, step + 1, steps, loss)
        module.load_state_dict(averaged)
        return loss

    def _step(
        self,
        step: int,
        module: torch.nn.Module,
        averaged: dict[str, torch.Tensor],
        optimizer: torch.optim.Optimizer,
        backward: Backward,
        loss_at: LossAt,
    ) -> float:
        import torch

        value = backward(loss_at, step)
        torch.nn.utils.clip_grad_norm_(module.parameters(), self.config.max_gradient_norm)
        optimizer.step()
        # A smaller decay in the first steps, so that the average forgets the random initial weights quickly.
        decay = min(self.config.ema_decay, (step + 1) / (step + 10))
        _average(averaged, module.state_dict(), decay)
        if not np.isfinite(value):
            raise SynthaugError(f"training diverged: the loss is {value} at step {step + 1}")
        return value


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """The file of one phase, and the training state that it holds."""

    path: Path
    fingerprint: str
    module: torch.nn.Module
    averaged: dict[str, torch.Tensor]
    optimizer: torch.optim.Optimizer

    def load(self, steps: int) -> int:
        """Restore the state if there is a checkpoint; returns the steps done. Raises UserError beyond ``steps``."""
        start = load_state(
            self.path,
            fingerprint=self.fingerprint,
            module=self.module,
            averaged=self.averaged,
            optimizer=self.optimizer,
        )
        if start > steps:
            raise UserError(f"{self.path} is already at step {start}, beyond the requested {steps} steps")
        return start

    def save(self, step: int) -> None:
        """Write the state after ``step`` steps."""
        save_state(
            self.path,
            step=step,
            fingerprint=self.fingerprint,
            module=self.module,
            averaged=self.averaged,
            optimizer=self.optimizer,
        )


class Backward:
    """Computes the gradient of a batch's mean loss into the parameters; a context manager that owns the threads."""

    def __init__(self, module: torch.nn.Module, shards: int) -> None:
        self._parameters = [each for each in module.parameters() if each.requires_grad]
        self._shards = shards
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> Backward:
        import torch

        if self._shards > 1:
            self._threads = ThreadPoolExecutor(self._shards, initializer=torch.set_num_threads, initargs=(1,))
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown()

    def __call__(self, loss_at: LossAt, step: int) -> float:
        """The mean loss of a step; leaves its gradient in the parameters."""
        if self._threads is None:
            results = [self._gradients(loss_at(step))]
        else:
            futures = [self._threads.submit(self._shard, loss_at, step, i) for i in range(self._shards)]
            results = [each.result() for each in futures]
        for parameter, *gradients in zip(self._parameters, *(each for _, each in results), strict=True):
            known = [each for each in gradients if each is not None]
            parameter.grad = sum(known[1:], known[0]) / len(results) if known else None
        return sum(loss for loss, _ in results) / len(results)

    def _shard(self, loss_at: LossAt, step: int, shard: int) -> tuple[float, Gradients]:
        return self._gradients(loss_at(step, shard))

    def _gradients(self, loss: torch.Tensor) -> tuple[float, Gradients]:
        """Loss and gradients; not ``backward()``, with which the threads would add to the same tensors."""
        import torch

        return float(loss.detach()), torch.autograd.grad(loss, self._parameters, allow_unused=True)


def _average(averaged: dict[str, torch.Tensor], current: dict[str, torch.Tensor], decay: float) -> None:
    """Update the exponential moving average of the weights in place; integer buffers are copied."""
    import torch

    with torch.no_grad():
        for name, value in current.items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - decay)
            else:
                averaged[name].copy_(value)
