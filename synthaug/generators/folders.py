"""From a model's name to its folder on disk: the shipped one, a path, or a snapshot of the hub."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from synthaug.errors import UserError
from synthaug.files import file_sha256
from synthaug.generators.base import CARD_NAME, ModelCard
from synthaug.generators.hub import INDEX, download, variant_of
from synthaug.parsing import read_json

SHIPPED = {"embedded": "models/cifar10", "digits": "models/digits"}
"""Models that come with the package: folders under ``assets/``."""

AUGMENTATION = "augmentation"
"""The name, and the family, of the one generator that needs no model."""

CLASS_PIPELINES = ("DDPMPipeline", "DDIMPipeline", "DiTPipeline")
"""Pipelines of diffusers that read a class, or nothing, instead of a prompt."""

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
PICKLED = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl")
ADAPTER = "pytorch_lora_weights.safetensors"
"""Weights of a LoRA, beside a card that names its base; diffusers' own name for them."""
GAN_WEIGHTS = "generator.safetensors"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk, all of its weights complete and in safetensors."""

    path: Path
    revision: str  # SHA-256 over the files (and those of the base), or the hub commit
    variant: str | None = None  # "fp16": which of a pipeline's weights are there
    base: ModelFolder | None = None  # what the adapter in this folder belongs to


def find_model(name: str | Path) -> ModelFolder:
    """The folder that ``name`` stands for; downloads a hub id unless ``HF_HUB_OFFLINE`` is set."""
    return _find(str(name), ())


def family_of(name: str | Path) -> str:
    """The family that draws with the model ``name``: what its card says, else what its pipeline's class says."""
    if str(name) == AUGMENTATION:
        return AUGMENTATION
    path = find_model(name).path
    if (path / CARD_NAME).exists():
        return ModelCard.read(path).family
    return "ddpm" if read_index(path).get("_class_name") in CLASS_PIPELINES else "diffusion"


def read_index(path: Path) -> dict[str, Any]:
    """The index of the pipeline in a folder: its class, and the library and class of each part. Raises UserError."""
    return read_json(dict[str, Any], path / INDEX)


def _find(name: str, above: tuple[Path, ...]) -> ModelFolder:
    """``above``: the adapters whose base is looked for."""
    if name in SHIPPED:
        return _checked(Path(str(resources.files("synthaug_assets"))) / SHIPPED[name], None, above)
    path = Path(name).expanduser()
    if path.exists():
        return _checked(path, None, above)
    if HUB_ID.fullmatch(name) and not name.startswith("."):
        snapshot = download(name)
        return _checked(snapshot, snapshot.name, above)
    raise UserError(
        f"no generator {name!r}: there is no such folder, and it is no hub id (owner/model); "
        f"what comes with the package is {', '.join(map(repr, (*SHIPPED, AUGMENTATION)))}"
    )


def _checked(path: Path, revision: str | None, above: tuple[Path, ...]) -> ModelFolder:
    """Refuse what is no model, has pickles for weights or is cut short, before anything heavy is loaded."""
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
    """The base of the adapter in a folder; None for a model that stands alone. Refuses what is neither."""
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
        f"{path} is no generator: it has neither {INDEX} (a pipeline of diffusers), nor {CARD_NAME} with "
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
    """Over names and contents of all weights and configurations, in order of name, and over the base's."""
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
    """Of a file in this state: gigabytes of weights are read once, however often their model is named."""
    return file_sha256(path)
