"""Place every image among the others: PCA and UMAP coordinates, uncertainty, two-axis out-of-distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UnknownName
from synthaug.executors.base import ExecutorSpec
from synthaug.features import DEFAULT_EXTRACTOR
from synthaug.measures import acquisition, neighbors, ood, projection
from synthaug.parsing import JsonRecord
from synthaug.progress import Progress
from synthaug.records import Json
from synthaug.running.jobs import JobContext
from synthaug.stages.extract import extract
from synthaug.stages.job_records import ScoreParams
from synthaug.stages.placement import place
from synthaug.stages.predict import predict, predicted_by
from synthaug.stages.seeds import check_seed
from synthaug.store import catalog, generations, labels, models
from synthaug.store.features import read_all as read_features
from synthaug.store.models import Score
from synthaug.workspace import Workspace

FEWEST_OF_A_CLASS = 10  # synthetic images, for a rank among them to mean something
CLASSIFIER_DUPLICATES = 0.1
EXTRACTOR_DUPLICATES = 0.4
"""Two images are near-duplicates when closer than this share of the median distance to a nearest neighbour.

A classifier gathers each class in few directions, in which distances vary much more than in the many of an extractor
(benchmarks/walk_through.py counts what the extractor's share finds).
"""

LARGEST_UMAP_SEED = 2**32 - 1
PERCENT = 100
STARTS = {"PCA": 0, "UMAP": 5, "distances": 60, "near-duplicates": 80, "writing": 95}
"""Where each part begins, in percent of the whole; extraction counts images before that."""


@dataclass(frozen=True, slots=True)
class Described:
    """Images as features (N, D), and as probabilities (N, K) where the features are a classifier's own."""

    name: str
    revision: str  # of the network
    ids: list[int]
    features: NDArray[np.floating[Any]]
    probs: NDArray[np.float32] | None
    model_id: int | None


@dataclass(frozen=True, slots=True)
class ScoreResult(JsonRecord):
    """The number of scored images, and the model or extractor whose features the scores are based on.

    ``placed`` is the number of images that were placed in an existing UMAP.
    """

    scored: int
    model: str
    placed: int = 0


def score(
    workspace: Workspace,
    model: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    recompute: bool = False,
    method: str = "knn",
    executor: ExecutorSpec | None = None,
    refit: bool = False,
) -> ScoreResult:
    """Compute and store all scores in the features of ``model``.

    ``model``: a classifier of the workspace (its penultimate features; what lacks a prediction is predicted first) or a
    feature extractor; default: the classifier that predicts, else the newest, else the extractor that comes with the
    packages. ``recompute`` extracts anew what an extractor has extracted before. ``method``: how distances to real and
    to synthetic images are measured, one of measures.ood.METHODS; all but "knn" need labels. ``executor``: who
    looks at the images; None: this process. New images are placed in the UMAP map that there is, which ``refit`` fits
    again to all of them (see stages.placement). Raises UnknownName, UserError.
    """
    check_seed(seed, LARGEST_UMAP_SEED)
    if method not in ood.METHODS:
        raise UnknownName("out-of-distribution method", method, ood.METHODS)
    described = _describe(workspace, model, progress, recompute, executor)
    ids, features = described.ids, described.features
    if not ids:
        return ScoreResult(0, described.name)
    _part(progress, "PCA")(0, 1, "")
    pca = projection.pca(features)
    umap = place(
        workspace, described.revision, ids, features, seed, _part(progress, "UMAP"), refit=refit or recompute
    )
    _part(progress, "distances")(0, 1, "to real and synthetic images")
    ood_real, ood_synthetic = _out_of_distribution(workspace, ids, features, method)
    share = duplicate_share(workspace, described.name)
    duplicates = _duplicates(ids, features, share, _part(progress, "near-duplicates"))
    _part(progress, "writing")(0, 1, "")
    unknown = np.full(len(ids), np.nan)
    entropies = unknown if described.probs is None else acquisition.entropy(described.probs)
    margins = unknown if described.probs is None else acquisition.margin(described.probs)
    scores = [
        Score(
            image_id=image_id,
            pca=(float(pca[i, 0]), float(pca[i, 1])),
            umap=(float(umap.coordinates[i, 0]), float(umap.coordinates[i, 1])),
            entropy=_known(entropies[i]),
            margin=_known(margins[i]),
            ood_real=_known(ood_real[i]),
            ood_synthetic=_known(ood_synthetic[i]),
            duplicate_of=duplicates.get(image_id),
        )
        for i, image_id in enumerate(ids)
    ]
    models.replace_scores(
        workspace.db, described.model_id, scores, described.name, method, placed=umap.placed
    )
    if progress is not None:
        progress(PERCENT, PERCENT, f"{len(ids)} images scored")
    return ScoreResult(len(ids), described.name, umap.placed)


def _part(progress: Progress | None, name: str) -> Progress:
    """Progress of one part, as percent of the whole."""
    starts = [*STARTS.values(), PERCENT]
    at = list(STARTS).index(name)
    begin, end = starts[at], starts[at + 1]

    def report(done: int, total: int, note: str) -> None:
        if progress is not None:
            counted = f"{done:,} of {total:,} {note}" if total > 1 else note
            words = f"{name}: {counted}" if counted else name
            progress(begin + (end - begin) * done // max(1, total), PERCENT, words)

    return report


def features_to_map(workspace: Workspace) -> str:
    """Whose features the map shows unless told otherwise: the classifier that predicts, the newest, an extractor."""
    shown = models.predicting(workspace.db)
    if shown is not None:
        return shown.name
    found = models.classifiers(workspace.db)
    return found[0].name if found else DEFAULT_EXTRACTOR


def duplicate_share(workspace: Workspace, features: str) -> float:
    """The share of the usual distance below which images are near-duplicates in these features."""
    return CLASSIFIER_DUPLICATES if features in models.names(workspace.db) else EXTRACTOR_DUPLICATES


def _describe(
    workspace: Workspace,
    name: str | None,
    progress: Progress | None,
    recompute: bool,
    executor: ExecutorSpec | None,
) -> Described:
    name = name or features_to_map(workspace)
    if name in models.names(workspace.db):
        predict(workspace, name, executor=executor)
        found = models.by_name(workspace.db, name)
        ids, probs, features = predicted_by(workspace, found)
        return Described(name, found.revision, ids, features, probs, found.id)
    held = extract(workspace, name, progress, recompute=recompute, executor=executor)
    ids, stored = read_features(workspace.db, workspace.features_folder, held)
    shown = models.predicting(workspace.db)
    return Described(
        name, held.revision, ids, stored.astype(np.float32), None, None if shown is None else shown.id
    )


def run(context: JobContext) -> Json:
    """The job form of :func:`score`."""
    params = ScoreParams.from_json(context.job.params)
    found = score(
        context.workspace, params.model, progress=context.progress, method=params.method, refit=params.refit
    )
    return found.to_json()


def _out_of_distribution(
    workspace: Workspace, ids: list[int], features: NDArray[np.floating[Any]], method: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per image: distance rank among real training images, and among synthetic ones; NaN where unknown.

    By nearest neighbours a synthetic image is ranked among those of its own class, so that a class that is drawn
    seldom does not look strange for it. The other methods know the classes already.
    """
    images = {image.id: image for image in catalog.find_images(workspace.db)}
    synthetic = np.array([images[each].origin == "synthetic" for each in ids])
    reference = np.array([images[each].origin == "real" and images[each].split == "train" for each in ids])
    ood_real = np.full(len(ids), np.nan)
    ood_synthetic = np.full(len(ids), np.nan)
    classes = _classes(workspace, ids)
    if method != "knn":
        reference &= classes >= 0
    own = synthetic if method == "knn" else synthetic & (classes >= 0)
    if synthetic.any() and reference.sum() > 1:
        ood_real[synthetic] = ood.ranked(method, features[synthetic], features[reference], classes[reference])
    if own.sum() > 1:
        if method == "knn":
            ood_synthetic[own] = _ranked_within(features[own], classes[own])
        else:
            ood_synthetic[own] = ood.ranked(method, None, features[own], classes[own], kind="synthetic")
    return ood_real, ood_synthetic


def _ranked_within(features: NDArray[np.floating[Any]], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each image's rank among the images of its class; among all where it has none, or its class is too small."""
    counts = {each: int((classes == each).sum()) for each in np.unique(classes[classes >= 0])}
    large = [each for each, count in counts.items() if count >= FEWEST_OF_A_CLASS]
    found = np.empty(len(classes))
    if not np.isin(classes, large).all():
        found = ood.ranked("knn", None, features, None, kind="synthetic")
    for each in large:
        members = classes == each
        found[members] = ood.ranked("knn", None, features[members], None, kind="synthetic")
    return found


def _classes(workspace: Workspace, ids: list[int]) -> NDArray[np.int64]:
    """The class of each image: its label, else the one it was made for; -1 without, and of what was rejected."""
    current = labels.current(workspace.db, ids)
    made = generations.of_images(workspace.db, ids)
    classes = np.full(len(ids), -1)
    for i, image_id in enumerate(ids):
        source = current.get(image_id) or made.get(image_id)
        if source is not None and source.class_index is not None:
            classes[i] = source.class_index
    return classes


def _duplicates(
    ids: list[int], features: NDArray[np.floating[Any]], share: float, progress: Progress
) -> dict[int, int]:
    """Image id -> id of the earlier image it nearly repeats."""
    if len(ids) < 2:
        return {}
    both = 2 * len(ids)
    distances, _ = neighbors.nearest_neighbors(
        features, 1, progress=lambda done: progress(done, both, "comparisons")
    )
    threshold = share * float(np.median(distances))
    earlier = neighbors.near_duplicates(
        features, threshold, lambda done: progress(len(ids) + done, both, "comparisons")
    )
    return {ids[i]: ids[first] for i, first in enumerate(earlier.tolist()) if first >= 0}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
