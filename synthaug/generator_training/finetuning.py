"""Fine-tuning of Stable Diffusion: low-rank adapters (LoRA), a single subject (DreamBooth), or all weights.

Every step draws its random numbers from (seed, step) alone, so that an interrupted and resumed training ends with the
same weights as an uninterrupted one: exactly on a CPU, up to rounding on a GPU.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from synthaug.errors import UserError
from synthaug.generator_training.adapters import Tunable, load_tunable, make_trainable, save_model
from synthaug.generator_training.checkpoints import load_state, save_state
from synthaug.generator_training.finetuning_config import FinetuneConfig, Validation, check_config
from synthaug.generator_training.finetuning_data import Conditions, Latents, class_images
from synthaug.generator_training.losses import min_snr_weights
from synthaug.generator_training.summary import FinetuningSummary
from synthaug.generators.base import ModelCard
from synthaug.generators.diffusion.pipelines import is_out_of_memory
from synthaug.hardware import describe_device
from synthaug.progress import StepProgress
from synthaug.records import Pixels

if TYPE_CHECKING:
    import torch
    from accelerate.optimizer import AcceleratedOptimizer

CHECKPOINT = "finetune.safetensors"
NEW_WORDS = 50  # most frequent new caption words that the model's card lists


def finetune(
    images: Sequence[Pixels],
    captions: Sequence[str],
    base: str,
    config: FinetuneConfig,
    output_dir: Path,
    checkpoint_dir: Path,
    *,
    progress: StepProgress,
    validation: Validation | None = None,
    classes: Sequence[str] = (),
    device: str | None = None,
) -> FinetuningSummary:
    """Fine-tune ``base`` on ``images``, each (H, W, 3) uint8 of any size, and their captions; returns a summary.

    Writes a folder for :func:`synthaug.generators.load_generator`. ``classes`` are those of the images, for the card
    of the model. Continues from ``checkpoint_dir`` if a training with the same data and settings was started there.
    Raises UserError for unsuitable settings, models or data, and when memory runs out.
    """
    if not images or len(images) != len(captions):
        raise UserError(
            f"fine-tuning needs one caption per image; got {len(images)} images and {len(captions)} captions"
        )
    check_config(config, captions)
    began = time.monotonic()
    captions = config.captions(captions)
    tunable = load_tunable(base, config, device)
    try:
        loss = _train(tunable, images, captions, checkpoint_dir, progress, validation)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise _too_large(tunable) from error
        raise
    card = _card(tunable, output_dir.name, captions, classes, len(images))
    save_model(tunable, output_dir, card)
    return {
        "images": len(images),
        "steps": config.steps,
        "seconds": round(time.monotonic() - began, 3),
        "loss": loss,
        "trained_parameters": sum(each.numel() for each in tunable.parameters),
        "precision": tunable.accelerator.mixed_precision,
        "config": asdict(config),
    }


def _train(
    tunable: Tunable,
    images: Sequence[Pixels],
    captions: Sequence[str],
    checkpoint_dir: Path,
    progress: StepProgress,
    validation: Validation | None,
) -> float | None:
    """Train the weights in the pipeline; returns the last loss, or None if no step was left."""
    import torch
    from diffusers.models.attention_processor import AttnProcessor

    config, prior = tunable.config, None
    if config.keeps_class:
        drawn = class_images(
            tunable, checkpoint_dir, lambda done, count: progress("class images", done, count, 0.0)
        )
        prior = Latents(tunable, drawn, flip=False)
    make_trainable(tunable)
    if tunable.device.type == "cpu":
        # On a CPU the backward pass of fused attention is several times slower than plain matrix products.
        tunable.pipeline.unet.set_attn_processor(AttnProcessor())
    loss_at = FinetuneLoss(tunable, Latents(tunable, images, config.flip), captions, prior)
    fingerprint = config.fingerprint(images, captions, tunable.base.revision)
    with torch.enable_grad():
        return Finetuning(tunable, loss_at, fingerprint, checkpoint_dir).run(progress, validation)


class FinetuneLoss:
    """The loss of one batch under the objective of the base (it predicts noise, velocity or the image)."""

    def __init__(
        self, tunable: Tunable, latents: Latents, captions: Sequence[str], prior: Latents | None
    ) -> None:
        from diffusers import DDPMScheduler

        self.tunable, self.latents, self.captions, self.prior = tunable, latents, captions, prior
        self.noising = DDPMScheduler.from_config(tunable.pipeline.scheduler.config)
        self.predicts: str = self.noising.config.prediction_type
        self.conditions = Conditions(tunable, [*captions, tunable.config.class_prompt or ""])
        self.weights = min_snr_weights(self.noising, tunable.config.min_snr_gamma).to(tunable.device)

    def __call__(self, step: int, part: int) -> torch.Tensor:
        """The loss of batch number ``part`` of a step."""
        import torch

        config = self.tunable.config
        rng = np.random.default_rng([config.seed, step, part])
        # A CPU generator, so that every device sees the same noise.
        source = torch.Generator().manual_seed(int(rng.integers(2**63)))
        indices, latents = self.latents.draw(rng, source, config.batch_size)
        captions = [self.captions[each] for each in indices]
        scale = torch.ones(len(latents), device=self.tunable.device)
        if self.prior is not None:
            latents = torch.cat([latents, self.prior.draw(rng, source, config.batch_size)[1]])
            captions += [config.class_prompt or ""] * config.batch_size
            scale = torch.cat([scale, scale * config.prior_weight])
        dropped = rng.random(len(captions)) < config.caption_dropout
        captions = ["" if drop else text for text, drop in zip(captions, dropped, strict=True)]
        noise = torch.randn(latents.shape, generator=source).to(latents.device)
        times = torch.randint(len(self.weights), (len(latents),), generator=source).to(latents.device)
        error = (
            self._predict(latents, noise, times, captions) - self._target(latents, noise, times)
        ).square()
        loss: torch.Tensor = (
            scale * self.weights[times] * error.mean(dim=(1, 2, 3))
        ).sum() / config.batch_size
        return loss

    def _predict(
        self, latents: torch.Tensor, noise: torch.Tensor, times: torch.Tensor, captions: Sequence[str]
    ) -> torch.Tensor:
        unet = self.tunable.pipeline.unet
        noisy = self.noising.add_noise(latents, noise, times).to(unet.dtype)
        with self.tunable.accelerator.autocast():
            predicted: torch.Tensor = unet(noisy, times, **self.conditions(captions)).sample
        return predicted.float()

    def _target(self, latents: torch.Tensor, noise: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        if self.predicts == "v_prediction":
            velocity: torch.Tensor = self.noising.get_velocity(latents, noise, times)
            return velocity
        return latents if self.predicts == "sample" else noise


class _State(TypedDict):
    """The parts of a training that a checkpoint stores, besides the number of steps."""

    fingerprint: str
    module: torch.nn.Module
    averaged: dict[str, torch.Tensor]
    optimizer: torch.optim.Optimizer


class Finetuning:
    """The training loop: AdamW at a constant learning rate, gradient accumulation, weight averaging, checkpoints."""

    def __init__(self, tunable: Tunable, loss_at: FinetuneLoss, fingerprint: str, folder: Path) -> None:
        import torch

        config = tunable.config
        self.tunable, self.loss_at, self.config = tunable, loss_at, config
        self.fingerprint, self.path = fingerprint, folder / CHECKPOINT
        self.trained = torch.nn.ParameterList(tunable.parameters)
        self.rate = config.rate(sum(each.numel() for each in tunable.pipeline.unet.parameters()))
        self.optimizer = torch.optim.AdamW(tunable.parameters, lr=self.rate, weight_decay=config.weight_decay)
        self.averaged: dict[str, torch.Tensor] = {}
        if not config.adapter:
            self.averaged = {name: each.detach().clone() for name, each in self.trained.state_dict().items()}

    def run(self, progress: StepProgress, validation: Validation | None) -> float | None:
        """Train up to ``config.steps``; returns the last loss, or None if no step was left."""
        start, steps = load_state(self.path, **self._state()), self.config.steps
        if start > steps:
            raise UserError(f"{self.path} is already at step {start}, beyond the requested {steps} steps")
        loss: float | None = None
        optimizer = self.tunable.accelerator.prepare_optimizer(self.optimizer)
        if validation is not None and start == 0:
            self._show(0, validation)
        saved = time.monotonic()
        self.tunable.pipeline.unet.train()
        for step in range(start, steps):
            loss = self._step(step, optimizer)
            done = step + 1
            if validation is not None and (done % validation.every == 0 or done == steps):
                self._show(done, validation)
            if done == steps or time.monotonic() - saved >= 60 * self.config.checkpoint_minutes:
                save_state(self.path, step=done, **self._state())
                saved = time.monotonic()
            progress("finetune", done, steps, loss)
        self._swap()
        return loss

    def _state(self) -> _State:
        return {
            "fingerprint": self.fingerprint,
            "module": self.trained,
            "averaged": self.averaged,
            "optimizer": self.optimizer,
        }

    def _step(self, step: int, optimizer: AcceleratedOptimizer) -> float:
        accelerator, total = self.tunable.accelerator, 0.0
        for part in range(self.config.accumulate):
            with accelerator.accumulate():
                loss = self.loss_at(step, part)
                accelerator.backward(loss)
                total += float(loss.detach()) / self.config.accumulate
                if accelerator.sync_gradients:
                    norm = accelerator.clip_grad_norm_(self.tunable.parameters, self.config.max_gradient_norm)
                    # With float16 the norm may overflow: accelerate then skips the step and lowers its loss scale.
                    self._check(step, total if accelerator.scaler is not None else total + float(norm))
                optimizer.step()
                optimizer.zero_grad()
        self._average(step)
        return total

    def _check(self, step: int, value: float) -> None:
        if not math.isfinite(value):
            raise UserError(
                f"training diverged at step {step + 1}: loss or gradient is {value}, with the learning rate "
                f"{self.rate:g}; try a tenth of it"
            )

    def _average(self, step: int) -> None:
        """Update the exponential moving average, with a smaller decay in the first steps."""
        import torch

        decay = min(self.config.ema_decay, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, value in self.trained.state_dict().items():
                if name in self.averaged:
                    self.averaged[name].lerp_(value, 1 - decay)

    def _show(self, done: int, validation: Validation) -> None:
        """Generate the validation images with the weights that would be saved now."""
        self._swap()
        images = self.tunable.draw(validation.prompts, validation.seeds)
        self._swap()
        validation.keep(done, images)

    def _swap(self) -> None:
        """Exchange the weights with their moving average, if there is one."""
        import torch

        with torch.no_grad():
            for name, value in self.trained.state_dict().items():
                if name in self.averaged:
                    weights = value.clone()
                    value.copy_(self.averaged[name])
                    self.averaged[name].copy_(weights)


def _card(
    tunable: Tunable,
    name: str,
    captions: Sequence[str],
    classes: Sequence[str],
    images: int,
) -> ModelCard:
    """The card of the base, with the classes and words of the captions added."""
    base, config = tunable.card, tunable.config
    counted = Counter(word for text in captions for word in set(re.findall(r"[a-z]{3,}", text.lower())))
    known = {word for text in (*base.classes, *base.words) for word in text.lower().split()}
    new = [word for word, _ in counted.most_common() if word not in known]
    taught = [each for each in classes if each not in base.classes and _mentioned(each, counted)]
    how = f"{config.method} on {images} captioned images, {config.steps} steps"
    return replace(
        base,
        name=name,
        family="diffusion",
        base="",
        classes=(*base.classes, *taught) if base.classes else (),
        words=(*base.words, *new[:NEW_WORDS]),
        trained_on=f"{how}, from {tunable.name}, on {describe_device(tunable.device)}",
        figures={},
    )


def _mentioned(name: str, counted: Mapping[str, int]) -> bool:
    words = re.findall(r"[a-z]{3,}", name.lower())
    return bool(words) and all(word in counted for word in words)


def _too_large(tunable: Tunable) -> UserError:
    config = tunable.config
    advice = [
        "gradient checkpointing" * (not config.gradient_checkpointing),
        "a batch of 1 with accumulation" * (config.batch_size > 1),
        "the method 'lora'" * (not config.adapter),
        "a smaller resolution",
    ]
    return UserError(
        f"fine-tuning {tunable.name} needs more memory than {tunable.device} has; "
        f"try {', '.join(each for each in advice if each)}"
    )
