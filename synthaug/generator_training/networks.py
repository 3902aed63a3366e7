"""The networks of a small Stable Diffusion with random weights, and a tokenizer fitted to captions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of the networks. Latents have ``image_size / 2 ** (len(vae_channels) - 1)`` cells per side."""

    image_size: int = 32  # pixels
    latent_channels: int = 4
    vae_channels: tuple[int, ...] = (16, 32, 32)
    unet_channels: tuple[int, ...] = (48, 96)
    unet_attention: tuple[bool, ...] = (False, True)  # cross-attention, from the finest level down
    attention_heads: int = 16  # in every attention layer
    norm_groups: int = 16
    text_in_every_block: bool = False  # also add the pooled text embedding to the time embedding
    text_width: int = 64
    text_layers: int = 2
    text_heads: int = 4
    max_tokens: int = 24
    vocabulary_size: int = 640

    @property
    def latent_size(self) -> int:
        """Latent cells per side."""
        return self.image_size >> (len(self.vae_channels) - 1)


def make_tokenizer(captions: Sequence[str], architecture: Architecture) -> Any:
    """A CLIP tokenizer with byte-pair merges learned from the captions; it can encode any text as bytes."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    special = ["<|startoftext|>", "<|endoftext|>"]
    suffix = "</w>"
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix=suffix))
    learner.normalizer = normalizers.Lowercase()
    learner.pre_tokenizer = CLIPTokenizer().backend_tokenizer.pre_tokenizer
    learner.train_from_iterator(
        captions,
        trainers.BpeTrainer(
            vocab_size=architecture.vocabulary_size, end_of_word_suffix=suffix, show_progress=False
        ),
    )
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    # CLIP's vocabulary: every byte, every byte at the end of a word, the merges in order, the special tokens.
    tokens = [*alphabet, *(byte + suffix for byte in alphabet), *("".join(pair) for pair in merges)]
    tokens = [*tokens[: architecture.vocabulary_size - len(special)], *special]
    vocabulary = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    known = [pair for pair in merges if "".join(pair) in vocabulary]
    return CLIPTokenizer(vocab=vocabulary, merges=known, model_max_length=architecture.max_tokens)


def make_text_encoder(tokenizer: Any, architecture: Architecture) -> Any:
    """A small ``CLIPTextModel`` for that tokenizer."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=architecture.text_width,
            intermediate_size=2 * architecture.text_width,
            projection_dim=architecture.text_width,
            num_hidden_layers=architecture.text_layers,
            num_attention_heads=architecture.text_heads,
            max_position_embeddings=architecture.max_tokens,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def make_vae(architecture: Architecture) -> Any:
    """A small convolutional ``AutoencoderKL``."""
    from diffusers import AutoencoderKL

    levels = len(architecture.vae_channels)
    return AutoencoderKL(
        sample_size=architecture.image_size,
        latent_channels=architecture.latent_channels,
        block_out_channels=architecture.vae_channels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=1,
        norm_num_groups=8,
        mid_block_add_attention=False,
    )


def make_unet(architecture: Architecture) -> Any:
    """A small ``UNet2DConditionModel`` with cross-attention at the levels given by ``unet_attention``."""
    from diffusers import UNet2DConditionModel

    pooled: dict[str, str | int] = {}
    if architecture.text_in_every_block:
        pooled = {"addition_embed_type": "text", "addition_embed_type_num_heads": architecture.text_heads}
    down = tuple("CrossAttnDownBlock2D" if each else "DownBlock2D" for each in architecture.unet_attention)
    return UNet2DConditionModel(
        sample_size=architecture.latent_size,
        in_channels=architecture.latent_channels,
        out_channels=architecture.latent_channels,
        block_out_channels=architecture.unet_channels,
        down_block_types=down,
        up_block_types=tuple(name.replace("Down", "Up") for name in reversed(down)),
        layers_per_block=1,
        cross_attention_dim=architecture.text_width,
        attention_head_dim=architecture.attention_heads,  # diffusers' name for their number
        norm_num_groups=architecture.norm_groups,
        **pooled,
    )
