"""Weights on disk: safetensors only, and given to a network only where every name and shape is its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthaug.errors import UserError

if TYPE_CHECKING:
    import torch

SHOWN = 3  # names of a kind in a message


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """A file's own metadata and its tensors by name. Raises UserError where it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stored:
            metadata = dict(stored.metadata() or {})
            return metadata, {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a readable safetensors file: {error}") from error


def fill(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Give a network the weights read from ``path``. Raises UserError unless they are exactly its own."""
    check_tensors(path, module.state_dict(), tensors)
    module.load_state_dict(dict(tensors))


def check_tensors(path: Path, wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Refuse tensors of ``path`` whose names or shapes are not those that are wanted. Raises UserError."""
    misshapen = [
        f"{name}: {tuple(found[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & found.keys()
        if found[name].shape != wanted[name].shape
    ]
    refuse_misfit(path, wanted.keys() - found.keys(), found.keys() - wanted.keys(), misshapen)


def refuse_misfit(
    path: Path, missing: Collection[str], unexpected: Collection[str], misshapen: Collection[str]
) -> None:
    """Raise UserError, with the file and the first names, where any name is given."""
    kinds = {"missing": missing, "not expected": unexpected, "of another shape": misshapen}
    said = [f"{len(names)} tensors {kind} ({_first(names)})" for kind, names in kinds.items() if names]
    if said:
        raise UserError(
            f"{path} does not hold the weights of this network: {', '.join(said)}; fetch or train it again"
        )


def pretrained(
    kind: Any, name: str | Path, variant: str | None = None, *, local_files_only: bool = True, **options: Any
) -> Any:
    """``kind.from_pretrained(name)`` of diffusers or transformers, who alone would draw at random what is missing.

    Raises UserError where the file's tensors are not exactly the network's; what else they raise is theirs.
    """
    import diffusers
    import transformers

    for each in (diffusers, transformers):
        each.utils.logging.disable_progress_bar()
        each.utils.logging.set_verbosity_error()  # they list hundreds of names; we raise
    model, report = kind.from_pretrained(
        name,
        variant=variant,
        use_safetensors=True,
        local_files_only=local_files_only,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # reported, and refused here
        low_cpu_mem_usage=find_spec("accelerate") is not None,  # asked for without it, diffusers grumbles
        **options,
    )
    misshapen = [
        f"{name}: {tuple(seen)} instead of {tuple(wanted)}"
        for name, seen, wanted in report["mismatched_keys"]
    ]
    refuse_misfit(
        _weights_of(Path(name), variant), report["missing_keys"], report["unexpected_keys"], misshapen
    )
    return model


def _weights_of(folder: Path, variant: str | None) -> Path:
    """The one file that a variant's weights lie in, or the folder where they are spread over several."""
    files = [path for path in folder.glob("*.safetensors") if (f".{variant}." in path.name) == bool(variant)]
    return files[0] if len(files) == 1 else folder


def _first(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} ..."
