"""The optimisation loop of every training phase: AdamW, warm-up, clipping, a moving average, checkpoints.

A batch may be cut into shards, each worked by a thread on one core. Threads that share a *convolution* wait for
one another in it, spinning; with any other program on the machine each step then lost whole time slices
(measured on two cores: 9 images/s against 250).
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
    """Runs the loop for one module after another; each phase has its own checkpoint."""

    config: TrainingConfig
    fingerprint: str
    checkpoint_dir: Path
    progress: StepProgress

    def run(self, phase: str, module: torch.nn.Module, loss_at: LossAt, schedule: Schedule) -> float | None:
        """Train ``module`` to the end of the schedule and leave the averaged weights in it; the last loss, if any.

        ``loss_at(step)`` is the loss of a batch; with ``config.shards`` above 1 it is called with the number of
        the shard as well, from several threads at once.
        """
        import torch

        config, path = self.config, self.checkpoint_dir / f"{phase}.safetensors"
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=schedule.peak, weight_decay=config.weight_decay, betas=(0.9, 0.99)
        )
        averaged = {name: value.detach().clone() for name, value in module.state_dict().items()}

        def save(step: int) -> None:
            save_state(
                path,
                step=step,
                fingerprint=self.fingerprint,
                module=module,
                averaged=averaged,
                optimizer=optimizer,
            )

        start = load_state(
            path, fingerprint=self.fingerprint, module=module, averaged=averaged, optimizer=optimizer
        )
        steps = schedule.steps
        if start > steps:
            raise UserError(f"{path} is at step {start}, beyond the {steps} steps asked for")
        loss: float | None = None
        saved = time.monotonic()
        module.train()
        with Backward(module, config.shards) as backward:
            for step in range(start, steps):
                for group in optimizer.param_groups:
                    group["lr"] = schedule.learning_rate(step)
                loss = self._step(step, module, averaged, optimizer, backward, loss_at)
                last = step + 1 == steps
                if last or time.monotonic() - saved >= 60 * config.checkpoint_minutes:
                    save(step + 1)
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
        # The average forgets the first, random weights faster than the later ones.
        decay = min(self.config.ema_decay, (step + 1) / (step + 10))
        _average(averaged, module.state_dict(), decay)
        if not np.isfinite(value):
            raise SynthaugError(f"training diverged: the loss is {value} at step {step + 1}")
        return value


class Backward:
    """Leaves the gradient of a batch's mean loss in the parameters; a context that holds the threads."""

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
        """The loss of a step."""
        if self._threads is None:
            found = [self._gradients(loss_at(step))]
        else:
            waiting = [self._threads.submit(self._shard, loss_at, step, i) for i in range(self._shards)]
            found = [each.result() for each in waiting]
        for parameter, *gradients in zip(self._parameters, *(each for _, each in found), strict=True):
            known = [each for each in gradients if each is not None]
            parameter.grad = sum(known[1:], known[0]) / len(found) if known else None
        return sum(loss for loss, _ in found) / len(found)

    def _shard(self, loss_at: LossAt, step: int, shard: int) -> tuple[float, Gradients]:
        return self._gradients(loss_at(step, shard))

    def _gradients(self, loss: torch.Tensor) -> tuple[float, Gradients]:
        """Not ``backward()``, which would have the threads add to the same tensors."""
        import torch

        return float(loss.detach()), torch.autograd.grad(loss, self._parameters, allow_unused=True)


def _average(averaged: dict[str, torch.Tensor], current: dict[str, torch.Tensor], decay: float) -> None:
    """Exponential moving average of the weights, in place; whole-number buffers are copied."""
    import torch

    with torch.no_grad():
        for name, value in current.items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - decay)
            else:
                averaged[name].copy_(value)
