"""Loading a diffusers pipeline, and the differences between pipelines: prompt encoding, size, defaults."""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from synthaug.errors import UserError
from synthaug.generators.folders import ModelFolder

if TYPE_CHECKING:
    import torch

EMBEDDINGS_KEPT = 256  # prompts; an SDXL prompt takes 0.3 MB
DRIVEN_BY = {"generator", "num_inference_steps", "guidance_scale", "callback_on_step_end", "output_type"}
PLAIN_NAMES = ("prompt_embeds", "negative_prompt_embeds")
POOLED_NAMES = (*PLAIN_NAMES, "pooled_prompt_embeds", "negative_pooled_prompt_embeds")

_loaded: dict[tuple[str, str, str], LoadedPipeline] = {}
_loading = threading.Lock()


@dataclass(slots=True)
class LoadedPipeline:
    """A pipeline in memory. It holds state while it runs, so only one thread at a time may drive it."""

    pipeline: Any
    device: str
    dtype: torch.dtype
    lock: threading.RLock = field(default_factory=threading.RLock)
    embeddings: OrderedDict[tuple[str, bool], dict[str, torch.Tensor]] = field(default_factory=OrderedDict)

    @property
    def native_size(self) -> tuple[int, int]:
        """Width and height the pipeline draws."""
        denoiser = getattr(self.pipeline, "unet", None) or self.pipeline.transformer
        cells = getattr(self.pipeline, "default_sample_size", None) or denoiser.config.sample_size
        height, width = (cells, cells) if isinstance(cells, int) else cells
        factor = self.pipeline.vae_scale_factor
        return width * factor, height * factor

    def default(self, argument: str) -> Any:
        """The pipeline's own default for an argument of its call."""
        return inspect.signature(self.pipeline.__call__).parameters[argument].default

    def prompt_arguments(self, prompts: list[str], guided: bool) -> dict[str, Any]:
        """What the pipeline's call takes for these prompts: their embeddings, where it is known how."""
        import torch

        if self._embedding_names() is None:
            return {"prompt": prompts}
        encoded = [self._encode(prompt, guided) for prompt in prompts]
        return {name: torch.cat([each[name] for each in encoded]) for name in encoded[0]}

    def unread(self, prompt: str) -> str:
        """The end of the prompt that does not fit the text encoder, "" if it all does."""
        tokenizer = self.pipeline.tokenizer
        longest = tokenizer.model_max_length
        tokens = tokenizer(prompt, return_offsets_mapping=True, verbose=False)
        if len(tokens.input_ids) <= longest:
            return ""
        return prompt[tokens.offset_mapping[longest - 1][0] :]

    def _embedding_names(self) -> tuple[str, ...] | None:
        from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

        if isinstance(self.pipeline, StableDiffusionXLPipeline):
            return POOLED_NAMES
        return PLAIN_NAMES if isinstance(self.pipeline, StableDiffusionPipeline) else None

    def _encode(self, prompt: str, guided: bool) -> dict[str, torch.Tensor]:
        """One prompt's embeddings, each with a batch of 1; the latest prompts' are kept."""
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


def load_pipeline(folder: ModelFolder, device: str | None) -> LoadedPipeline:
    """The pipeline of a folder on ``device`` (None: the GPU if there is one); the last one is kept in memory."""
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    key = (str(folder.path.resolve()), folder.revision, device)
    with _loading:
        if key not in _loaded:
            _loaded.clear()
            _loaded[key] = _load(folder, device)
        return _loaded[key]


def _load(folder: ModelFolder, device: str) -> LoadedPipeline:
    import diffusers
    import torch
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    dtype = torch.float16 if device.startswith("cuda") else torch.float32
    try:
        config = diffusers.DiffusionPipeline.load_config(folder.path)
        # A safety checker replaces images it objects to by black ones; here a person sees every image anyway.
        off = {"safety_checker": None, "requires_safety_checker": False} if "safety_checker" in config else {}
        pipeline = diffusers.AutoPipelineForText2Image.from_pretrained(
            folder.path,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            low_cpu_mem_usage=find_spec("accelerate") is not None,  # asked for without it, diffusers grumbles
            **off,
        ).to(device)
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise UserError(
            f"{folder.path} could not be loaded as a text-to-image pipeline of diffusers: {error}"
        ) from error
    missing = DRIVEN_BY - set(inspect.signature(pipeline.__call__).parameters)
    if missing:
        raise UserError(
            f"{type(pipeline).__name__} in {folder.path} cannot be driven: "
            f"its call has no {', '.join(sorted(missing))}"
        )
    pipeline.set_progress_bar_config(disable=True)
    if device != "cpu":
        pipeline.vae.enable_slicing()
    return LoadedPipeline(pipeline, device, dtype)
