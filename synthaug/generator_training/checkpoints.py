"""Training state on disk: one safetensors file, replaced atomically, so that a kill at any moment loses little."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.errors import UserError

if TYPE_CHECKING:
    import torch

AVERAGED = "ema."
WEIGHTS = "model."
OPTIMIZER = "adam."


def save_state(
    path: Path,
    *,
    step: int,
    fingerprint: str,
    module: torch.nn.Module,
    averaged: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write weights, their moving average and Adam's moments after ``step`` steps."""
    tensors = {WEIGHTS + name: value for name, value in module.state_dict().items()}
    tensors |= {AVERAGED + name: value for name, value in averaged.items()}
    tensors |= moments(OPTIMIZER, optimizer)
    write(path, tensors, {"step": str(step), "fingerprint": fingerprint})


def load_state(
    path: Path,
    *,
    fingerprint: str,
    module: torch.nn.Module,
    averaged: dict[str, torch.Tensor],
    optimizer: torch.optim.Optimizer,
) -> int:
    """Restore what ``save_state`` wrote, in place; the number of steps done, 0 where there is no file."""
    import torch

    metadata, tensors = read(path, fingerprint)
    if not metadata:
        return 0
    module.load_state_dict(under(WEIGHTS, tensors))
    with torch.no_grad():
        for name, value in under(AVERAGED, tensors).items():
            averaged[name].copy_(value)
    restore_moments(optimizer, under(OPTIMIZER, tensors))
    return int(metadata["step"])


def steps_done(path: Path) -> int:
    """How many steps lie behind a checkpoint. Raises UserError where there is none."""
    from safetensors import safe_open

    if not path.exists():
        raise UserError(f"there is no checkpoint {path} to export; train first")
    with safe_open(path, framework="pt") as stored:
        return int(stored.metadata()["step"])


def kept_or_made(path: Path, fingerprint: str, make: Callable[[], torch.Tensor]) -> torch.Tensor:
    """One tensor of a training, read from ``path`` where an equal training left it, else made and kept there."""
    from safetensors import safe_open

    if path.exists():
        with safe_open(path, framework="pt") as stored:
            if (stored.metadata() or {}).get("fingerprint") == fingerprint:
                kept: torch.Tensor = stored.get_tensor("kept")
                return kept
    made = make().contiguous()  # as it is read again: sums go by the order in memory
    write(path, {"kept": made}, {"fingerprint": fingerprint})
    return made


def write(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Replace the file at ``path`` in one step."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(
        {name: value.detach().contiguous().cpu() for name, value in tensors.items()},
        partial,
        metadata=metadata,
    )
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)


def read(path: Path, fingerprint: str) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """What ``write`` left at ``path``, empty where there is no file. Raises UserError for another training's."""
    from safetensors import safe_open

    if not path.exists():
        return {}, {}
    with safe_open(path, framework="pt") as stored:
        metadata = stored.metadata()
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    if metadata["fingerprint"] != fingerprint:
        raise UserError(
            f"{path} is a checkpoint of a training with other data or settings; "
            "name an empty checkpoint folder or repeat the settings it was begun with"
        )
    return metadata, tensors


def moments(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Adam's moments by name; see ``restore_moments``."""
    state = optimizer.state_dict()["state"]
    return {f"{prefix}{index}.{name}": value for index, each in state.items() for name, value in each.items()}


def restore_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Give an optimizer the moments that ``moments`` named, without their prefix."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
