"""Active learning: choosing synthetic images in rounds, with a classifier trained on those chosen before.

This follows the active-learning paper with three additions: each round starts from the weights of the previous one
(the paper retrains from scratch), scores come from Monte Carlo dropout in the head, and images far from all real ones
are excluded, because an uncertain image may simply be a broken one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.classifiers.fit import fit
from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.monte_carlo import check_passes, head_passes, network_passes, rank_agreement
from synthaug.classifiers.recipes import Recipe
from synthaug.errors import Cancelled, UnknownName, UserError
from synthaug.measures import acquisition
from synthaug.measures.quality import out_of_distribution
from synthaug.parsing import JsonRecord, as_json, parse_record
from synthaug.progress import Progress
from synthaug.records import Json
from synthaug.stages.pixels import load_levels
from synthaug.stages.seeds import check_seed
from synthaug.stages.synthetic_pool import Pool, PoolFilter, check_jobs
from synthaug.stages.view import ViewSpec
from synthaug.store import catalog, views
from synthaug.store.labels import LabeledImage
from synthaug.workspace import Workspace

FUNCTIONS = (
    "mean-posterior",
    "entropy",
    "bald",
    "epig",
    "variation-ratio",
    "margin",
    "least-confidence",
    "random",
)
REFERENCE = 5000
"""Largest number of real images to which the distances of the pool are measured."""
TARGETS = 200
"""Largest number of real images whose predictions the function "epig" aims to improve."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Search(JsonRecord):
    """The settings of a search for images."""

    label: str  # the class to add images of
    add: int  # images over all rounds
    per_round: int = 50
    function: str = "entropy"  # one of FUNCTIONS; "mean-posterior" is that of the class ``label``
    passes: int = 20  # Monte Carlo passes
    dropout: float = 0.2  # dropout rate of the features, in the Monte Carlo passes and in training
    epochs_first: int | None = None  # None: the recipe's
    epochs_a_round: int = 2
    ood_guard: float | None = (
        0.99  # exclude images with a higher out-of-distribution rank; None: exclude none
    )
    jobs: tuple[int, ...] = ()  # generation jobs whose images form the pool; empty: all jobs
    agreement_sample: int = 0  # images whose scores are compared with those of the full network
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Round(JsonRecord):
    """The outcome of one round, which is stored with its view."""

    number: int  # counted from 1
    view: str
    chosen: int  # images chosen in this round
    left_out: int  # images of the pool excluded by the guard
    mean_score: float  # mean acquisition score of the chosen images
    rank_agreement: (
        float | None
    )  # Spearman correlation between scores of the head and of the full network, if known
    beyond: int = 0  # images chosen despite the guard, because it left too few


@dataclass(frozen=True, slots=True)
class Acquisition:
    """The view with the base and all chosen images, and the rounds that led to it."""

    view: str
    rounds: tuple[Round, ...]


def acquire(
    workspace: Workspace,
    name: str,
    base: str,
    search: Search,
    recipe: Recipe,
    progress: Progress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Acquisition:
    """Add ``search.add`` synthetic images of a class to the view ``base``; the result is the view ``name``.

    Earlier rounds are views as well (NAME-round-01 ...). An interrupted search resumes with the first unfinished
    round and ends with the same result. Raises UserError for invalid settings or too few images, UnknownName, and
    Cancelled on request.
    """
    _check(workspace, name, search)
    check_seed(search.seed)
    acquirer = _Acquirer(workspace, name, views.by_name(workspace.db, base), search, recipe)
    total = -(-search.add // search.per_round)
    done: list[Round] = []
    for number in range(1, total + 1):
        title = name if number == total else f"{name}-round-{number:02d}"
        known = _round_of(workspace, title, base, search, recipe)
        if known is None:
            if progress is not None:
                progress(number - 1, total, f"round {number} of {total}")
            if should_cancel is not None and should_cancel():
                raise Cancelled(f"stopped after round {number - 1} of {total}; the same command resumes")
            known = acquirer.round(number, title, should_cancel)
        else:
            acquirer.take(title)
        done.append(known)
    if progress is not None:
        progress(total, total, f"{search.add} images chosen")
    acquirer.forget()
    return Acquisition(name, tuple(done))


class _Acquirer:
    """The state of a search: the base, the pool and the images chosen so far."""

    def __init__(
        self, workspace: Workspace, name: str, base: views.View, search: Search, recipe: Recipe
    ) -> None:
        self.workspace, self.name, self.search = workspace, name, search
        self.recipe = replace(recipe, dropout=search.dropout)
        self.members = views.members(workspace.db, base.id)
        self.base = base.name
        label = catalog.class_index(workspace.db, search.label)
        self.label = label
        held = {member.image_id for member in self.members}
        wanted = PoolFilter(jobs=search.jobs)
        self.pool: list[LabeledImage] = Pool(workspace, wanted, {label}, held, Random(search.seed)).images()  # noqa: S311
        if len(self.pool) < search.add:
            raise UserError(
                f"cannot choose {search.add} images of {search.label!r}, because the pool has {len(self.pool)}; "
                f"generate more with: synthaug generate --label {search.label!r}"
            )
        self.chosen: list[int] = []  # positions in the pool, in the order of choice
        self._pixels: tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]] | None = None

    def take(self, view: str) -> None:
        """Restore the images chosen up to a finished round from its view."""
        positions = {image.image_id: position for position, image in enumerate(self.pool)}
        members = views.members(self.workspace.db, views.by_name(self.workspace.db, view).id)
        chosen = [each.image_id for each in members[len(self.members) :]]
        gone = sum(image_id not in positions for image_id in chosen)
        if gone:
            raise UserError(
                f"{gone} images of the view {view!r} are no longer in the pool (they were rejected or got another "
                "class), so the search cannot be resumed; choose another name"
            )
        self.chosen = [positions[image_id] for image_id in chosen]

    def round(self, number: int, title: str, should_cancel: Callable[[], bool] | None) -> Round:
        """Train on the images so far, score the rest of the pool, choose the best and freeze them as a view."""
        search = self.search
        classifier = self._train(number, should_cancel)
        left = np.setdiff1d(np.arange(len(self.pool)), self.chosen)
        features = classifier.features(self._pool_pixels()[left])
        scores, agreement = self._scores(classifier, left, features, number)
        near = self._near(classifier, features)
        count = min(search.per_round, search.add - len(self.chosen))
        # If the guard leaves too few images, the best of the excluded ones follow.
        order = np.lexsort((-scores, ~near))[:count]
        self.chosen += left[order].tolist()
        beyond = int((~near[order]).sum())
        left_out = int((~near).sum()) - beyond
        outcome = Round(number, title, count, left_out, float(scores[order].mean()), agreement, beyond)
        classifier.save(self._weights(number))
        self._freeze(outcome)
        if number > 1:
            self._weights(number - 1).unlink(missing_ok=True)
        return outcome

    def forget(self) -> None:
        """Remove the stored weights of the last round."""
        for path in (self.workspace.root / "runs").glob(f"{self._stem()}-*.safetensors"):
            path.unlink()

    def _train(self, number: int, should_cancel: Callable[[], bool] | None) -> FittedClassifier:
        search, recipe = self.search, self.recipe
        start = None if number == 1 else FittedClassifier.load(self._weights(number - 1))
        epochs = search.epochs_a_round if start else search.epochs_first or recipe.epochs
        real, pool = self._base_pixels(), self._pool_pixels()[self.chosen]
        labels = [member.class_index for member in self.members] + [self.label] * len(self.chosen)
        return fit(
            np.concatenate([real, pool]),
            np.array(labels, np.int64),
            len(self.workspace.classes),
            recipe.for_epochs(epochs),
            search.seed + number,
            class_names=self.workspace.classes,
            should_cancel=should_cancel,
            start=start,
        )

    def _scores(
        self,
        classifier: FittedClassifier,
        left: NDArray[np.int64],
        features: NDArray[np.float32],
        number: int,
    ) -> tuple[Scores, float | None]:
        """Acquisition scores of the remaining images, and their rank correlation with those of the full network."""
        search = self.search
        if search.function == "random":
            return np.random.default_rng(search.seed + number).random(len(left)), None
        drawn = (search.dropout, search.passes, search.seed + number)
        targets = classifier.features(self._real_sample(TARGETS)) if search.function == "epig" else None
        aims = None if targets is None else head_passes(classifier, targets, *drawn)
        scores = self._score(head_passes(classifier, features, *drawn), aims)
        sample = np.arange(len(left))[: search.agreement_sample]
        if len(sample) < 2:
            return scores, None
        full = network_passes(classifier, self._pool_pixels()[left[sample]], *drawn, body_rate=search.dropout)
        agreement = rank_agreement(scores[sample], self._score(full, aims))
        return scores, None if np.isnan(agreement) else agreement

    def _score(self, passes: NDArray[np.float32], aims: NDArray[np.float32] | None) -> Scores:
        if aims is not None:
            return acquisition.epig(passes, aims)
        if self.search.function == "mean-posterior":
            return acquisition.posterior_of(passes, self.label)
        return acquisition.ACQUISITIONS[self.search.function.replace("-", "_")](passes)

    def _near(self, classifier: FittedClassifier, features: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which images (N,) pass the guard, by their out-of-distribution rank relative to the real images."""
        if self.search.ood_guard is None:
            return np.ones(len(features), bool)
        reference = classifier.features(self._real_sample(REFERENCE))
        return out_of_distribution(features, reference) <= self.search.ood_guard

    def _real_sample(self, count: int) -> NDArray[np.unsignedinteger[Any]]:
        """At most ``count`` real images of the base (N, S, S, 3), the same in every round."""
        real = np.array([i for i, member in enumerate(self.members) if member.origin == "real"], np.int64)
        if not len(real):
            raise UserError(
                f"the view {self.base!r} has no real images to compare the pool with; add some, or turn the guard off "
                "and choose a function other than 'epig'"
            )
        drawn = np.random.default_rng(self.search.seed).permutation(real)[:count]
        sample: NDArray[np.unsignedinteger[Any]] = self._base_pixels()[np.sort(drawn)]
        return sample

    def _freeze(self, outcome: Round) -> None:
        members = [(member.image_id, member.class_index) for member in self.members]
        members += [(self.pool[position].image_id, self.label) for position in self.chosen]
        spec = ViewSpec(base=self.base, seed=self.search.seed).to_json()
        settings = self.search.to_json() | {"recipe": as_json(self.recipe)}
        kept = outcome.to_json() | {"search": settings}
        views.create(self.workspace.db, outcome.view, spec | {"acquisition": kept}, members)

    def _base_pixels(self) -> NDArray[np.unsignedinteger[Any]]:
        return self._loaded()[0]

    def _pool_pixels(self) -> NDArray[np.unsignedinteger[Any]]:
        return self._loaded()[1]

    def _loaded(self) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]]:
        """The images of the base and of the pool (N, S, S, 3), of one depth, loaded on first use."""
        if self._pixels is None:
            hashes = [*(each.sha256 for each in self.members), *(each.sha256 for each in self.pool)]
            both = load_levels(self.workspace, hashes, self.recipe.image_size, self.recipe.framing)
            base, pool = np.split(both, [len(self.members)])
            self._pixels = base, pool
        return self._pixels

    def _weights(self, number: int) -> Path:
        return self.workspace.root / "runs" / f"{self._stem()}-{number}.safetensors"

    def _stem(self) -> str:
        return f"acquire-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"


def _round_of(workspace: Workspace, title: str, base: str, search: Search, recipe: Recipe) -> Round | None:
    """The outcome of a round if it is finished. Raises UserError if its view belongs to another search."""
    if title not in {view.name for view in views.all_views(workspace.db)}:
        return None
    spec = views.by_name(workspace.db, title).spec
    kept = spec.get("acquisition")
    wanted = (search, replace(recipe, dropout=search.dropout))
    if kept is None or spec["base"] != base or _stored_settings(kept["search"]) != wanted:
        raise UserError(f"the view {title!r} exists with other settings; choose another name")
    return Round.from_json(kept)


def _stored_settings(data: Json) -> tuple[Search, Recipe]:
    """The settings that determined the images of a stored search."""
    return Search.from_json(data), parse_record(Recipe, data["recipe"], "the stored recipe")


def _check(workspace: Workspace, name: str, search: Search) -> None:
    if not name.strip():
        raise UserError("the view needs a name")
    if search.function not in FUNCTIONS:
        raise UnknownName("acquisition function", search.function, FUNCTIONS)
    counts: Sequence[tuple[str, int]] = (
        ("number of images to add", search.add),
        ("number of images per round", search.per_round),
        ("number of epochs per round", search.epochs_a_round),
    )
    for what, count in counts:
        if count < 1:
            raise UserError(f"the {what} is {count}; it must be at least 1")
    if search.epochs_first is not None and search.epochs_first < 1:
        raise UserError(
            f"the number of epochs of the first round is {search.epochs_first}; it must be at least 1"
        )
    check_passes(search.dropout, search.passes)
    if search.ood_guard is not None and not 0 < search.ood_guard <= 1:
        raise UserError(f"the guard is {search.ood_guard:g}; it must be above 0 and at most 1")
    check_jobs(workspace, search.jobs)
    catalog.class_index(workspace.db, search.label)
