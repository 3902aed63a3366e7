"""Resolving a model's name to its folder on disk: a shipped model, a path, or a snapshot from the hub."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from synthaug.errors import UserError
from synthaug.files import file_sha256
from synthaug.generators.base import CARD_NAME, ModelCard
from synthaug.generators.hub import INDEX, download, variant_of
from synthaug.parsing import JsonObject, read_json

SHIPPED = {"embedded": "models/cifar10", "digits": "models/digits"}
"""Models that come with the package, as folders under ``assets/``."""

AUGMENTATION = "augmentation"
"""Name and family of the one generator that needs no model."""

CLASS_PIPELINES = ("DDPMPipeline", "DDIMPipeline", "DiTPipeline")
"""Diffusers pipelines that are unconditional or conditioned on a class instead of a prompt."""

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
PICKLED = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl")
ADAPTER = "pytorch_lora_weights.safetensors"
"""File name that diffusers gives to the weights of a LoRA."""
GAN_WEIGHTS = "generator.safetensors"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk, with complete weights in safetensors."""

    path: Path
    revision: str  # SHA-256 over the files (and those of the base), or the hub commit
    variant: str | None = None  # "fp16" if only half-precision weights are there
    base: ModelFolder | None = None  # the model to which the adapter in this folder applies


def find_model(name: str | Path) -> ModelFolder:
    """The folder of the model ``name``; downloads a hub id unless ``HF_HUB_OFFLINE`` is set. Raises UserError."""
    return _find(str(name), ())


def family_of(name: str | Path) -> str:
    """The family of the model ``name`` (a key of ``FAMILIES``): from its card, or else from its pipeline's class."""
    if str(name) == AUGMENTATION:
        return AUGMENTATION
    path = find_model(name).path
    if (path / CARD_NAME).exists():
        return ModelCard.read(path).family
    return "ddpm" if read_index(path).get("_class_name") in CLASS_PIPELINES else "diffusion"


def read_index(path: Path) -> JsonObject:
    """The index of the pipeline in a folder: its class, and the library and class of each part. Raises UserError."""
    return read_json(JsonObject, path / INDEX)


def _find(name: str, above: tuple[Path, ...]) -> ModelFolder:
    """The folder of ``name``; ``above`` holds the adapters whose base is being resolved, to detect cycles."""
    if name in SHIPPED:
        return _checked(Path(str(resources.files("synthaug_assets"))) / SHIPPED[name], None, above)
    path = Path(name).expanduser()
    if path.exists():
        return _checked(path, None, above)
    if HUB_ID.fullmatch(name) and not name.startswith("."):
        snapshot = download(name)
        return _checked(snapshot, snapshot.name, above)
    raise UserError(
        f"there is no generator {name!r}: it is neither a folder nor a hub id (owner/model); "
        f"the package comes with {', '.join(map(repr, (*SHIPPED, AUGMENTATION)))}"
    )


def _checked(path: Path, revision: str | None, above: tuple[Path, ...]) -> ModelFolder:
    """The model in a folder. Raises UserError for pickled, missing or truncated weights, before loading any."""
    base = _base(path, above)
    weights = sorted(path.rglob("*.safetensors"))
    for pattern in PICKLED:
        for pickled in sorted(path.glob(f"*/{pattern}")):
            if not any(pickled.parent.glob("*.safetensors")):
                raise UserError(
                    f"{pickled} holds pickled weights, which can run code when they are read; "
                    "convert the model to safetensors"
                )
    if not weights:
        raise UserError(f"{path} has no weights (*.safetensors)")
    for each in weights:
        _check_complete(each)
    variant = variant_of(each.relative_to(path).as_posix() for each in weights)
    return ModelFolder(path, revision or _sha256(path, base), variant, base)


def _base(path: Path, above: tuple[Path, ...]) -> ModelFolder | None:
    """The base of the adapter in a folder; None for a complete model. Raises UserError for anything else."""
    if (path / INDEX).is_file():
        return None
    card = ModelCard.read(path)
    if card.base and (path / ADAPTER).is_file():
        here = path.resolve()
        if here in above:
            raise UserError(f"the adapter in {path} is its own base: {CARD_NAME} says {card.base!r}")
        return _find(card.base, (*above, here))
    if card.family == "gan" and (path / GAN_WEIGHTS).is_file():
        return None
    raise UserError(
        f"{path} is not a generator: it has neither {INDEX} (a diffusers pipeline), nor {CARD_NAME} with "
        f'"base" and {ADAPTER} (a LoRA), nor {CARD_NAME} with the family "gan" and {GAN_WEIGHTS}'
    )


def _check_complete(weights: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{weights} is damaged or incomplete ({weights.stat().st_size} bytes: {error}); fetch it again"
        ) from error


def _sha256(path: Path, base: ModelFolder | None) -> str:
    """SHA-256 over the names and contents of all weights and configurations, and over the revision of the base."""
    digest = hashlib.sha256()
    index = [path / INDEX] if (path / INDEX).is_file() else []
    for each in sorted([*path.rglob("*.safetensors"), *path.glob("*/*.json"), *index]):
        state = each.stat()
        inner = _file_sha256(each, state.st_size, state.st_mtime_ns)
        digest.update(f"{each.relative_to(path).as_posix()} {inner}\n".encode())
    if base is not None:
        digest.update(f"base {base.revision}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _file_sha256(path: Path, size: int, modified: int) -> str:
    """SHA-256 of a file, cached by size and modification time: weights can be gigabytes long."""
    return file_sha256(path)
