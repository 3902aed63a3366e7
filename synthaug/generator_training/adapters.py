"""The model being fine-tuned: loading it for training, adding adapters, sampling from it and saving it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synthaug.errors import UserError
from synthaug.generator_training.finetuning_config import FinetuneConfig
from synthaug.generators.base import ModelCard
from synthaug.generators.diffusion.loading import assemble
from synthaug.generators.diffusion.pipelines import LoadedPipeline
from synthaug.generators.folders import ModelFolder, find_model
from synthaug.records import Pixels

if TYPE_CHECKING:
    import torch

UNET_LAYERS = ["to_q", "to_k", "to_v", "to_out.0"]
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj"]
DRAWN_AT_ONCE = 4
EXTRA = "pip install 'synthaug[finetune]'"


@dataclass(slots=True)
class Tunable:
    """A pipeline whose trained weights are float32; its frozen weights are in half precision on a GPU."""

    name: str  # the name under which the base was requested
    base: ModelFolder
    card: ModelCard
    pipeline: Any
    accelerator: Any
    config: FinetuneConfig
    loaded: LoadedPipeline
    parameters: list[torch.nn.Parameter]

    @property
    def device(self) -> torch.device:
        """The device on which it is trained."""
        device: torch.device = self.accelerator.device
        return device

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height of the training images in pixels."""
        side = self.config.resolution
        return self.loaded.native_size if side is None else (side, side)

    @property
    def is_xl(self) -> bool:
        """Whether it is an SDXL model, whose U-Net also takes the image size and a pooled embedding."""
        from diffusers import StableDiffusionXLPipeline

        return isinstance(self.pipeline, StableDiffusionXLPipeline)

    @property
    def helpers(self) -> list[torch.nn.Module]:
        """The modules that a training step does not need: the VAE, and text encoders that are not trained."""
        names = ("vae",) if self.config.text_encoder else ("vae", "text_encoder", "text_encoder_2")
        modules = [getattr(self.pipeline, name, None) for name in names]
        return [each for each in modules if each is not None]

    @contextmanager
    def assembled(self) -> Iterator[None]:
        """A context in which all modules are on the device; outside of it the helpers are in main memory."""
        for each in self.helpers:
            each.to(self.device)
        try:
            yield
        finally:
            for each in self.helpers:
                each.to("cpu")

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Pixels]:
        """One image per prompt with the current weights, using the base's number of steps and guidance."""
        import torch

        unet, (width, height) = self.pipeline.unet, self.loaded.native_size
        steps = self.card.num_inference_steps or self.loaded.default_steps
        guidance = self.card.guidance_scale or self.loaded.default_guidance
        images: list[Pixels] = []
        was_training = unet.training
        unet.eval()
        with self.assembled(), torch.no_grad():
            for start in range(0, len(prompts), DRAWN_AT_ONCE):
                chosen = slice(start, start + DRAWN_AT_ONCE)
                with self.accelerator.autocast():
                    latents = self.pipeline(
                        prompt=list(prompts[chosen]),
                        generator=[torch.Generator().manual_seed(each) for each in seeds[chosen]],
                        num_inference_steps=steps,
                        guidance_scale=guidance,
                        width=width,
                        height=height,
                        output_type="latent",
                    ).images
                images += self._decode(latents)
        unet.train(was_training)
        return images

    def _decode(self, latents: torch.Tensor) -> list[Pixels]:
        """Images from latents, decoded in float32 because the VAE of SDXL overflows in float16."""
        vae = self.pipeline.vae
        decoded = vae.decode(latents.float() / vae.config.scaling_factor).sample
        drawn = (decoded.clamp(-1, 1) / 2 + 0.5).permute(0, 2, 3, 1).cpu().numpy()
        return list(np.ascontiguousarray(np.rint(drawn * 255), np.uint8))


def load_tunable(name: str, config: FinetuneConfig, device: str | None) -> Tunable:
    """The base with every weight frozen and its helpers in main memory.

    Raises UserError for missing packages and for models or settings that cannot be fine-tuned.
    """
    import torch

    missing = [each for each in ("accelerate", "peft") if find_spec(each) is None]
    if missing:
        raise UserError(f"fine-tuning needs {' and '.join(missing)}: {EXTRA}")
    folder = find_model(name)
    accelerator = _accelerator(config, device)
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(accelerator.mixed_precision, torch.float32)
    frozen = half if config.adapter and accelerator.device.type != "cpu" else torch.float32
    try:
        pipeline = assemble(folder, frozen)
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{folder.path} could not be loaded as a diffusers pipeline: {error}") from error
    _check_kind(name, pipeline, config)
    pipeline.set_progress_bar_config(disable=True)
    for each in pipeline.components.values():
        if isinstance(each, torch.nn.Module):
            each.requires_grad_(False).eval()
    if pipeline.vae.dtype != torch.float32:
        pipeline.vae.to(torch.float32)
    pipeline.unet.to(accelerator.device, memory_format=torch.channels_last)
    if config.text_encoder:
        pipeline.text_encoder.to(accelerator.device)
    loaded = LoadedPipeline(pipeline, str(accelerator.device), str(frozen).removeprefix("torch."))
    return Tunable(name, folder, ModelCard.read(folder.path), pipeline, accelerator, config, loaded, [])


def _accelerator(config: FinetuneConfig, device: str | None) -> Any:
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    from synthaug.hardware import multiplies_bfloat16

    wanted = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    precision: str = config.precision
    if precision == "fp16" and wanted.type == "cpu":
        raise UserError("float16 is for GPUs; on a CPU choose the precision 'bf16' or 'no'")
    if precision == "auto":
        # On a CPU bfloat16 does not help: the small models that can be trained there took twice as long.
        half = "bf16" if multiplies_bfloat16(wanted) else "fp16"
        precision = half if wanted.type == "cuda" else "no"
    # The state is one per process and does not accept a second precision; the app runs one job after another.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(
        cpu=wanted.type == "cpu", mixed_precision=precision, gradient_accumulation_steps=config.accumulate
    )


def _check_kind(name: str, pipeline: Any, config: FinetuneConfig) -> None:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    kind = type(pipeline).__name__
    if not isinstance(pipeline, StableDiffusionPipeline | StableDiffusionXLPipeline):
        raise UserError(f"{name} is a {kind}; Stable Diffusion 1.x, 2.x and XL can be fine-tuned")
    unet, scheduler = pipeline.unet.config, pipeline.scheduler.config
    if unet.in_channels != pipeline.vae.config.latent_channels:
        raise UserError(f"{name} is made for inpainting; fine-tune the text-to-image model it came from")
    if unet.time_cond_proj_dim is not None:
        raise UserError(f"{name} is distilled to few steps; fine-tune the model it was distilled from")
    if "beta_schedule" not in scheduler or "prediction_type" not in scheduler:
        raise UserError(
            f"the scheduler of {name}, {type(pipeline.scheduler).__name__}, does not define a noise schedule "
            "to train with"
        )
    if config.text_encoder and isinstance(pipeline, StableDiffusionXLPipeline):
        raise UserError("the text encoders of SDXL cannot be trained; leave the text encoder out")
    side, factor = config.resolution, pipeline.vae_scale_factor
    if side is not None and (side < factor or side % factor):
        raise UserError(f"the resolution is {side}; {name} takes multiples of {factor} pixels")


def make_trainable(tunable: Tunable) -> None:
    """Add adapters or unfreeze the weights, and list the trained parameters (float32) in ``tunable.parameters``."""
    import torch

    config = tunable.config
    parts = [(tunable.pipeline.unet, UNET_LAYERS)]
    if config.text_encoder:
        parts.append((tunable.pipeline.text_encoder, TEXT_LAYERS))
    source = torch.Generator().manual_seed(config.seed)
    for module, layers in parts:
        if config.adapter:
            _add_adapter(module, layers, config, source)
        else:
            module.requires_grad_(True)
        if config.gradient_checkpointing:
            enable = getattr(module, "enable_gradient_checkpointing", None)
            (enable or module.gradient_checkpointing_enable)()
        tunable.parameters += [each for each in module.parameters() if each.requires_grad]


def _add_adapter(module: Any, layers: list[str], config: FinetuneConfig, source: torch.Generator) -> None:
    import torch
    from peft import LoraConfig

    module.add_adapter(
        LoraConfig(r=config.rank, lora_alpha=config.alpha or config.rank, target_modules=layers)
    )
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
            if "lora_A" in name:  # drawn here, because peft uses the global random generator
                start = torch.randn(parameter.shape, generator=source) / config.rank
                parameter.data.copy_(start)


def save_model(tunable: Tunable, output_dir: Path, card: ModelCard) -> None:
    """Write the generator to ``output_dir``: an adapter whose card names its base, or a whole pipeline."""
    output_dir.mkdir(parents=True, exist_ok=True)
    if tunable.config.adapter:
        _save_adapter(tunable, output_dir)
        replace(card, base=_lasting(tunable.name)).write(output_dir)
    else:
        _save_pipeline(tunable.pipeline, output_dir)
        card.write(output_dir)


def _lasting(name: str) -> str:
    """The name of a base, valid from any working directory."""
    return str(Path(name).expanduser().resolve()) if Path(name).expanduser().is_dir() else name


def _save_adapter(tunable: Tunable, output_dir: Path) -> None:
    from diffusers.training_utils import _collate_lora_metadata
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft.utils import get_peft_model_state_dict

    modules = {"unet": tunable.pipeline.unet}
    if tunable.config.text_encoder:
        modules["text_encoder"] = tunable.pipeline.text_encoder
    layers = {
        f"{name}_lora_layers": convert_state_dict_to_diffusers(get_peft_model_state_dict(module))
        for name, module in modules.items()
    }
    tunable.pipeline.save_lora_weights(output_dir, **layers, **_collate_lora_metadata(modules))


def _save_pipeline(pipeline: Any, output_dir: Path) -> None:
    """Save the pipeline with its VAE and U-Net in half precision."""
    pipeline.to("cpu")
    pipeline.unet.half()
    pipeline.vae.half()
    pipeline.save_pretrained(output_dir, safe_serialization=True)
