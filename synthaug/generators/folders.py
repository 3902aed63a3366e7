"""From a model's name to its folder on disk: the shipped one, a path, or a snapshot of the hub."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from synthaug.errors import UserError

SHIPPED = {"embedded": "models/digits", "digits": "models/digits"}
"""Models that come with the package: folders under ``assets/``."""

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
PICKLED = ("*.bin", "*.ckpt", "*.pt", "*.pth", "*.pkl")
INDEX = "model_index.json"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A diffusers pipeline on disk, all of its weights complete and in safetensors."""

    path: Path
    revision: str  # SHA-256 over the files, or the hub commit


def find_model(name: str | Path) -> ModelFolder:
    """The folder that ``name`` stands for; downloads a hub id unless ``HF_HUB_OFFLINE`` is set."""
    text = str(name)
    if text in SHIPPED:
        path = Path(str(resources.files("synthaug_assets"))) / SHIPPED[text]
        return _checked(path, None)
    path = Path(text).expanduser()
    if path.exists():
        return _checked(path, None)
    if HUB_ID.fullmatch(text) and not text.startswith("."):
        snapshot = _download(text)
        return _checked(snapshot, snapshot.name)
    raise UserError(
        f"no generator {text!r}: there is no such folder, and it is no hub id (owner/model); "
        f"what comes with the package is {', '.join(map(repr, SHIPPED))}"
    )


def _checked(path: Path, revision: str | None) -> ModelFolder:
    """Refuse what is no pipeline, has pickles for weights or is cut short, before anything heavy is loaded."""
    if not (path / INDEX).is_file():
        raise UserError(f"{path} is no diffusers pipeline: it has no {INDEX}")
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
    return ModelFolder(path, revision or _sha256(path))


def _check_complete(weights: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{weights} is damaged or incomplete ({weights.stat().st_size} bytes: {error}); fetch it again"
        ) from error


def _sha256(path: Path) -> str:
    """Over names and contents of all weights and configurations, in order of name."""
    digest = hashlib.sha256()
    for each in sorted([*path.rglob("*.safetensors"), *path.glob("*/*.json"), path / INDEX]):
        with each.open("rb") as content:
            inner = hashlib.file_digest(content, "sha256").hexdigest()
        digest.update(f"{each.relative_to(path).as_posix()} {inner}\n".encode())
    return digest.hexdigest()


def _download(hub_id: str) -> Path:
    """The local snapshot of a hub model; its last path component is the commit."""
    from diffusers import DiffusionPipeline

    try:
        return Path(DiffusionPipeline.download(hub_id, use_safetensors=True))
    except (OSError, ValueError) as error:
        if "safetensors" in str(error):
            raise UserError(
                f"the hub model {hub_id!r} has no safetensors weights; pickles are not read"
            ) from error
        raise UserError(
            f"the model {hub_id!r} is neither on this machine nor could it be fetched from the hub; "
            "check the id, the network and HF_HUB_OFFLINE, or name a folder"
        ) from error
