"""Trains a small Stable Diffusion from scratch: the VAE first, then text encoder and U-Net together.

Every step draws its randomness from (seed, phase, step) alone, so a training that was killed and started again
ends with the same weights as one that was not.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.generator_training.config import Augment, CaptionsFor, Progress, TrainingConfig, TrainingData
from synthaug.generator_training.fitting import Fit
from synthaug.generator_training.latents import moments_of, scaling_factor
from synthaug.generator_training.losses import NOISE_SCHEDULE, DiffusionLoss, VaeLoss
from synthaug.generator_training.networks import make_text_encoder, make_tokenizer, make_unet, make_vae
from synthaug.generators.base import ModelCard


def ignore_progress(phase: str, done: int, total: int, loss: float) -> None:
    """The progress callback that does nothing."""


def train(
    images: NDArray[np.uint8],
    captions_for: CaptionsFor,
    config: TrainingConfig,
    output_dir: Path,
    checkpoint_dir: Path,
    *,
    progress: Progress = ignore_progress,
    augment: Augment | None = None,
    card: ModelCard | None = None,
) -> dict[str, Any]:
    """Train on ``images (N, H, W, 3) uint8`` and write a ``StableDiffusionPipeline`` folder; figures of the run.

    Continues from ``checkpoint_dir`` where an equal training was begun there.
    """
    import torch
    from diffusers.models.attention_processor import AttnProcessor

    _check(images, config)
    data = TrainingData(images, captions_for, augment, config)
    fingerprint = data.fingerprint()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began = time.monotonic()
    tokenizer = make_tokenizer(data.sample_captions(), config.architecture)

    torch.manual_seed(config.seed)  # the only use of the global generator: initial weights
    vae = make_vae(config.architecture).to(device).to(memory_format=torch.channels_last)
    text_encoder = make_text_encoder(tokenizer, config.architecture).to(device)
    unet = make_unet(config.architecture).to(device).to(memory_format=torch.channels_last)
    if device.type == "cpu":
        # The fused attention's backward pass is several times slower than plain products on a CPU.
        unet.set_attn_processor(AttnProcessor())

    fit = Fit(config, fingerprint, checkpoint_dir, progress)
    reconstruction = fit.run("vae", vae, VaeLoss(vae, data, device), config.vae_schedule())
    vae.requires_grad_(False).eval()
    vae.register_to_config(scaling_factor=scaling_factor(vae, data, device))
    both = torch.nn.ModuleDict({"text_encoder": text_encoder, "unet": unet})
    moments = moments_of(vae, data, checkpoint_dir, fingerprint, device)
    loss_at = DiffusionLoss(vae, text_encoder, unet, tokenizer, data, moments, device)
    loss = fit.run("diffusion", both, loss_at, config.schedule())

    _save_pipeline(output_dir, vae, text_encoder, unet, tokenizer, card)
    return {
        "output": str(output_dir),
        "images": len(images),
        "seconds": time.monotonic() - began,
        "vae_loss": reconstruction,
        "loss": loss,
        "parameters": sum(each.numel() for part in (vae, both) for each in part.parameters()),
        "config": asdict(config),
    }


def _check(images: NDArray[np.uint8], config: TrainingConfig) -> None:
    size = config.architecture.image_size
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3) or not len(images):
        raise UserError(
            f"images to train on must be uint8 of shape (N, {size}, {size}, 3) with N >= 1; "
            f"got {images.dtype} of shape {images.shape}"
        )
    if config.batch_size % config.shards:
        raise UserError(f"a batch of {config.batch_size} cannot be cut into {config.shards} equal shards")


def _save_pipeline(
    output_dir: Path, vae: Any, text_encoder: Any, unet: Any, tokenizer: Any, card: ModelCard | None
) -> None:
    """Write the folder that ``StableDiffusionPipeline.from_pretrained`` reads; VAE and U-Net in half precision."""
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=vae.cpu().half(),
        # transformers loads what is stored, diffusers loads single precision: a half text encoder beside a
        # single U-Net would not run from a plain from_pretrained.
        text_encoder=text_encoder.cpu().float(),
        tokenizer=tokenizer,
        unet=unet.cpu().half(),
        scheduler=DPMSolverMultistepScheduler(**NOISE_SCHEDULE, timestep_spacing="trailing", steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(output_dir, safe_serialization=True)
    if card is not None:
        card.write(output_dir)
