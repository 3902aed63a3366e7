"""Training state on disk: one safetensors file, replaced atomically, so that a kill loses only the latest steps."""

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
    """Write the weights, their moving average and Adam's moments after ``step`` steps."""
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
    """Restore in place what ``save_state`` wrote; returns the number of steps done, 0 if there is no file.

    Raises UserError for a checkpoint of another training or a damaged one.
    """
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
    """The number of training steps done in a checkpoint. Raises UserError if there is none."""
    if not path.exists():
        raise UserError(f"there is no checkpoint {path} to export; train first")
    return count(path, read_tensors(path)[0], "step")


def count(path: Path, metadata: Mapping[str, str], key: str) -> int:
    """The number of steps or epochs done, from the metadata of a checkpoint. Raises UserError if it is malformed."""
    written = metadata.get(key, "")
    if not (written.isascii() and written.isdigit() and len(written) < 16):
        raise UserError(
            f"{path} is not a checkpoint: its {key!r} is {written!r:.40}; remove it to start over"
        )
    return int(written)


def kept_or_made(path: Path, fingerprint: str, make: Callable[[], torch.Tensor]) -> torch.Tensor:
    """A tensor cached at ``path``: read if its fingerprint matches, otherwise computed and written there."""
    if path.exists():
        metadata, tensors = read_tensors(path)
        if metadata.get("fingerprint") == fingerprint:
            refuse_misfit(path, {KEPT} - tensors.keys(), tensors.keys() - {KEPT}, ())
            return tensors[KEPT]
    tensor = make().contiguous()  # the same memory layout as after reading, since sums depend on it
    write(path, {KEPT: tensor}, {"fingerprint": fingerprint})
    return tensor


def write(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Replace the file at ``path`` atomically."""
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
    """Metadata and tensors at ``path``, empty if there is no file. Raises UserError if another training wrote it."""
    if not path.exists():
        return {}, {}
    metadata, tensors = read_tensors(path)
    if metadata.get("fingerprint") != fingerprint:
        raise UserError(
            f"{path} is the checkpoint of a training with other data or settings; "
            "choose an empty checkpoint folder, or use the settings it was started with"
        )
    return metadata, tensors


def moments(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Adam's moments by name, for ``restore_moments``."""
    state = optimizer.state_dict()["state"]
    return {f"{prefix}{index}.{name}": value for index, each in state.items() for name, value in each.items()}


def restore_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Load moments from ``moments``, with the prefix removed, into an optimizer. Raises UserError if they misfit."""
    _check_moments(optimizer, tensors, path)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _check_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Raises UserError unless each parameter has a step count and both moments, or (without gradients) none of them."""
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
    """The tensors whose names begin with ``prefix``, with the prefix removed."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
