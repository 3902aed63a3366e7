"""Storing a new model: a unique name, its weights in a file, and its row in the database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from synthaug.errors import UserError
from synthaug.names import check_name, first_free, numbered
from synthaug.records import Json
from synthaug.running.environment import environment
from synthaug.store import models
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from synthaug.classifiers.fitted import Fitted


def new_name(workspace: Workspace, name: str) -> str:
    """The normalised name. Raises UserError for an unsuitable name, or one that is taken."""
    kept = check_name(name, "a model")
    if kept in models.names(workspace.db):
        raise UserError(f"a model called {kept!r} already exists; choose another --name or --seed")
    return kept


def numbered_name(workspace: Workspace, kind: str) -> str:
    """The first of ``kind-1``, ``kind-2`` ... that is not the name of a model."""
    return first_free(numbered(kind), set(models.names(workspace.db)).__contains__)


def keep(
    workspace: Workspace,
    name: str,
    fitted: Fitted,
    *,
    seed: int,
    metrics: Json,
    view_id: int | None = None,
) -> models.Model:
    """Store a fitted model under ``name``: its weights, then its row."""
    path = workspace.root / "models" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.safetensors"
    fitted.save(path)
    return models.add(
        workspace.db,
        name=name,
        recipe=fitted.recipe.name,
        revision=fitted.revision,
        seed=seed,
        view_id=view_id,
        file=path.relative_to(workspace.root).as_posix(),
        metrics=metrics,
        environment=environment(),
    )
