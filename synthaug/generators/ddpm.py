"""Diffusion models that read a class, or nothing: DDPMs over pixels, and DiT over latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

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
GUIDANCE = 1.5  # what classes are for is variety: a strong pull makes them alike
BATCH = 16


class Denoiser(Protocol):
    """What the sampling loop needs of a model; ``classes`` are empty where it reads none."""

    classes: tuple[str, ...]
    shape: tuple[int, int, int]  # of the noise: channels, height, width
    size: tuple[int, int]  # width, height of the images

    def predict(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """What the scheduler is stepped with, for noisy (B, *shape); ``labels`` (B,), None without classes."""

    @property
    def null_label(self) -> int:
        """The label of no class, for guidance."""

    def pixels(self, x: torch.Tensor) -> torch.Tensor:
        """Denoised (B, *shape) to images (B, 3, H, W) in -1 .. 1."""


class PixelDenoiser:
    """A ``UNet2DModel`` over pixels. Conditional ones keep their last class for "none"."""

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
                f"{folder} has {config.num_class_embeds} class embeddings, one of them for no class, and "
                f"its card names {len(card.classes)} classes; give them in its synthaug.json, in order"
            )

    def predict(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        output: torch.Tensor = self.unet(x, t, class_labels=labels).sample
        return output[:, : self.shape[0]]  # what follows, in improved DDPMs, is the learned variance

    @property
    def null_label(self) -> int:
        return len(self.classes)

    def pixels(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.shape[1] == 3 else x[:, :1].expand(-1, 3, -1, -1)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a pipeline's index says of its classes."""

    id2label: dict[int, str] | None = None


class LatentDenoiser:
    """A class-conditional DiT (Peebles & Xie 2023) with its VAE; classes as in its ``id2label``."""

    def __init__(self, model: ModelFolder, card: ModelCard, device: str) -> None:
        from diffusers import AutoencoderKL, DiTTransformer2DModel

        self.transformer: Any = _load(DiTTransformer2DModel, model, "transformer").to(device).eval()
        self.vae: Any = _load(AutoencoderKL, model, "vae").to(device).eval()
        config = self.transformer.config
        named = read_json(_Named, model.path / INDEX).id2label or {}
        self.classes = card.classes or tuple(named[key] for key in sorted(named))
        if len(self.classes) != config.num_embeds_ada_norm:
            raise UserError(
                f"{model.path} draws {config.num_embeds_ada_norm} classes, and {len(self.classes)} are named; "
                'give them in order, as "classes" in its synthaug.json or as "id2label" in its model_index.json'
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
    """Where a part of a pipeline lies: in a folder of its own, or beside the index (google/ddpm-cifar10-32)."""
    own = model.path / part
    return own if own.is_dir() else model.path


def _load(kind: Any, model: ModelFolder, part: str) -> Any:
    folder = _place(model, part)
    try:
        return pretrained(kind, folder, model.variant, torch_dtype=torch.float32)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise UserError(f"{folder} could not be loaded as a {kind.__name__} of diffusers: {error}") from error


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a request asks for: the label to draw, its name, and how strongly to pull towards it."""

    label: int | None
    fine: str
    guidance: float
    cut: str


class DDPMGenerator:
    """Samples with DDIM (Song et al. 2021): no noise but the first, so that a seed is all of an image."""

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
            raise UserError("only diffusion pipelines that read prompts can be compiled")
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
        # Pixels end within -1 .. 1, latents do not; a scheduler that does not say whether it clips is no DDIM.
        self._scheduler = DDIMScheduler.from_config({"clip_sample": not latent, **config})
        usual = self._card.num_inference_steps or STEPS
        steps = usual if num_inference_steps is None else num_inference_steps
        longest = self._scheduler.config.num_train_timesteps
        if not 1 <= steps <= longest:
            raise UserError(f"the number of steps is {steps}; it must lie in 1 .. {longest}")
        own = GUIDANCE if self._card.guidance_scale is None else self._card.guidance_scale
        if not self._model.classes:
            own = 1.0
            self._refuse_guidance(guidance_scale)
        fixed = self._card.batch_size or BATCH
        self.settings = GenerationSettings(
            num_inference_steps=steps,
            guidance_scale=float(own if guidance_scale is None else guidance_scale),
            batch_size=fixed if self._device == "cpu" else batch_size or fixed,
            output_size=delivered_size(self._model.size, output_size or self._card.output_size),
            scheduler="DDIMScheduler",
            device=self._device,
            dtype="float32",
        )

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of the images."""
        return self.settings.output_size

    def describe(self) -> ModelCard:
        """The model folder's card."""
        return self._card

    def generate(
        self, requests: Sequence[GenerationRequest], should_cancel: ShouldCancel = lambda: False
    ) -> list[GeneratedImage]:
        """One image a request, in order; see :class:`synthaug.generators.base.Generator`."""
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
            raise UserError(f"{self.name} draws from noise only; it cannot start from an image")
        if not self._model.classes:
            self._refuse_guidance(request.guidance_scale)
            return _Plan(None, "", 1.0, request.prompt)
        choices = self._words[named_class(request.prompt, list(self._words))]
        label = choices[int(np.random.default_rng(request.seed).integers(len(choices)))]
        fine = self._model.classes[label].partition(",")[0].strip() if len(choices) > 1 else ""
        guidance = request.guidance_scale
        return _Plan(label, fine, self.settings.guidance_scale if guidance is None else guidance, "")

    def _refuse_guidance(self, guidance: float | None) -> None:
        if guidance not in (None, 1.0):
            raise UserError(
                f"{self.name} draws without a class, so there is nothing to guide it to; leave guidance out"
            )

    @torch.inference_mode()
    def _draw(
        self, requests: Sequence[GenerationRequest], plans: Sequence[_Plan], should_cancel: ShouldCancel
    ) -> NDArray[np.uint8]:
        """Images (B, H, W, 3) uint8 at the model's own size."""
        # Noise is drawn on the CPU, one source an image, so that it depends on the seed alone.
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
                free = self._model.predict(x, times, torch.full_like(labels, self._model.null_label))
                # Exactly what is drawn without guidance where there is none, whatever else is in the batch.
                predicted = torch.where(scale == 1, predicted, free + scale * (predicted - free))
            x = self._scheduler.step(predicted, t, x).prev_sample
        pixels = self._model.pixels(x)
        if not torch.isfinite(pixels).all():
            raise SynthaugError(f"{self.name} drew NaN or infinite values; its weights are damaged")
        levels = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        images: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).cpu().numpy()
        return images

    def _details(self, plan: _Plan) -> dict[str, Any]:
        """What decided the pixels besides seed, prompt and settings."""
        details: dict[str, Any] = {"class": plan.fine} if plan.fine else {}
        if plan.label is not None and plan.guidance != self.settings.guidance_scale:
            details |= {"guidance_scale": plan.guidance}
        return details
