"""Scoring images: PCA and UMAP coordinates, uncertainty, out-of-distribution ranks, and near-duplicates."""

from __future__ import annotations

from collections.abc import Callable
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
from synthaug.store import catalog, models, scored
from synthaug.store.features import read_all as read_features
from synthaug.store.models import Score
from synthaug.workspace import Workspace

FEWEST_OF_A_CLASS = 10  # synthetic images from which they are ranked within their class
CLASSIFIER_DUPLICATES = 0.1
EXTRACTOR_DUPLICATES = 0.4
"""Two images are near-duplicates if closer than this share of the median distance to a nearest neighbour.

The features of a classifier vary in few directions, so that distances within a class vary much more than for an
extractor (benchmarks/walk_through.py counts what the share of the extractor finds).
"""

MEDIAN_ROWS = 4096
"""Images whose nearest neighbours give that median, drawn at random where there are more."""

LARGEST_UMAP_SEED = 2**32 - 1
PERCENT = 100
STARTS = {"PCA": 0, "UMAP": 5, "distances": 60, "near-duplicates": 80, "writing": 95}
"""The progress at which each part starts, in percent; before that, extraction counts images."""


@dataclass(frozen=True, slots=True)
class Described:
    """Features (N, D) of images, with probabilities (N, K) if they are those of a classifier."""

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
    """Compute and store the scores of all images from the features of ``model``.

    ``model`` is a classifier of the workspace (its penultimate features are used, and missing predictions computed) or
    a feature extractor; the default is the classifier that predicted last, or else the newest, or else the default
    extractor. ``recompute`` extracts all features again. ``method`` measures the distances to real and to synthetic
    images, one of measures.ood.METHODS; all but "knn" need labels. ``executor`` says who runs the network; None means
    this process. New images are placed in the existing UMAP, unless ``refit`` fits it to all images again (see
    stages.placement). Raises UnknownName and UserError.
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
    distances = _out_of_distribution(workspace, ids, features, method, _part(progress, "distances"))
    share = duplicate_share(workspace, described.name)
    duplicates = _duplicates(ids, features, share, _part(progress, "near-duplicates"))
    _part(progress, "writing")(0, 1, "")
    scores = _scores(described, pca, umap.coordinates, distances, duplicates)
    models.replace_scores(
        workspace.db, described.model_id, scores, described.name, method, placed=umap.placed
    )
    if progress is not None:
        progress(PERCENT, PERCENT, f"{len(ids)} images scored")
    return ScoreResult(len(ids), described.name, umap.placed)


def _scores(
    described: Described,
    pca: NDArray[np.floating[Any]],
    umap: NDArray[np.floating[Any]],
    distances: tuple[NDArray[np.float64], NDArray[np.float64]],
    duplicates: dict[int, int],
) -> list[Score]:
    """One record per image, from coordinates (N, 2) and distance ranks (N,) to real and to synthetic images."""
    unknown = np.full(len(described.ids), np.nan)
    entropies = unknown if described.probs is None else acquisition.entropy(described.probs)
    margins = unknown if described.probs is None else acquisition.margin(described.probs)
    ood_real, ood_synthetic = distances
    return [
        Score(
            image_id=image_id,
            pca=(float(pca[i, 0]), float(pca[i, 1])),
            umap=(float(umap[i, 0]), float(umap[i, 1])),
            entropy=_known(entropies[i]),
            margin=_known(margins[i]),
            ood_real=_known(ood_real[i]),
            ood_synthetic=_known(ood_synthetic[i]),
            duplicate_of=duplicates.get(image_id),
        )
        for i, image_id in enumerate(described.ids)
    ]


def _part(progress: Progress | None, name: str) -> Progress:
    """A callback that reports the progress of one part as a percentage of the whole."""
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
    """The default features of the map: the classifier that predicted last, or the newest, or the default extractor."""
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
    """Run a job of :func:`score`."""
    params = ScoreParams.from_json(context.job.params)
    found = score(
        context.workspace, params.model, progress=context.progress, method=params.method, refit=params.refit
    )
    return found.to_json()


def _out_of_distribution(
    workspace: Workspace,
    ids: list[int],
    features: NDArray[np.floating[Any]],
    method: str,
    progress: Progress,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance ranks (N,), 0..1, of synthetic images to real training images and to synthetic ones; NaN if unknown.

    With "knn", synthetic images are ranked within their class, so that images of a rare class are not ranked as far
    away for that reason. The other methods use the classes themselves.
    """
    synthetic = np.isin(ids, catalog.image_ids(workspace.db, origin="synthetic"))
    reference = np.isin(ids, catalog.image_ids(workspace.db, origin="real", split="train"))
    ood_real = np.full(len(ids), np.nan)
    ood_synthetic = np.full(len(ids), np.nan)
    classes = _classes(workspace, ids)
    if method != "knn":
        reference &= classes >= 0
    own = synthetic if method == "knn" else synthetic & (classes >= 0)
    to_real = int(reference.sum() + synthetic.sum())
    total = to_real + int(own.sum())
    progress(0, total, "images")
    if synthetic.any() and reference.sum() > 1:
        ood_real[synthetic] = ood.ranked(
            method,
            features[synthetic],
            features[reference],
            classes[reference],
            progress=lambda done: progress(done, total, "images"),
        )
    if own.sum() > 1:
        if method == "knn":
            ood_synthetic[own] = _ranked_within(
                features[own], classes[own], lambda done: progress(to_real + done, total, "images")
            )
        else:
            ood_synthetic[own] = ood.ranked(method, None, features[own], classes[own], kind="synthetic")
    return ood_real, ood_synthetic


def _ranked_within(
    features: NDArray[np.floating[Any]], classes: NDArray[np.int64], progress: Callable[[int], None]
) -> NDArray[np.float64]:
    """Ranks (N,) of images within their class, or among all images without a class or if it is too small.

    ``progress`` is called with the number of images whose rank is known.
    """
    counts = {each: int((classes == each).sum()) for each in np.unique(classes[classes >= 0])}
    large = [each for each, count in counts.items() if count >= FEWEST_OF_A_CLASS]
    found = np.empty(len(classes))
    if not np.isin(classes, large).all():
        found = ood.ranked("knn", None, features, None, kind="synthetic", progress=lambda _: progress(0))
    finished = 0
    for each in large:
        members = classes == each

        def also(done: int, before: int = finished) -> None:
            progress(before + done)

        found[members] = ood.ranked("knn", None, features[members], None, kind="synthetic", progress=also)
        finished += counts[each]
    return found


def _classes(workspace: Workspace, ids: list[int]) -> NDArray[np.int64]:
    """The class (N,) of each image: that of its label, or else the prompted one; -1 without one or if rejected."""
    known = np.array(ids, np.int64)
    labeled = scored.aligned(known, scored.labels(workspace.db))
    prompted = scored.aligned(known, scored.first_classes(workspace.db))[:, 0]
    classes = np.where(np.isnan(labeled[:, 0]), prompted, labeled[:, 1])
    return np.nan_to_num(classes, nan=-1).astype(np.int64)


def _duplicates(
    ids: list[int], features: NDArray[np.floating[Any]], share: float, progress: Progress
) -> dict[int, int]:
    """Near-duplicates: image id -> id of the earlier image that it resembles."""
    if len(ids) < 2:
        return {}
    sampled = min(len(ids), MEDIAN_ROWS)
    rows = np.sort(np.random.default_rng(0).choice(len(ids), sampled, replace=False))

    def of_both(done: int) -> None:
        progress(done, sampled + len(ids), "comparisons")

    # Each of these rows is its own nearest neighbour in the whole.
    distances, _ = neighbors.nearest_neighbors(features[rows], 2, features, of_both)
    threshold = share * float(np.median(distances[:, 1]))
    earlier = neighbors.near_duplicates(features, threshold, lambda done: of_both(sampled + done))
    return {ids[i]: ids[first] for i, first in enumerate(earlier.tolist()) if first >= 0}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
