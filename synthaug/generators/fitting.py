"""The optimisation loop of every training phase: AdamW, warm-up, clipping, a moving average, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthaug.errors import SynthaugError, UserError
from synthaug.generators.checkpoints import load_state, save_state
from synthaug.generators.training_config import Progress, TrainingConfig

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Fit:
    """Runs the loop for one module after another; each phase has its own checkpoint."""

    config: TrainingConfig
    fingerprint: str
    checkpoint_dir: Path
    progress: Progress

    def run(
        self, phase: str, module: torch.nn.Module, loss_at: Callable[[int], torch.Tensor], steps: int
    ) -> float | None:
        """Train ``module`` up to ``steps`` and leave the averaged weights in it; the last loss, if any."""
        import torch

        config, path = self.config, self.checkpoint_dir / f"{phase}.safetensors"
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.99)
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
        if start > steps:
            raise UserError(f"{path} is at step {start}, beyond the {steps} steps asked for")
        loss: float | None = None
        saved = time.monotonic()
        module.train()
        for step in range(start, steps):
            loss = self._step(step, module, averaged, optimizer, loss_at)
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
        loss_at: Callable[[int], torch.Tensor],
    ) -> float:
        import torch

        for group in optimizer.param_groups:
            group["lr"] = self.config.learning_rate * min(1.0, (step + 1) / self.config.warmup_steps)
        loss = loss_at(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(module.parameters(), self.config.max_gradient_norm)
        optimizer.step()
        # The average forgets the first, random weights faster than the later ones.
        decay = min(self.config.ema_decay, (step + 1) / (step + 10))
        _average(averaged, module.state_dict(), decay)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise SynthaugError(f"training diverged: the loss is {value} at step {step + 1}")
        return value


def _average(averaged: dict[str, torch.Tensor], current: dict[str, torch.Tensor], decay: float) -> None:
    """Exponential moving average of the weights, in place; whole-number buffers are copied."""
    import torch

    with torch.no_grad():
        for name, value in current.items():
            if value.is_floating_point():
                averaged[name].lerp_(value, 1 - decay)
            else:
                averaged[name].copy_(value)
