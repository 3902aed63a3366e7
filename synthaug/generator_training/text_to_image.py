"""Training of a small Stable Diffusion: first the VAE, then the text encoder and the U-Net; or only these two further.

Every step draws its random numbers from (seed, phase, step) alone, so that an interrupted and resumed training ends
with the same weights as an uninterrupted one.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.generator_training.alignment import kept_maps, make_projection
from synthaug.generator_training.config import Augment, CaptionsFor, TrainingConfig, TrainingData
from synthaug.generator_training.fitting import Fit
from synthaug.generator_training.latents import moments_of, scaling_factor
from synthaug.generator_training.losses import NOISE_SCHEDULE, DiffusionLoss, VaeLoss
from synthaug.generator_training.parts import Parts, fresh_parts, parts_of
from synthaug.generator_training.summary import TextToImageSummary
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import find_model
from synthaug.progress import StepProgress

if TYPE_CHECKING:
    from synthaug.generator_training.alignment import FeatureMaps


def ignore_progress(phase: str, done: int, total: int, loss: float) -> None:
    """A progress callback that does nothing."""


def train(
    images: NDArray[np.uint8],
    captions_for: CaptionsFor,
    config: TrainingConfig,
    output_dir: Path,
    checkpoint_dir: Path,
    *,
    progress: StepProgress = ignore_progress,
    augment: Augment | None = None,
    card: ModelCard | None = None,
    base: Path | None = None,
    maps_of: FeatureMaps | None = None,
) -> TextToImageSummary:
    """Train on ``images`` (N, H, W, 3) uint8 and write a ``StableDiffusionPipeline`` folder; returns a summary.

    Continues from ``checkpoint_dir`` if a training with the same data and settings was started there. ``base`` is the
    folder of a model to start from, whose VAE and tokenizer stay unchanged. ``maps_of`` computes the feature maps with
    which the U-Net is aligned if ``config.alignment`` is above 0. Raises UserError for unsuitable images or settings.
    """
    import torch

    _check(images, config, augment, maps_of)
    revision = "" if base is None else find_model(base).revision
    data = TrainingData(images, captions_for, augment, config, revision)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began = time.monotonic()

    torch.manual_seed(config.seed)  # the only use of the global generator: initial weights
    parts = fresh_parts(data.sample_captions(), config.architecture) if base is None else parts_of(base)
    parts.place(device)
    fit = Fit(config, data.fingerprint(), checkpoint_dir, progress)
    reconstruction = _train_vae(fit, parts, data, device) if base is None else None
    parts.vae.requires_grad_(False).eval()
    loss = _train_diffusion(fit, parts, data, device, maps_of if config.alignment else None)
    _save_pipeline(output_dir, parts, card)
    counted = (parts.vae, parts.text_encoder, parts.unet)
    return {
        "output": str(output_dir),
        "images": len(images),
        "seconds": time.monotonic() - began,
        "vae_loss": reconstruction,
        "loss": loss,
        "parameters": sum(each.numel() for part in counted for each in part.parameters()),
        "config": asdict(config),
    }


def _train_vae(fit: Fit, parts: Parts, data: TrainingData, device: Any) -> float | None:
    loss = fit.run("vae", parts.vae, VaeLoss(parts.vae, data, device), data.config.vae_schedule())
    parts.vae.requires_grad_(False).eval()
    parts.vae.register_to_config(scaling_factor=scaling_factor(parts.vae, data, device))
    return loss


def _train_diffusion(
    fit: Fit, parts: Parts, data: TrainingData, device: Any, maps_of: FeatureMaps | None
) -> float | None:
    """Train the text encoder and the U-Net, whose features are aligned with ``maps_of`` if that is given."""
    import torch

    moments = moments_of(parts.vae, data, fit.checkpoint_dir, fit.fingerprint, device)
    trained = torch.nn.ModuleDict({"text_encoder": parts.text_encoder, "unet": parts.unet})
    projection = maps = None
    if maps_of is not None:
        maps = kept_maps(data.images, maps_of, fit.checkpoint_dir / "maps.safetensors", fit.fingerprint)
        projection = make_projection(parts.unet.config.block_out_channels[-1], maps.shape[1]).to(device)
        trained["projection"] = projection
    loss_at = DiffusionLoss(
        *(parts.vae, parts.text_encoder, parts.unet, parts.tokenizer, data, moments, device),
        projection=projection,
        maps=maps,
    )
    return fit.run("diffusion", trained, loss_at, data.config.schedule())


def _check(
    images: NDArray[np.uint8], config: TrainingConfig, augment: Augment | None, maps_of: FeatureMaps | None
) -> None:
    size = config.architecture.image_size
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3) or not len(images):
        raise UserError(
            f"training images must be uint8 of shape (N, {size}, {size}, 3) with N >= 1; "
            f"got {images.dtype} of shape {images.shape}"
        )
    if config.batch_size % config.shards:
        raise UserError(f"a batch of {config.batch_size} cannot be split into {config.shards} equal shards")
    if maps_of is not None and augment is not None:
        raise UserError(
            "feature maps are computed once per image, so alignment cannot be combined with an augmentation"
        )


def _save_pipeline(output_dir: Path, parts: Parts, card: ModelCard | None) -> None:
    """Write the folder that ``StableDiffusionPipeline.from_pretrained`` reads; VAE and U-Net in half precision."""
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=parts.vae.cpu().half(),
        # By default transformers loads weights in their stored precision and diffusers in float32, so that a
        # text encoder stored in float16 would not work with the float32 U-Net.
        text_encoder=parts.text_encoder.cpu().float(),
        tokenizer=parts.tokenizer,
        unet=parts.unet.cpu().half(),
        scheduler=DPMSolverMultistepScheduler(**NOISE_SCHEDULE, timestep_spacing="trailing", steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(output_dir, safe_serialization=True)
    if card is not None:
        card.write(output_dir)
