"""Classifiers that come with the package: put into a workspace on first use, so that it holds all it needs."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.errors import UserError
from synthaug.files import write_atomically
from synthaug.running.environment import environment
from synthaug.store import models
from synthaug.workspace import Workspace

SHIPPED = {"cifar10-labeler": "models/cifar10-labeler/classifier.safetensors"}
"""Files under ``assets/`` by the name of the model."""


def fitting(workspace: Workspace) -> str | None:
    """The name of the shipped classifier that knows the workspace's classes, if there is one."""
    for name in SHIPPED:
        if FittedClassifier.load(shipped_file(name)).class_names == workspace.classes:
            return name
    return None


def install(workspace: Workspace, name: str) -> models.Model:
    """Make a shipped classifier a model of the workspace; the model already there if it is one.

    Raises UserError where the workspace has other classes.
    """
    if name in models.names(workspace.db):
        return models.by_name(workspace.db, name)
    source = shipped_file(name)
    classifier = FittedClassifier.load(source)
    if classifier.class_names != workspace.classes:
        raise UserError(
            f"{name} knows the classes {', '.join(classifier.class_names)}; "
            f"this workspace has {', '.join(workspace.classes)}. Train a classifier of its own: synthaug train"
        )
    path = workspace.root / "models" / f"{name}.safetensors"
    write_atomically(path, source.read_bytes(), durable=True)
    return models.add(
        workspace.db,
        name=name,
        recipe=classifier.recipe.name,
        revision=classifier.revision,
        seed=int(classifier.training["seed"]),
        view_id=None,
        file=path.relative_to(workspace.root).as_posix(),
        metrics=classifier.training,
        environment=environment(),
    )


def shipped_file(name: str) -> Path:
    """Where the package keeps a classifier."""
    return Path(str(resources.files("synthaug_assets"))) / SHIPPED[name]
