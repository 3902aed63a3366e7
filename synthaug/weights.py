"""Loading weights: only from safetensors, and only if every name and shape matches the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthaug.errors import UserError

if TYPE_CHECKING:
    import torch

SHOWN = 3  # tensor names of each kind that a message shows


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The metadata of a safetensors file and its tensors by name. Raises UserError if it cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as stored:
            metadata = dict(stored.metadata() or {})
            return metadata, {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a readable safetensors file: {error}") from error


def fill(module: torch.nn.Module, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Load the tensors read from ``path`` into a network. Raises UserError unless names and shapes match exactly."""
    check_tensors(path, module.state_dict(), tensors)
    module.load_state_dict(dict(tensors))


def check_tensors(path: Path, wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Raises UserError unless the tensors ``found`` in ``path`` have exactly the names and shapes ``wanted``."""
    misshapen = [
        f"{name}: {tuple(found[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in wanted.keys() & found.keys()
        if found[name].shape != wanted[name].shape
    ]
    refuse_misfit(path, wanted.keys() - found.keys(), found.keys() - wanted.keys(), misshapen)


def refuse_misfit(
    path: Path, missing: Collection[str], unexpected: Collection[str], misshapen: Collection[str]
) -> None:
    """Raises UserError, with the file and the first names, if any name is given."""
    kinds = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
    problems = [
        f"{len(names)} tensor{'s' * (len(names) > 1)} {kind} ({_first(names)})"
        for kind, names in kinds.items()
        if names
    ]
    if problems:
        raise UserError(
            f"{path} does not hold the weights of this network: {', '.join(problems)}; "
            "download or train the model again"
        )


def pretrained(
    kind: Any, name: str | Path, variant: str | None = None, *, local_files_only: bool = True, **options: Any
) -> Any:
    """``kind.from_pretrained(name)`` of diffusers or transformers, which by itself would initialise missing weights.

    Raises UserError unless the tensors of the file match the network exactly; other exceptions of the libraries pass
    through.
    """
    import diffusers
    import transformers

    for each in (diffusers, transformers):
        each.utils.logging.disable_progress_bar()
        each.utils.logging.set_verbosity_error()  # hides their lists of hundreds of names
    model, report = kind.from_pretrained(
        name,
        variant=variant,
        use_safetensors=True,
        local_files_only=local_files_only,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are reported, and raise an error below
        low_cpu_mem_usage=find_spec("accelerate") is not None,  # without accelerate, diffusers would warn
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
    """The file that holds the weights of a variant, or the folder if they are split over several files."""
    files = [path for path in folder.glob("*.safetensors") if (f".{variant}." in path.name) == bool(variant)]
    return files[0] if len(files) == 1 else folder


def _first(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} ..."
