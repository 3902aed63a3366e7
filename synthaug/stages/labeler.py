"""Classifiers that are shipped with the package, and copied into a workspace on first use."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from synthaug.errors import UserError
from synthaug.files import write_atomically
from synthaug.running.environment import environment
from synthaug.store import models
from synthaug.workspace import Workspace

SHIPPED = {"cifar10-labeler": "models/cifar10-labeler/classifier.safetensors"}
"""Files in ``assets/`` by name of the model."""


def fitting(workspace: Workspace) -> str | None:
    """The name of the shipped classifier with the classes of the workspace, or None."""
    from synthaug.classifiers.fitted import FittedClassifier

    for name in SHIPPED:
        if FittedClassifier.load(shipped_file(name)).class_names == workspace.classes:
            return name
    return None


def install(workspace: Workspace, name: str) -> models.Model:
    """Add a shipped classifier to the models of the workspace, unless it is one already; returns the model.

    Raises UserError if the workspace has other classes.
    """
    if name in models.names(workspace.db):
        return models.by_name(workspace.db, name)
    from synthaug.classifiers.fitted import FittedClassifier

    source = shipped_file(name)
    classifier = FittedClassifier.load(source)
    if classifier.class_names != workspace.classes:
        raise UserError(
            f"{name} knows the classes {', '.join(classifier.class_names)}; "
            f"this workspace has {', '.join(workspace.classes)}; train a classifier with: synthaug train"
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
    """The path of a shipped classifier in the package."""
    return Path(str(resources.files("synthaug_assets"))) / SHIPPED[name]
