"""Comparing two views: train on both with the same seeds, and test on the same real images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.measures.crossed import McNemar
from synthaug.measures.evidence import FEWEST_SEEDS, SMALLEST_EFFECT, Evidence, look_confidence
from synthaug.parsing import JsonRecord
from synthaug.progress import EpochReport, RunProgress
from synthaug.records import Environment, Json
from synthaug.running.environment import environment
from synthaug.stages.run_cache import Trainer
from synthaug.stages.train import resolve_recipe
from synthaug.stages.weighing import Runs, Weighed, percentage, reservations, weigh
from synthaug.store import views
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ComparedView:
    """One side of a comparison. Accuracies are shares, 0..1; ``per_class`` is None for a class without test images."""

    view: str
    counts: dict[str, int]  # training images of each class
    accuracies: list[float]  # of each seed
    accuracy: float  # their mean
    per_class: list[float | None]  # recall of each class, mean over seeds
    confusion: list[list[int]]  # rows true, columns predicted, summed over seeds
    auc: list[float | None] = field(default_factory=list)  # of each class against the rest, mean over seeds
    macro_auc: list[float] = field(default_factory=list)  # of each seed
    matched_accuracies: list[float] = field(
        default_factory=list
    )  # with the class prior matched, of each seed


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """The mean paired difference in recall (and AUC) of one class, and its Holm-adjusted p-value."""

    class_name: str
    difference: float | None
    p_value: float | None
    significant: bool
    auc_difference: float | None = None
    auc_p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison(JsonRecord):
    """Whether the augmented view helped; :mod:`synthaug.measures.evidence` describes the rule.

    Comparisons of release 0.1 lack the fields that have defaults, and their verdicts follow the rule of that release.
    """

    id: int
    created_at: str
    recipe: str
    seeds: list[int]
    test_images: int
    test_fingerprint: str
    baseline: ComparedView
    augmented: ComparedView
    difference: float
    ci: tuple[float, float]
    confidence: float
    verdict: str
    verdict_text: str
    seeds_needed: int | None
    per_class_difference: list[ClassDifference]
    environment: Environment
    bootstrap: tuple[float, float] | None = None  # BCa interval of the difference; too narrow for few seeds
    equal_steps: bool = False  # both sides took as many steps as the larger set needs
    look: int = 1  # number of this look, from 1; ``confidence`` is that of the look
    smallest_effect: float = SMALLEST_EFFECT  # smallest difference of interest, a share
    ci_images: tuple[float, float] | None = (
        None  # interval of the difference that also allows for other test images
    )
    mcnemar: tuple[McNemar, ...] = ()  # of each seed
    macro_auc: Evidence | None = None
    matched_accuracy: Evidence | None = None  # accuracy with the class prior matched


def compare(
    workspace: Workspace,
    baseline: str,
    augmented: str,
    seeds: int = 5,
    recipe: str | None = None,
    progress: RunProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
    epochs: int | None = None,
    equal_steps: bool = False,
    smallest_effect: float = SMALLEST_EFFECT,
    executor: ExecutorSpec | None = None,
) -> Comparison:
    """Train on both views with seeds 0 .. ``seeds`` - 1, and compare the accuracies in pairs of one seed.

    With equal epochs the larger set takes more steps; with ``equal_steps`` both sides take as many as the larger one
    needs. ``smallest_effect`` is the smallest difference of accuracy of interest, a share. Finished runs are kept and
    never repeated, so that an interrupted comparison resumes, and one with more seeds trains only the further ones.
    That is a further look, whose interval is wider, so that all looks together keep their level. ``executor`` says who
    trains; None means this process, one run after another. Raises UserError, UnknownName and Cancelled.
    """
    if seeds < FEWEST_SEEDS:
        raise UserError(
            f"the number of seeds is {seeds}; an interval needs at least {FEWEST_SEEDS}, and a reliable one 5 or more"
        )
    if not 0 <= smallest_effect < 1:
        raise UserError(
            f"the smallest effect of interest is {100 * smallest_effect:g} points; it must be in 0 .. 100"
        )
    chosen = resolve_recipe(workspace, recipe, epochs)
    if chosen.head_only:  # fitting a head is not random, so that each seed draws the training images anew
        chosen, equal_steps = replace(chosen, resample=True), False
    sides = [views.by_name(workspace.db, name) for name in (baseline, augmented)]
    if equal_steps:
        chosen = chosen.for_updates_of(
            max(sum(views.counts(workspace.db, side.id).values()) for side in sides)
        )
    trainer = Trainer(workspace)
    trainer.test_set(chosen)  # raises UserError without a test set, before anything is trained
    if executor is not None and executor.name != "serial":
        _train_elsewhere(trainer, sides, chosen, seeds, executor, progress, should_cancel)
    measured = _measured(trainer, sides, chosen, seeds, progress, should_cancel)
    look = trainer.look((sides[0], chosen), (sides[1], chosen), seeds)
    weighed = weigh(*measured, look=look, smallest_effect=smallest_effect)
    found = _comparison(workspace, sides, measured, weighed, chosen, trainer.test_set(chosen).fingerprint)
    result = {name: each for name, each in found.to_json().items() if name not in ("id", "created_at")}
    comparison_id, created_at = views.add_comparison(workspace.db, sides[0].id, sides[1].id, result)
    return replace(found, id=comparison_id, created_at=created_at)


def latest(workspace: Workspace) -> Comparison | None:
    """The newest comparison, or None."""
    found = all_comparisons(workspace)
    return found[0] if found else None


def all_comparisons(workspace: Workspace) -> list[Comparison]:
    """Every comparison, newest first."""
    return [stored_comparison(*row) for row in views.all_comparisons(workspace.db)]


def stored_comparison(comparison_id: int, created_at: str, result: Json) -> Comparison:
    """The record of a stored comparison; an interval that was not computed is an empty list in older releases."""
    intervals = {name: result.get(name) or None for name in ("bootstrap", "ci_images")}
    return Comparison.from_json({**result, **intervals, "id": comparison_id, "created_at": created_at})


def _train_elsewhere(
    trainer: Trainer,
    sides: Sequence[views.View],
    recipe: Recipe,
    seeds: int,
    executor: ExecutorSpec,
    progress: RunProgress | None,
    should_cancel: Callable[[], bool] | None,
) -> None:
    """Train the missing runs with ``executor``: both sides of a seed before those of the next."""
    wanted = [(side, recipe, seed) for seed in range(seeds) for side in sides]
    roles = {side.id: role for side, role in zip(sides, ("baseline", "augmented"), strict=True)}
    carried = trainer.run_all(wanted, executor, should_cancel=should_cancel)
    for done, ((side, _, seed), run) in enumerate(carried, 1):
        if progress is not None:
            last: EpochReport = run.metrics["history"][-1]
            progress(done, 2 * seeds, {"run": f"{roles[side.id]}/{seed}", **last})


def _measured(
    trainer: Trainer,
    sides: Sequence[views.View],
    recipe: Recipe,
    seeds: int,
    progress: RunProgress | None,
    should_cancel: Callable[[], bool] | None,
) -> tuple[Runs, Runs]:
    """The runs of each side, one for each seed."""

    def trained(number: int, role: str) -> Runs:
        found = []
        for seed in range(seeds):

            def report(
                epoch: EpochReport, done: int = number * seeds + seed, run: str = f"{role}/{seed}"
            ) -> None:
                if progress is not None:
                    progress(done, 2 * seeds, {"run": run, **epoch})

            found.append(
                trainer.run(sides[number], recipe, seed, progress=report, should_cancel=should_cancel)
            )
        return trainer.runs(recipe, found)

    return trained(0, "baseline"), trained(1, "augmented")


def _comparison(
    workspace: Workspace,
    sides: Sequence[views.View],
    measured: tuple[Runs, Runs],
    weighed: Weighed,
    recipe: Recipe,
    fingerprint: str,
) -> Comparison:
    """The record of a comparison that is not stored yet."""
    found = weighed.accuracy
    assert found.ci is not None  # noqa: S101 (there are at least FEWEST_SEEDS seeds)
    test_images = int(measured[0].class_images.sum())
    text = _verdict_text(weighed, sides[0].name, test_images, found.ci)
    if recipe.resample:
        text += " Fitting a head is not random; each seed draws new weights of the training images instead."
    return Comparison(
        id=0,
        created_at="",
        recipe=recipe.name,
        seeds=list(range(found.seeds)),
        test_images=test_images,
        test_fingerprint=fingerprint,
        baseline=_compared_view(workspace, sides[0], measured[0]),
        augmented=_compared_view(workspace, sides[1], measured[1]),
        difference=found.difference,
        ci=found.ci,
        confidence=found.confidence,
        verdict=found.verdict,
        verdict_text=text,
        seeds_needed=found.seeds_needed,
        per_class_difference=_class_changes(workspace.classes, weighed),
        environment=environment(),
        bootstrap=found.bootstrap,
        equal_steps=recipe.steps is not None,
        look=found.look,
        smallest_effect=found.smallest_effect,
        ci_images=weighed.over_images,
        mcnemar=weighed.mcnemar,
        macro_auc=weighed.macro_auc,
        matched_accuracy=weighed.matched_accuracy,
    )


def _compared_view(workspace: Workspace, view: views.View, runs: Runs) -> ComparedView:
    accuracies, auc, matched = (
        () if (values := runs.each(name)) is None else values.tolist()
        for name in ("accuracy", "macro_auc", "matched_accuracy")
    )
    return ComparedView(
        view=view.name,
        counts=views.counts(workspace.db, view.id),
        accuracies=list(accuracies),
        accuracy=sum(accuracies) / len(accuracies),
        per_class=list(runs.means("per_class")),
        confusion=runs.confusion.tolist(),
        auc=list(runs.means("auc")),
        macro_auc=list(auc),
        matched_accuracies=list(matched),
    )


def _class_changes(classes: Sequence[str], weighed: Weighed) -> list[ClassDifference]:
    """The difference of each class; all fields are None for a class without test images."""
    recall, auc = ({each.class_index: each for each in found} for found in (weighed.recall, weighed.auc))
    rows = []
    for index, name in enumerate(classes):
        of_auc = (auc[index].difference, auc[index].p_holm) if index in auc else (None, None)
        if index in recall:
            clear = recall[index].direction != "no clear change"
            rows.append(ClassDifference(name, recall[index].difference, recall[index].p_holm, clear, *of_auc))
        else:
            rows.append(ClassDifference(name, None, None, False, *of_auc))
    return rows


OPENINGS = {
    "helped": "The synthetic images helped",
    "harmed": "The synthetic images did harm",
    "no worthwhile difference": "The synthetic images make no worthwhile difference",
    "not enough evidence": "There is not enough evidence either way",
}


def _verdict_text(weighed: Weighed, baseline: str, test_images: int, ci: tuple[float, float]) -> str:
    """The verdict in a few sentences that a person without knowledge of statistics can act on."""
    found = weighed.accuracy
    low, high = (100 * each for each in ci)
    sentences = [
        f"{OPENINGS[found.verdict]}: accuracy on {test_images} real test images changed by "
        f"{100 * found.difference:+.2f} points over {baseline!r} "
        f"({percentage(found.confidence)} interval {low:+.2f} to {high:+.2f}, {found.seeds} seeds)."
    ]
    if found.verdict == "no worthwhile difference":
        sentences.append(
            f"A difference of less than {100 * found.smallest_effect:g} points counts as no difference."
        )
    if found.seeds_needed is not None:
        sentences.append(
            f"About {found.seeds_needed} seeds would be needed to tell. Comparing with more seeds is a further look, "
            f"at a confidence of {percentage(look_confidence(found.look + 1))}."
        )
    return " ".join([*sentences, *reservations(weighed)])
