"""What a workspace holds, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from synthaug.records import Origin
from synthaug.store import catalog, labels, models, views
from synthaug.store.database import Database
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Images of one class. Synthetic ones count under their label, or else the class they were made for."""

    index: int
    name: str
    train_real: int
    test_real: int
    synthetic: int
    accepted: int
    rejected: int
    unsure: int
    unreviewed: int


@dataclass(frozen=True, slots=True)
class Source:
    """A folder, an archive or a job ("job 3") that images came from, and how many."""

    origin: Origin
    name: str
    images: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of a workspace; ``views``, ``models`` and ``exports`` newest first, JSON-ready."""

    classes: tuple[ClassRow, ...]
    images: int
    synthetic: int
    labeled: int
    models: tuple[dict[str, Any], ...]
    views: tuple[dict[str, Any], ...]
    exports: tuple[dict[str, Any], ...]


def image_count(workspace: Workspace) -> int:
    """How many images there are."""
    return catalog.count_images(workspace.db)


def view_names(workspace: Workspace) -> list[str]:
    """The dataset views, newest first."""
    return [view.name for view in views.all_views(workspace.db)]


def images_of(workspace: Workspace, view: views.View) -> int:
    """How many images a view holds, repeats counted."""
    return sum(views.counts(workspace.db, view.id).values())


def exports(workspace: Workspace) -> list[dict[str, Any]]:
    """The exports that were written, newest first."""
    return views.all_exports(workspace.db)


def sources(workspace: Workspace) -> list[Source]:
    """Where the images came from, most images first; files of one folder count as the folder."""
    tally: Counter[tuple[Origin, str]] = Counter()
    for image in catalog.find_images(workspace.db):
        tally[image.origin, image.source.rpartition("/")[0] or image.source] += 1
    return [Source(origin, name, images) for (origin, name), images in tally.most_common()]


def overview(workspace: Workspace) -> Overview:
    """Count what is there."""
    db = workspace.db
    rows = tuple(ClassRow(**row) for row in labels.class_table(db))
    reviewed, synthetic = labels.review_progress(db)["synthetic"]
    return Overview(
        classes=rows,
        images=catalog.count_images(db),
        synthetic=synthetic,
        labeled=reviewed,
        models=tuple(
            {
                "name": model.name,
                "recipe": model.recipe,
                "accuracy": model.metrics.get("accuracy"),
                "created_at": model.created_at,
            }
            for model in models.all_models(db)
        ),
        views=tuple(_view(db, view) for view in views.all_views(db)),
        exports=tuple(views.all_exports(db)),
    )


def _view(db: Database, view: views.View) -> dict[str, Any]:
    counts = views.counts(db, view.id)
    return {
        "name": view.name,
        "images": sum(counts.values()),
        "counts": counts,
        "created_at": view.created_at,
    }
