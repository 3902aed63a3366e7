"""The content of a workspace in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from synthaug.records import Origin
from synthaug.store import catalog, labels, models, views
from synthaug.store.database import Database
from synthaug.store.labels import ClassCounts as ClassCounts
from synthaug.store.views import Export as Export
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Source:
    """A folder, an archive or a generation job ("job 3"), and the number of images that came from it."""

    origin: Origin
    name: str
    images: int


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model: its name and recipe, its accuracy on the test images (0..1), and when it was trained."""

    name: str
    recipe: str
    accuracy: float | None
    created_at: str


@dataclass(frozen=True, slots=True)
class ViewSummary:
    """A dataset view: the number of its images, repeats included, in all and of each class."""

    name: str
    images: int
    counts: Mapping[str, int]
    created_at: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers of a workspace; ``models``, ``views`` and ``exports`` are ordered newest first."""

    classes: tuple[ClassCounts, ...]
    images: int
    synthetic: int
    labeled: int  # synthetic images that have a label of any kind
    models: tuple[ModelSummary, ...]
    views: tuple[ViewSummary, ...]
    exports: tuple[Export, ...]


def image_count(workspace: Workspace) -> int:
    """The number of images."""
    return catalog.count_images(workspace.db)


def has_images(workspace: Workspace) -> bool:
    """Whether there is any image."""
    return not catalog.is_empty(workspace.db)


def has_classifier(workspace: Workspace) -> bool:
    """Whether a classifier has been trained, which can predict the classes of images."""
    return models.has_classifier(workspace.db)


def can_fill_a_view(workspace: Workspace) -> bool:
    """Whether there are images for a view: real training images with a class, or synthetic images."""
    counts = _class_counts(workspace.db, labels.counts_version(workspace.db))
    return any(row.train_real or row.accepted or row.unreviewed for row in counts)


def view_names(workspace: Workspace) -> list[str]:
    """Names of the dataset views, newest first."""
    return [view.name for view in views.all_views(workspace.db)]


def images_of(workspace: Workspace, view: views.View) -> int:
    """The number of images in a view, repeats included."""
    return sum(views.counts(workspace.db, view.id).values())


def exports(workspace: Workspace) -> list[Export]:
    """The finished exports, newest first."""
    return views.all_exports(workspace.db)


def sources(workspace: Workspace) -> list[Source]:
    """The sources of the images, the largest first; files of one folder count as the folder."""
    tally: Counter[tuple[Origin, str]] = Counter()
    for image in catalog.find_images(workspace.db):
        tally[image.origin, image.source.rpartition("/")[0] or image.source] += 1
    return [Source(origin, name, images) for (origin, name), images in tally.most_common()]


def overview(workspace: Workspace) -> Overview:
    """Count the images, models, views and exports."""
    db = workspace.db
    reviewed, synthetic = labels.review_progress(db)["synthetic"]
    return Overview(
        classes=_class_counts(db, labels.counts_version(db)),
        images=catalog.count_images(db),
        synthetic=synthetic,
        labeled=reviewed,
        models=tuple(
            ModelSummary(model.name, model.recipe, model.metrics.get("accuracy"), model.created_at)
            for model in models.all_models(db)
        ),
        views=tuple(_view(db, view) for view in views.all_views(db)),
        exports=tuple(views.all_exports(db)),
    )


# Counting a million images takes seconds, and pages ask often; the version says when something has changed.
_class_counts = lru_cache(maxsize=1)(lambda db, version: tuple(labels.class_counts(db)))


def _view(db: Database, view: views.View) -> ViewSummary:
    counts = views.counts(db, view.id)
    return ViewSummary(view.name, sum(counts.values()), counts, view.created_at)
