"""A model on its way into the workspace: a name of its own, its weights in a file, its row in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from synthaug.classifiers.fitted import Fitted
from synthaug.errors import UserError
from synthaug.names import check_name, first_free, numbered
from synthaug.running.environment import environment
from synthaug.store import models
from synthaug.workspace import Workspace


def new_name(workspace: Workspace, name: str) -> str:
    """``name`` as it is kept. Raises UserError for one that cannot be shown, or that a model has."""
    kept = check_name(name, "a model")
    if kept in models.names(workspace.db):
        raise UserError(f"a model called {kept!r} exists; choose another with --name, or another --seed")
    return kept


def numbered_name(workspace: Workspace, kind: str) -> str:
    """The first of ``kind-1``, ``kind-2`` ... that no model has."""
    return first_free(numbered(kind), set(models.names(workspace.db)).__contains__)


def keep(
    workspace: Workspace,
    name: str,
    fitted: Fitted,
    *,
    seed: int,
    metrics: Mapping[str, Any],
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
