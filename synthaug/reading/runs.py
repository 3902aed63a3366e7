"""Stored training runs and comparisons: the list, the details of each, and the images of a confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

import numpy as np

from synthaug.errors import UnknownName
from synthaug.stages import compare
from synthaug.stages.run_cache import predictions_of
from synthaug.stages.test_split import fingerprint
from synthaug.store import catalog, models, runs, views
from synthaug.workspace import Workspace

Kind = Literal["comparison", "run", "model"]
SIDES = ("baseline", "augmented")
FORMS = "run:ID, model:ID, comparison:ID:baseline or comparison:ID:augmented"


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a view, which is frozen and therefore never changes."""

    name: str
    counts: Mapping[str, int]  # images of each class, repeats included
    class_set: str  # "all 10 classes", or the names of the classes with images
    arm: str  # "real", "real, oversampled", "real + synthetic" or "synthetic"
    generators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One training run, or several with different seeds, and the metrics on the test set.

    ``confusion`` has true classes in rows and predicted classes in columns, summed over seeds. Accuracies are 0..1.
    """

    key: str
    title: str
    contents: Contents | None  # None: the view is unknown
    recipe: str
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]  # of each seed
    per_class: tuple[float | None, ...]
    confusion: tuple[tuple[int, ...], ...]
    test_images: int
    test_fingerprint: str
    created_at: str
    verdict_text: str = ""  # of the comparison, for one of its sides

    @property
    def accuracy(self) -> float:
        """The mean over seeds."""
        return fmean(self.accuracies)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the list. ``sides`` has the key of a run or model, or the two keys of the sides of a comparison."""

    kind: Kind
    title: str
    sides: tuple[str, ...]
    class_sets: tuple[str, ...]
    recipes: tuple[str, ...]
    arms: tuple[str, ...]
    generators: tuple[str, ...]
    seeds: int
    accuracies: tuple[float, ...]  # of each side, 0..1
    verdict: str | None  # None: not a comparison
    difference: float | None
    test_fingerprint: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Cell:
    """The test images in one cell of a confusion matrix, ordered by the number of seeds, highest first."""

    ids: tuple[int, ...]
    times: tuple[int, ...]  # number of seeds that predicted so
    missing: str  # why some images are unknown; "" if none are


Known = Callable[[int], Contents]
"""Returns the contents of a view by its id: :func:`contents`, cached."""


def contents(workspace: Workspace, view_id: int) -> Contents:
    """The content of the view with this id."""
    rows = views.composition(workspace.db, view_id)
    counts = dict.fromkeys(workspace.classes, 0)
    for row in rows:
        counts[workspace.classes[row["class_position"]]] += row["images"]
    there = [name for name, count in counts.items() if count]
    origins = {row["origin"] for row in rows}
    arm = " + ".join(each for each in ("real", "synthetic") if each in origins)
    if any(row["images"] > row["different"] for row in rows):
        arm += ", oversampled"
    return Contents(
        views.by_id(workspace.db, view_id).name,
        counts,
        f"all {len(counts)} classes" if len(there) == len(counts) else ", ".join(there),
        arm,
        tuple(views.generators(workspace.db, view_id)),
    )


def entries(workspace: Workspace, known: Known) -> list[Entry]:
    """All runs, models and comparisons, newest first."""
    ids = {view.name: view.id for view in views.all_views(workspace.db)}
    found = [_of_comparison(each, ids, known) for each in compare.all_comparisons(workspace)]
    found += [_of_side("run", _of_run(run, known)) for run in runs.all_runs(workspace.db)]
    measured = [each for each in models.all_models(workspace.db) if "confusion" in each.metrics]
    found += [_of_side("model", _of_model(model, known)) for model in measured]
    return sorted(found, key=lambda each: each.created_at, reverse=True)


def side(workspace: Workspace, key: str, known: Known) -> Side:
    """The side with this key, in one of the forms ``FORMS``. Raises UnknownName."""
    kind, number, name = _parse(key)
    if kind == "run":
        return _of_run(runs.by_id(workspace.db, number), known)
    if kind == "model":
        return _of_model(models.by_id(workspace.db, number), known)
    ids = {view.name: view.id for view in views.all_views(workspace.db)}
    return _side_of(_comparison(workspace, number), name, ids, known)


def cell(workspace: Workspace, key: str, true: int, predicted: int) -> Cell:
    """The test images of the class ``true`` that a side classified as ``predicted``, by index. Raises UnknownName."""
    rows = catalog.labeled_of_split(workspace.db, "test")
    ids = np.array([image_id for image_id, _, _ in rows], np.int64)
    labels = np.array([label for _, _, label in rows], np.int64)
    predicted_by_run, missing = _predicted_classes(
        workspace, key, ids, fingerprint([row[1:] for row in rows])
    )
    times = np.zeros(len(ids), np.int64)
    for each in predicted_by_run:
        times += (labels == true) & (each == predicted)
    order = np.argsort(-times, kind="stable")[: np.count_nonzero(times)]
    return Cell(tuple(ids[order].tolist()), tuple(times[order].tolist()), missing)


def _predicted_classes(workspace: Workspace, key: str, ids: Any, current: str) -> tuple[list[Any], str]:
    """The predicted classes (N,) of each run of a side, and why those of some runs are unknown."""
    kind, number, name = _parse(key)
    if kind == "model":
        model = models.by_id(workspace.db, number)
        found = models.predictions_of(workspace.db, number, ids.tolist())
        said = np.array([found[each].class_index if each in found else -1 for each in ids.tolist()])
        absent = int((said < 0).sum())
        words = f"{absent} test images have no predictions of {model.name}; run: synthaug predict --model {model.name}"
        return [said], words if absent else ""
    wanted = (
        [runs.by_id(workspace.db, number)]
        if kind == "run"
        else _runs_of(workspace, _comparison(workspace, number), name)
    )
    if any(run.test_fingerprint != current for run in wanted):
        return (
            [],
            "The test images or their labels have changed since, so that the images of this cell are unknown.",
        )
    kept = [each for run in wanted if (each := predictions_of(workspace, run)) is not None]
    words = f"{len(wanted) - len(kept)} of {len(wanted)} runs have no stored predictions" if wanted else ""
    return list(kept), "" if wanted and len(kept) == len(wanted) else words or "The runs no longer exist."


def _runs_of(workspace: Workspace, found: compare.Comparison, name: str) -> list[runs.Run]:
    """The stored runs of a side of a comparison, found by view, recipe, test set, seed and accuracy."""
    weighed = _named(found, name)
    wanted = dict(zip(found.seeds, weighed.accuracies, strict=True))
    view = views.by_name(workspace.db, weighed.view)
    return [
        run
        for run in runs.all_runs(workspace.db)
        if run.view_id == view.id
        and run.test_fingerprint == found.test_fingerprint
        and run.recipe.split("/")[0] == found.recipe
        and wanted.get(run.seed) == run.metrics["accuracy"]
    ]


def _parse(key: str) -> tuple[str, int, str]:
    kind, _, rest = key.partition(":")
    number, _, name = rest.partition(":")
    sided = kind == "comparison"
    if kind not in ("run", "model", "comparison") or not (number.isascii() and number.isdigit()):
        raise UnknownName("training run", key, [FORMS])
    if sided != (name in SIDES) or len(number) > 18:
        raise UnknownName("training run", key, [FORMS])
    return kind, int(number), name


def _comparison(workspace: Workspace, number: int) -> compare.Comparison:
    for each in compare.all_comparisons(workspace):
        if each.id == number:
            return each
    raise UnknownName("comparison", str(number), ())


def _named(found: compare.Comparison, name: str) -> compare.ComparedView:
    return found.baseline if name == "baseline" else found.augmented


def _of_run(run: runs.Run, known: Known) -> Side:
    return _single(f"run:{run.id}", f"Run {run.id}", run.recipe, run, known, run.test_fingerprint)


def _of_model(model: models.Model, known: Known) -> Side:
    fingerprint_then = str(model.metrics.get("test_fingerprint", ""))
    recipe = f"{model.recipe}/{model.metrics['epochs']}" if "epochs" in model.metrics else model.recipe
    return _single(f"model:{model.id}", model.name, recipe, model, known, fingerprint_then)


def _single(
    key: str, title: str, recipe: str, found: runs.Run | models.Model, known: Known, fingerprint_then: str
) -> Side:
    metrics = found.metrics
    matrix = metrics.get("confusion", [])
    return Side(
        key,
        title,
        None if found.view_id is None else known(found.view_id),
        recipe,
        (found.seed,),
        (float(metrics["accuracy"]),),
        tuple(metrics.get("per_class", ())),
        tuple(tuple(row) for row in matrix),
        sum(map(sum, matrix)),
        fingerprint_then,
        found.created_at,
    )


def _side_of(found: compare.Comparison, name: str, ids: Mapping[str, int], known: Known) -> Side:
    weighed = _named(found, name)
    return Side(
        f"comparison:{found.id}:{name}",
        f"Comparison {found.id}, {name}",
        known(ids[weighed.view]) if weighed.view in ids else None,
        found.recipe,
        tuple(found.seeds),
        tuple(weighed.accuracies),
        tuple(weighed.per_class),
        tuple(tuple(row) for row in weighed.confusion),
        found.test_images,
        found.test_fingerprint,
        found.created_at,
        found.verdict_text,
    )


def _of_comparison(found: compare.Comparison, ids: Mapping[str, int], known: Known) -> Entry:
    pair = [_side_of(found, name, ids, known) for name in SIDES]
    title = f"{found.baseline.view} against {found.augmented.view}"
    return _entry("comparison", title, pair, found.verdict, found.difference)


def _of_side(kind: Kind, found: Side) -> Entry:
    return _entry(kind, found.title, [found], None, None)


def _entry(
    kind: Kind, title: str, pair: Sequence[Side], verdict: str | None, difference: float | None
) -> Entry:
    held = [each.contents for each in pair if each.contents is not None]
    return Entry(
        kind=kind,
        title=title,
        sides=tuple(each.key for each in pair),
        class_sets=_distinct(each.class_set for each in held),
        recipes=_distinct(each.recipe.split("/")[0] for each in pair),
        arms=_distinct(each.arm for each in held),
        generators=_distinct(name for each in held for name in each.generators),
        seeds=len(pair[0].seeds),
        accuracies=tuple(each.accuracy for each in pair),
        verdict=verdict,
        difference=difference,
        test_fingerprint=pair[0].test_fingerprint,
        created_at=pair[0].created_at,
    )


def _distinct(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
