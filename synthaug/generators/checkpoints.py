"""Training state on disk: one safetensors file, replaced atomically, so that a kill at any moment loses little."""

from __future__ import annotations

import os
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
    from safetensors.torch import save_file

    tensors = {WEIGHTS + name: value for name, value in module.state_dict().items()}
    tensors |= {AVERAGED + name: value for name, value in averaged.items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"{OPTIMIZER}{index}.{name}": value for name, value in moments.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(
        {name: value.detach().contiguous().cpu() for name, value in tensors.items()},
        partial,
        metadata={"step": str(step), "fingerprint": fingerprint},
    )
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)


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
    from safetensors import safe_open

    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as stored:
        metadata = stored.metadata()
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    if metadata["fingerprint"] != fingerprint:
        raise UserError(
            f"{path} is a checkpoint of a training with other data or settings; "
            "name an empty checkpoint folder or repeat the settings it was begun with"
        )
    module.load_state_dict(_under(WEIGHTS, tensors))
    with torch.no_grad():
        for name, value in _under(AVERAGED, tensors).items():
            averaged[name].copy_(value)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _under(OPTIMIZER, tensors).items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return int(metadata["step"])


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
