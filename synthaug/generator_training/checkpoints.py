"""Training state on disk: one safetensors file, replaced atomically, so that a kill at any moment loses little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.errors import UserError
from synthaug.files import sync
from synthaug.weights import check_tensors, fill, read_tensors, refuse_misfit

if TYPE_CHECKING:
    import torch

AVERAGED = "ema."
WEIGHTS = "model."
OPTIMIZER = "adam."
KEPT = "kept"


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
    fill(module, under(WEIGHTS, tensors), path)
    means = under(AVERAGED, tensors)
    check_tensors(path, averaged, means)
    with torch.no_grad():
        for name, value in means.items():
            averaged[name].copy_(value)
    restore_moments(optimizer, under(OPTIMIZER, tensors), path)
    return count(path, metadata, "step")


def steps_done(path: Path) -> int:
    """How many steps lie behind a checkpoint. Raises UserError where there is none."""
    if not path.exists():
        raise UserError(f"there is no checkpoint {path} to export; train first")
    return count(path, read_tensors(path)[0], "step")


def count(path: Path, metadata: Mapping[str, str], key: str) -> int:
    """How many steps or epochs the metadata of a checkpoint says are done. Raises UserError."""
    written = metadata.get(key, "")
    if not (written.isascii() and written.isdigit() and len(written) < 16):
        raise UserError(f"{path} is no checkpoint: its {key!r} is {written!r:.40}; remove it to begin anew")
    return int(written)


def kept_or_made(path: Path, fingerprint: str, make: Callable[[], torch.Tensor]) -> torch.Tensor:
    """One tensor of a training, read from ``path`` where an equal training left it, else made and kept there."""
    if path.exists():
        metadata, tensors = read_tensors(path)
        if metadata.get("fingerprint") == fingerprint:
            refuse_misfit(path, {KEPT} - tensors.keys(), tensors.keys() - {KEPT}, ())
            return tensors[KEPT]
    made = make().contiguous()  # as it is read again: sums go by the order in memory
    write(path, {KEPT: made}, {"fingerprint": fingerprint})
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
    sync(partial)
    partial.replace(path)


def read(path: Path, fingerprint: str) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """What ``write`` left at ``path``, empty where there is no file. Raises UserError for another training's."""
    if not path.exists():
        return {}, {}
    metadata, tensors = read_tensors(path)
    if metadata.get("fingerprint") != fingerprint:
        raise UserError(
            f"{path} is a checkpoint of a training with other data or settings; "
            "name an empty checkpoint folder or repeat the settings it was begun with"
        )
    return metadata, tensors


def moments(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Adam's moments by name; see ``restore_moments``."""
    state = optimizer.state_dict()["state"]
    return {f"{prefix}{index}.{name}": value for index, each in state.items() for name, value in each.items()}


def restore_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Give an optimizer the moments that ``moments`` named, without their prefix. Raises UserError."""
    _check_moments(optimizer, tensors, path)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _check_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Every parameter that was stepped has its count and both means; those without a gradient have none."""
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    stepped = {key.partition(".")[0] for key in tensors} or {"0"}
    wanted = {
        f"{index}.{name}": like
        for index, parameter in enumerate(parameters)
        if str(index) in stepped
        for name, like in (
            ("step", parameter.new_zeros(())),
            ("exp_avg", parameter),
            ("exp_avg_sq", parameter),
        )
    }
    check_tensors(path, wanted, tensors)


def under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
