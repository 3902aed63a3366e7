"""Loading a pipeline from a model folder onto a device: number format, adapters, memory and compilation."""

from __future__ import annotations

import inspect
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.errors import UserError
from synthaug.generators.diffusion.pipelines import LoadedPipeline, is_out_of_memory
from synthaug.generators.diffusion.precision import run_in_bfloat16
from synthaug.generators.folders import ADAPTER, ModelFolder
from synthaug.hardware import CPUFormat
from synthaug.parsing import JsonObject, read_json
from synthaug.weights import pretrained, read_tensors, refuse_misfit

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline

KEPT = 2  # pipelines kept in memory, so that two generators can be compared without reloading either
ROOM = 1.3  # free memory that a GPU needs, as a multiple of the size of the weights
DRIVEN_BY = {"generator", "num_inference_steps", "callback_on_step_end", "output_type"}

_loaded: OrderedDict[tuple[str, str, str, bool, str], LoadedPipeline] = OrderedDict()
_loading = threading.Lock()


def load_pipeline(
    folder: ModelFolder, device: str | None, compile: bool = False, cpu_format: CPUFormat = "float32"
) -> LoadedPipeline:
    """The pipeline of a folder on ``device`` (None: the GPU if there is one); keeps the last two in memory.

    Raises UserError for a folder that is not a usable text-to-image pipeline, or one that needs too much memory.
    """
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    key = (str(folder.path.resolve()), folder.revision, device, compile, cpu_format)
    with _loading:
        if key not in _loaded:
            while len(_loaded) >= KEPT:
                _loaded.popitem(last=False)
            _loaded[key] = _load(folder, device, compile, cpu_format)
        _loaded.move_to_end(key)
        return _loaded[key]


def _load(folder: ModelFolder, device: str, compile: bool, cpu_format: CPUFormat) -> LoadedPipeline:
    import torch

    dtype = loading_dtype(torch.device(device))
    try:
        pipeline = assemble(folder, dtype)
        offloaded = _place(pipeline, device)
    except MemoryError as error:
        raise _too_large(folder, device) from error
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        if is_out_of_memory(error):
            raise _too_large(folder, device) from error
        raise UserError(
            f"{folder.path} could not be loaded as a diffusers text-to-image pipeline: {error}"
        ) from error
    missing = DRIVEN_BY - set(inspect.signature(pipeline.__call__).parameters)
    if missing:
        raise UserError(
            f"{type(pipeline).__name__} in {folder.path} cannot be used: "
            f"its call lacks the arguments {', '.join(sorted(missing))}"
        )
    pipeline.set_progress_bar_config(disable=True)
    number_format = str(dtype).removeprefix("torch.")
    if torch.device(device).type == "cpu" and cpu_format == "bfloat16" and run_in_bfloat16(pipeline):
        number_format = cpu_format
    _tune(pipeline, device, compile)
    return LoadedPipeline(pipeline, device, number_format, compiled=compile, offloaded=offloaded)


def loading_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 on a GPU with native support (it has the range of float32), float16 on other GPUs, else float32."""
    import torch

    from synthaug.hardware import multiplies_bfloat16

    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if multiplies_bfloat16(device) else torch.float16


def assemble(folder: ModelFolder, dtype: torch.dtype) -> DiffusionPipeline:
    """The pipeline in main memory, with its adapters merged into its weights."""
    if folder.base is not None:
        pipeline = assemble(folder.base, dtype)
        _merge_adapter(pipeline, folder)
        return pipeline
    import diffusers
    import transformers

    for each in (diffusers, transformers):
        each.utils.logging.disable_progress_bar()
        each.utils.logging.set_verbosity_error()  # hides a warning per overlong prompt; GeneratedImage.cut has it
    config = diffusers.DiffusionPipeline.load_config(folder.path)
    if "_class_name" not in config:
        raise UserError(f"{folder.path}/model_index.json does not name a pipeline: it has no _class_name")
    # A safety checker replaces images with black ones; here a person looks at every image anyway.
    off = {"safety_checker": None, "requires_safety_checker": False} if "safety_checker" in config else {}
    networks = {
        name: pretrained(kind, folder.path / name, folder.variant, dtype=dtype)
        for name, kind in _network_kinds(config)
        if name not in off
    }
    return diffusers.AutoPipelineForText2Image.from_pretrained(
        folder.path,
        dtype=dtype,
        variant=folder.variant,
        use_safetensors=True,
        local_files_only=True,
        **networks,
        **off,
    )


def _network_kinds(config: Mapping[str, object]) -> Iterator[tuple[str, type[torch.nn.Module]]]:
    """Name and class of each network that a pipeline's index lists."""
    import diffusers
    import torch
    import transformers

    for name, entry in config.items():
        library, kind = map(str, entry) if isinstance(entry, list | tuple) and len(entry) == 2 else ("", "")
        home = {"diffusers": diffusers, "transformers": transformers}.get(library)
        found = getattr(home or getattr(diffusers.pipelines, library, None), kind, None)
        if isinstance(found, type) and issubclass(found, torch.nn.Module):
            yield name, found


def _merge_adapter(pipeline: DiffusionPipeline, folder: ModelFolder) -> None:
    """Merge a LoRA into a pipeline's weights; a scheduler stored beside it replaces the pipeline's."""
    if find_spec("peft") is None:
        raise UserError(f"{folder.path} is a LoRA, which needs an extra: pip install 'synthaug[finetune]'")
    try:
        pipeline.load_lora_weights(folder.path, weight_name=ADAPTER, local_files_only=True)
    except (ValueError, LookupError) as error:
        raise UserError(f"{folder.path / ADAPTER} is not a LoRA for its base: {error}") from error
    _check_adapter(pipeline, folder.path / ADAPTER)
    pipeline.fuse_lora(safe_fusing=True)
    pipeline.unload_lora_weights()
    config = folder.path / "scheduler" / "scheduler_config.json"
    if config.is_file():
        import diffusers

        settings = read_json(JsonObject, config)
        kind = getattr(diffusers, str(settings.get("_class_name")), None)
        if kind is None:
            raise UserError(
                f"{config} names the scheduler {settings.get('_class_name')!r:.80}, which diffusers does not have"
            )
        pipeline.scheduler = kind.from_config(settings)


def _check_adapter(pipeline: DiffusionPipeline, path: Path) -> None:
    """Raises UserError if a pipeline loaded only part of a LoRA: diffusers silently skips layers it does not have."""
    parts = {name: each for name, each in pipeline.components.items() if hasattr(each, "named_parameters")}
    taken = {
        re.sub(r"\.default_\d+(?=\.|$)", "", f"{part}.{name}")
        for part, module in parts.items()
        for name, _ in module.named_parameters()
        if "lora_" in name
    }
    stored = {name for name in read_tensors(path)[1] if not name.endswith("alpha")}
    if len(taken) != len(stored):  # the names differ between tools that write LoRAs; the number does not
        refuse_misfit(path, taken - stored, stored - taken, ())


def _place(pipeline: DiffusionPipeline, device: str) -> bool:
    """Move a pipeline to its device; true if it does not fit, so that only the active part is kept there."""
    import torch

    if torch.device(device).type != "cuda" or _fits(pipeline, device):
        pipeline.to(device)
        return False
    _loaded.clear()  # first free the pipelines kept for reuse
    torch.cuda.empty_cache()
    if _fits(pipeline, device):
        pipeline.to(device)
        return False
    if find_spec("accelerate") is None:
        raise UserError(
            f"the weights take {weights_size(pipeline) / 1e9:.1f} GB, more than {device} has free; to offload parts "
            "to main memory: pip install 'synthaug[finetune]' (accelerate), or choose device='cpu'"
        )
    pipeline.enable_model_cpu_offload(device=device)
    return True


def _fits(pipeline: DiffusionPipeline, device: str) -> bool:
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return bool(ROOM * weights_size(pipeline) <= free)


def weights_size(pipeline: DiffusionPipeline) -> int:
    """Size in bytes of all weights of a pipeline."""
    import torch

    modules = [each for each in pipeline.components.values() if isinstance(each, torch.nn.Module)]
    return sum(each.numel() * each.element_size() for module in modules for each in module.parameters())


def _tune(pipeline: DiffusionPipeline, device: str, compile: bool) -> None:
    """Apply settings that save time and memory on an accelerator, and compile the denoiser if requested."""
    import torch

    denoiser = getattr(pipeline, "unet", None)
    if torch.device(device).type != "cpu":
        for module in (denoiser, pipeline.vae):
            if module is not None:
                module.to(memory_format=torch.channels_last)
        if hasattr(pipeline.vae, "enable_slicing"):
            pipeline.vae.enable_slicing()
    if compile:
        (denoiser or pipeline.transformer).compile()


def _too_large(folder: ModelFolder, device: str) -> UserError:
    return UserError(
        f"{folder.path} needs more memory than {device} has; close other programs or choose a smaller model"
    )
