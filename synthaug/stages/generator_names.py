"""Generators by name: those that come with the package, those made in the workspace, folders and hub ids."""

from __future__ import annotations

import json
import os
from pathlib import Path

from synthaug.errors import UnknownName, UserError
from synthaug.files import write_atomically
from synthaug.generators import CONTEXT_PREFIX
from synthaug.generators.folders import AUGMENTATION, HUB_ID, SHIPPED
from synthaug.parsing import read_json
from synthaug.workspace import Workspace

FINETUNED = Path("models") / "finetuned"
RECORD = "finetuning.json"
TRAINED = Path("models") / "trained-generators.json"
"""Name -> folder of what was trained on a view: relative to the workspace if it lies there."""
RESERVED = (*SHIPPED, AUGMENTATION)


def made_here(workspace: Workspace) -> dict[str, Path]:
    """Name -> folder of every generator that was made in the workspace and is still there."""
    root = workspace.root.absolute()
    finetuned = {each.parent.name: each.parent for each in (root / FINETUNED).glob(f"[!.]*/{RECORD}")}
    trained = {name: root / folder for name, folder in _trained(workspace).items()}
    return {name: path for name, path in (trained | finetuned).items() if path.is_dir()}


def known_names(workspace: Workspace) -> list[str]:
    """Every name that :func:`locate` finds without a folder or the hub."""
    return [*RESERVED, *sorted(made_here(workspace))]


def locate(workspace: Workspace, name: str) -> str:
    """What ``load_generator`` takes for ``name``: the folder of one that was made here, else the name itself.

    Raises UnknownName, listing the names there are.
    """
    if name.startswith(CONTEXT_PREFIX):
        return CONTEXT_PREFIX + locate(workspace, name.removeprefix(CONTEXT_PREFIX))
    made = made_here(workspace)
    if name in made and name not in RESERVED:
        return str(made[name])
    if name in RESERVED or Path(name).expanduser().exists() or _is_hub_id(name):
        return name
    raise UnknownName("generator", name, [*known_names(workspace), "PATH", "OWNER/MODEL"])


def _is_hub_id(name: str) -> bool:
    return HUB_ID.fullmatch(name) is not None and not name.startswith(".")


def name_of(workspace: Workspace, located: str) -> str:
    """The name of a generator by its folder; what was not made here is called what it is called."""
    by_folder = {str(path): name for name, path in made_here(workspace).items()}
    return by_folder.get(located, located)


def check_free(name: str) -> None:
    """Refuse the name of a generator that comes with the package. Raises UserError."""
    if name in RESERVED:
        raise UserError(f"{name!r} is a generator that comes with the package; choose another name")


def remember(workspace: Workspace, folder: Path) -> str:
    """Let a generator that was trained on a view be found by its folder's name; returns that name."""
    name, absolute = folder.name, folder.resolve()
    root = workspace.root.resolve()
    kept = absolute.relative_to(root) if absolute.is_relative_to(root) else absolute
    text = json.dumps(_trained(workspace) | {name: os.fspath(kept)}, indent=1, sort_keys=True)
    write_atomically(workspace.root / TRAINED, f"{text}\n".encode(), durable=True)
    return name


def _trained(workspace: Workspace) -> dict[str, str]:
    path = workspace.root / TRAINED
    return read_json(dict[str, str], path) if path.exists() else {}
