"""A uniform interface to diffusers pipelines: starting points, prompt encoding, guidance, size and defaults."""

from __future__ import annotations

import inspect
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synthaug.errors import UserError
from synthaug.generators.diffusion.batches import Start

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline, ModelMixin
    from transformers import PreTrainedTokenizerBase

    Arguments = dict[str, torch.Tensor | list[str] | float]
    """Arguments of a pipeline's call, by name."""

EMBEDDINGS_KEPT = 256  # prompts; the embeddings of one SDXL prompt take 0.3 MB
PLAIN_NAMES = ("prompt_embeds", "negative_prompt_embeds")
POOLED_NAMES = (*PLAIN_NAMES, "pooled_prompt_embeds", "negative_pooled_prompt_embeds")


@dataclass(slots=True)
class LoadedPipeline:
    """A pipeline in memory. It keeps state while it runs, so only the thread that holds ``lock`` may call it."""

    pipeline: DiffusionPipeline
    device: str
    number_format: str  # of the denoiser: "float32", "bfloat16" or "float16"
    compiled: bool = False
    offloaded: bool = False  # whether only the active part is on the device
    lock: threading.RLock = field(default_factory=threading.RLock)
    embeddings: OrderedDict[tuple[str, bool], dict[str, torch.Tensor]] = field(default_factory=OrderedDict)
    others: dict[Start, DiffusionPipeline] = field(
        default_factory=dict
    )  # pipelines with the same weights that start from an image

    @property
    def fixed_batch(self) -> bool:
        """Whether all batches must have the same shape: on a CPU pixels depend on it, and so does compiled code."""
        return self.compiled or self.device == "cpu"

    @property
    def native_size(self) -> tuple[int, int]:
        """Width and height in pixels of the images that the pipeline generates."""
        cells = getattr(self.pipeline, "default_sample_size", None) or self._denoiser.config.sample_size
        height, width = (cells, cells) if isinstance(cells, int) else cells
        factor = self.pipeline.vae_scale_factor
        return width * factor, height * factor

    @property
    def guidance_name(self) -> str | None:
        """The argument that sets classifier-free guidance; None if the pipeline has none.

        A ``guidance_scale`` without a default (Qwen-Image) is meant for guidance-distilled models instead.
        """
        parameters = inspect.signature(self.pipeline.__call__).parameters
        if "guidance_scale" in parameters and parameters["guidance_scale"].default is not None:
            return "guidance_scale"
        return "true_cfg_scale" if "true_cfg_scale" in parameters else None

    @property
    def guides_in_part(self) -> bool:
        """Whether the guidance can change from step to step (see :mod:`.guided_steps`)."""
        return self._embedding_names() == PLAIN_NAMES

    def _default(self, argument: str) -> float:
        default: float = inspect.signature(self.pipeline.__call__).parameters[argument].default
        return default

    @property
    def default_steps(self) -> int:
        """The pipeline's default number of denoising steps."""
        return int(self._default("num_inference_steps"))

    @property
    def default_guidance(self) -> float:
        """The pipeline's default guidance scale; 1 (no guidance) if it has none."""
        return 1.0 if self.guidance_name is None else float(self._default(self.guidance_name))

    def starting_from(self, start: Start) -> DiffusionPipeline:
        """The pipeline that starts from text, from an image or from a masked image; created on first use."""
        if start == "text":
            return self.pipeline
        if start not in self.others:
            self.others[start] = self._derived(start)
        return self.others[start]

    def _derived(self, start: Start) -> DiffusionPipeline:
        from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting

        kind = AutoPipelineForImage2Image if start == "image" else AutoPipelineForInpainting
        try:
            pipeline = kind.from_pipe(self.pipeline)
        except ValueError as error:
            raise UserError(
                f"diffusers has no version of {type(self.pipeline).__name__} that starts from "
                f"{'an image' if start == 'image' else 'a masked image'}; start from text"
            ) from error
        pipeline.set_progress_bar_config(disable=True)
        if self.offloaded:
            pipeline.enable_model_cpu_offload(device=self.device)
        return pipeline

    def arguments(self, prompts: list[str], guidance: float) -> Arguments:
        """The pipeline's call arguments for these prompts and guidance: cached embeddings for known pipelines."""
        import torch

        strength: Arguments = {} if self.guidance_name is None else {self.guidance_name: guidance}
        if self._embedding_names() is None:
            if self.guidance_name == "true_cfg_scale" and guidance > 1:
                strength["negative_prompt"] = [" "] * len(prompts)  # without one it does not guide
            return {"prompt": prompts, **strength}
        # A guidance-distilled model takes the scale as an input and runs once per step.
        guided = guidance > 1 and self._denoiser.config.time_cond_proj_dim is None
        encoded = [self._encode(prompt, guided) for prompt in prompts]
        return {name: torch.cat([each[name] for each in encoded]) for name in encoded[0]} | strength

    def unread(self, prompt: str) -> str:
        """The end of the prompt that is too long for every text encoder; "" if the whole prompt fits one."""
        components = self.pipeline.components.items()
        tokenizers = [each for name, each in components if name.startswith("tokenizer") and each is not None]
        return min((self._beyond(tokenizer, prompt) for tokenizer in tokenizers), key=len, default="")

    def _beyond(self, tokenizer: PreTrainedTokenizerBase, prompt: str) -> str:
        parameter = inspect.signature(self.pipeline.__call__).parameters.get("max_sequence_length")
        longest = min(tokenizer.model_max_length, math.inf if parameter is None else parameter.default)
        tokens = tokenizer(prompt, return_offsets_mapping=True, verbose=False)
        if len(tokens.input_ids) <= longest:
            return ""
        return prompt[tokens.offset_mapping[longest - 1][0] :]

    @property
    def _denoiser(self) -> ModelMixin:
        return getattr(self.pipeline, "unet", None) or self.pipeline.transformer

    def _embedding_names(self) -> tuple[str, ...] | None:
        from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

        if isinstance(self.pipeline, StableDiffusionXLPipeline):
            return POOLED_NAMES
        return PLAIN_NAMES if isinstance(self.pipeline, StableDiffusionPipeline) else None

    def _encode(self, prompt: str, guided: bool) -> dict[str, torch.Tensor]:
        """The embeddings of one prompt, each with a batch of 1; those of the most recent prompts are cached."""
        key = (prompt, guided)
        if key not in self.embeddings:
            encoded = self.pipeline.encode_prompt(
                prompt=prompt,
                device=self.device,
                num_images_per_prompt=1,
                do_classifier_free_guidance=guided,
            )
            names = self._embedding_names() or ()
            self.embeddings[key] = {
                name: each for name, each in zip(names, encoded, strict=True) if each is not None
            }
            if len(self.embeddings) > EMBEDDINGS_KEPT:
                self.embeddings.popitem(last=False)
        self.embeddings.move_to_end(key)
        return self.embeddings[key]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's, PyTorch's on the CPU (known only by its message) or that of a GPU."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
