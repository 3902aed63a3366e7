"""The networks and the tokenizer of a small Stable Diffusion in training: new ones, or those of a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthaug.errors import UserError
from synthaug.generator_training.networks import (
    Architecture,
    make_text_encoder,
    make_tokenizer,
    make_unet,
    make_vae,
)
from synthaug.generators.hub import INDEX
from synthaug.weights import pretrained

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a ``StableDiffusionPipeline`` without its scheduler; weights in single precision."""

    tokenizer: Any
    vae: Any
    text_encoder: Any
    unet: Any

    def place(self, device: torch.device) -> None:
        """Move the networks to ``device``, in the memory layout for fast convolutions."""
        import torch
        from diffusers.models.attention_processor import AttnProcessor

        self.vae.to(device).to(memory_format=torch.channels_last)
        self.text_encoder.to(device)
        self.unet.to(device).to(memory_format=torch.channels_last)
        if device.type == "cpu":
            # On a CPU the backward pass of fused attention is several times slower than plain matrix products.
            self.unet.set_attn_processor(AttnProcessor())


def fresh_parts(captions: Sequence[str], architecture: Architecture) -> Parts:
    """Networks with random weights (from the global generator) and a tokenizer fitted to the captions."""
    tokenizer = make_tokenizer(captions, architecture)
    vae = make_vae(architecture)
    return Parts(tokenizer, vae, make_text_encoder(tokenizer, architecture), make_unet(architecture))


def parts_of(folder: Path) -> Parts:
    """The components of a trained model of this kind. Raises UserError for any other folder."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    wanted = ("tokenizer", "vae", "text_encoder", "unet")
    missing = [name for name in wanted if not (folder / name).is_dir()]
    if missing or not (folder / INDEX).is_file():
        raise UserError(
            f"{folder} cannot be trained further: it is not a StableDiffusionPipeline "
            f"(missing: {', '.join(missing) or INDEX})"
        )
    return Parts(
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        pretrained(AutoencoderKL, folder / "vae").float(),
        pretrained(CLIPTextModel, folder / "text_encoder").float(),
        pretrained(UNet2DConditionModel, folder / "unet").float(),
    )
