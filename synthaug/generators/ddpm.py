"""Diffusion models conditioned on a class, or unconditional: DDPMs on pixels and DiT on latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray

from synthaug.errors import Cancelled, SynthaugError, UserError
from synthaug.generators.base import GeneratedImage, GenerationSettings, ModelCard, ShouldCancel
from synthaug.generators.classes import named_class, vocabulary
from synthaug.generators.delivery import check_positive, deliver, delivered_size
from synthaug.generators.folders import ModelFolder, find_model
from synthaug.generators.hub import INDEX
from synthaug.parsing import read_json
from synthaug.records import GenerationRequest
from synthaug.weights import pretrained

STEPS = 50
GUIDANCE = 1.5  # weak on purpose: training images should be varied, and strong guidance makes them alike
BATCH = 16


class Denoiser(Protocol):
    """The interface of a model to the sampling loop; ``classes`` is empty for an unconditional model."""

    classes: tuple[str, ...]
    shape: tuple[int, int, int]  # of the noise: channels, height, width
    size: tuple[int, int]  # width, height of the images

    def predict(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """The prediction (B, *shape) that the scheduler expects, for noisy ``x`` (B, *shape) and ``labels`` (B,)."""

    @property
    def null_label(self) -> int:
        """The label that stands for "no class" in classifier-unconditional guidance."""

    def pixels(self, x: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, H, W) in -1 .. 1 from a denoised ``x`` (B, *shape)."""


class PixelDenoiser:
    """A ``UNet2DModel`` on pixels. A conditional model reserves its last class embedding for "no class"."""

    def __init__(self, model: ModelFolder, card: ModelCard, device: str) -> None:
        from diffusers import UNet2DModel

        folder = model.path
        self.unet: Any = _load(UNet2DModel, model, "unet").to(device).eval()
        config = self.unet.config
        side = (config.sample_size,) * 2 if isinstance(config.sample_size, int) else tuple(config.sample_size)
        self.shape = (config.in_channels, *side)
        self.size = (side[1], side[0])
        conditional = config.num_class_embeds is not None
        self.classes = card.classes if conditional else ()
        if conditional and len(card.classes) + 1 != config.num_class_embeds:
            raise UserError(
                f"{folder} has {config.num_class_embeds} class embeddings (the last one for no class), but its card "
                f"names {len(card.classes)} classes; list all of them in order in its synthaug.json"
            )

    def predict(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        output: torch.Tensor = self.unet(x, t, class_labels=labels).sample
        return output[:, : self.shape[0]]  # in improved DDPMs the learned variance follows

    @property
    def null_label(self) -> int:
        return len(self.classes)

    def pixels(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.shape[1] == 3 else x[:, :1].expand(-1, 3, -1, -1)


@dataclass(frozen=True, slots=True)
class _IndexedClasses:
    """The class names in a pipeline's index."""

    id2label: dict[int, str] | None = None


class LatentDenoiser:
    """A class-conditional DiT (Peebles & Xie 2023) with its VAE; classes come from its card or ``id2label``."""

    def __init__(self, model: ModelFolder, card: ModelCard, device: str) -> None:
        from diffusers import AutoencoderKL, DiTTransformer2DModel

        self.transformer: Any = _load(DiTTransformer2DModel, model, "transformer").to(device).eval()
        self.vae: Any = _load(AutoencoderKL, model, "vae").to(device).eval()
        config = self.transformer.config
        named = read_json(_IndexedClasses, model.path / INDEX).id2label or {}
        self.classes = card.classes or tuple(named[key] for key in sorted(named))
        if len(self.classes) != config.num_embeds_ada_norm:
            raise UserError(
                f"{model.path} has {config.num_embeds_ada_norm} classes, but {len(self.classes)} of them are named; "
                'list all in order, as "classes" in its synthaug.json or as "id2label" in its model_index.json'
            )
        self.shape = (config.in_channels, config.sample_size, config.sample_size)
        side = config.sample_size * 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.size = (side, side)

    def predict(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        output: torch.Tensor = self.transformer(x, timestep=t, class_labels=labels).sample
        return output[:, : self.shape[0]]

    @property
    def null_label(self) -> int:
        return int(self.transformer.config.num_embeds_ada_norm)

    def pixels(self, x: torch.Tensor) -> torch.Tensor:
        decoded: torch.Tensor = self.vae.decode(x / self.vae.config.scaling_factor).sample
        return decoded


def _place(model: ModelFolder, part: str) -> Path:
    """The folder of a pipeline's component: its own, or that of the index (as in google/ddpm-cifar10-32)."""
    own = model.path / part
    return own if own.is_dir() else model.path


def _load(kind: Any, model: ModelFolder, part: str) -> Any:
    folder = _place(model, part)
    try:
        return pretrained(kind, folder, model.variant, torch_dtype=torch.float32)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise UserError(f"{folder} could not be loaded as a diffusers {kind.__name__}: {error}") from error


Details = TypedDict("Details", {"class": str, "guidance_scale": float}, total=False)
"""What determined the pixels besides seed, prompt and settings; "class" is the fine class of a coarse one."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The class and guidance of one request."""

    label: int | None  # None for an unconditional model
    fine: str  # name of the fine class, where the prompt names a coarse one
    guidance: float
    cut: str  # the part of the prompt that is not read


class DDPMGenerator:
    """Samples with deterministic DDIM (Song et al. 2021), so that an image depends only on its initial noise."""

    def __init__(
        self,
        name: str | Path,
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        batch_size: int | None = None,
        output_size: tuple[int, int] | None = None,
        device: str | None = None,
        compile: bool = False,
    ) -> None:
        from diffusers import DDIMScheduler

        if compile:
            raise UserError(f"{name} cannot be compiled; only diffusion pipelines that read prompts can")
        check_positive("batch size", batch_size)
        folder = find_model(name)
        self.name, self.revision = str(name), folder.revision
        self._card = ModelCard.read(folder.path)
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        latent = (folder.path / "transformer").is_dir()
        self._model: Denoiser = (
            LatentDenoiser(folder, self._card, self._device)
            if latent
            else PixelDenoiser(folder, self._card, self._device)
        )
        self._words = vocabulary(self._model.classes)
        config = DDIMScheduler.load_config(_place(folder, "scheduler"))
        # Pixels end within -1 .. 1, latents do not. A config without "clip_sample" was not written for DDIM.
        self._scheduler = DDIMScheduler.from_config({"clip_sample": not latent, **config})
        steps = self._steps(num_inference_steps)
        if not self._model.classes:
            self._refuse_guidance(guidance_scale)
        default_batch = self._card.batch_size or BATCH
        self.settings = GenerationSettings(
            num_inference_steps=steps,
            guidance_scale=float(self._default_guidance() if guidance_scale is None else guidance_scale),
            batch_size=default_batch if self._device == "cpu" else batch_size or default_batch,
            output_size=delivered_size(self._model.size, output_size or self._card.output_size),
            scheduler="DDIMScheduler",
            device=self._device,
            dtype="float32",
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images in pixels."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The card of the model folder."""
        return self._card

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image per request, in order; see :class:`synthaug.generators.base.Generator`."""
        plans = [self._plan(request) for request in requests]
        images: list[GeneratedImage] = []
        size = self.settings.batch_size
        for start in range(0, len(requests), size):
            part, planned = list(requests[start : start + size]), plans[start : start + size]
            if should_cancel():
                raise Cancelled("generation was cancelled")
            missing = size - len(part) if self._device == "cpu" else 0
            drawn = self._draw(part + part[-1:] * missing, planned + planned[-1:] * missing, should_cancel)
            images += [
                deliver(pixels, self.image_size, plan.cut, self._details(plan))
                for pixels, plan in zip(drawn[: len(part)], planned, strict=True)
            ]
        return images

    def _plan(self, request: GenerationRequest) -> _Plan:
        if request.image is not None:
            raise UserError(f"{self.name} generates from noise only; it cannot start from an image")
        if not self._model.classes:
            self._refuse_guidance(request.guidance_scale)
            return _Plan(None, "", 1.0, request.prompt)
        choices = self._words[named_class(request.prompt, list(self._words))]
        label = choices[int(np.random.default_rng(request.seed).integers(len(choices)))]
        fine = self._model.classes[label].partition(",")[0].strip() if len(choices) > 1 else ""
        guidance = request.guidance_scale
        return _Plan(label, fine, self.settings.guidance_scale if guidance is None else guidance, "")

    def _steps(self, wanted: int | None) -> int:
        """The number of denoising steps; None means that of the card. Raises UserError if the scheduler has fewer."""
        steps = (self._card.num_inference_steps or STEPS) if wanted is None else wanted
        longest = self._scheduler.config.num_train_timesteps
        if not 1 <= steps <= longest:
            raise UserError(f"the number of steps is {steps}; it must lie in 1 .. {longest}")
        return steps

    def _default_guidance(self) -> float:
        if not self._model.classes:
            return 1.0
        return GUIDANCE if self._card.guidance_scale is None else self._card.guidance_scale

    def _refuse_guidance(self, guidance: float | None) -> None:
        if guidance not in (None, 1.0):
            raise UserError(
                f"{self.name} is an unconditional model, so it has no guidance; leave guidance out"
            )

    @torch.inference_mode()
    def _draw(
        self, requests: Sequence[GenerationRequest], plans: Sequence[_Plan], should_cancel: ShouldCancel
    ) -> NDArray[np.uint8]:
        """Images (B, H, W, 3) uint8 at the native size of the model."""
        # Draw the noise on the CPU with one generator per image, so that it depends on the seed alone.
        noise = [
            torch.randn(self._model.shape, generator=torch.Generator().manual_seed(each.seed))
            for each in requests
        ]
        x = torch.stack(noise).to(self._device)
        labels = None
        if self._model.classes:
            labels = torch.tensor([each.label for each in plans], device=self._device)
        scale = torch.tensor([each.guidance for each in plans], device=self._device).view(-1, 1, 1, 1)
        self._scheduler.set_timesteps(self.settings.num_inference_steps, device=self._device)
        for t in self._scheduler.timesteps:
            if should_cancel():
                raise Cancelled("generation was cancelled")
            times = t.expand(len(x))
            predicted = self._model.predict(x, times, labels)
            if labels is not None and bool((scale != 1).any()):
                unconditional = self._model.predict(x, times, torch.full_like(labels, self._model.null_label))
                # Images without guidance keep their exact prediction, whatever else is in the batch.
                predicted = torch.where(
                    scale == 1, predicted, unconditional + scale * (predicted - unconditional)
                )
            x = self._scheduler.step(predicted, t, x).prev_sample
        pixels = self._model.pixels(x)
        if not torch.isfinite(pixels).all():
            raise SynthaugError(f"{self.name} produced NaN or infinite values; its weights are damaged")
        levels = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        images: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).cpu().numpy()
        return images

    def _details(self, plan: _Plan) -> Details:
        details: Details = {"class": plan.fine} if plan.fine else {}
        if plan.label is not None and plan.guidance != self.settings.guidance_scale:
            details["guidance_scale"] = plan.guidance
        return details
