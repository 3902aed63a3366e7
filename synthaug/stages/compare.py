"""The evidence: train with and without the synthetic images on the same seeds, test on the same real images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.measures.crossed import McNemar
from synthaug.measures.evidence import FEWEST_SEEDS, SMALLEST_EFFECT, Evidence, look_confidence
from synthaug.progress import EpochReport, RunProgress
from synthaug.running.environment import environment
from synthaug.stages.run_cache import Trainer
from synthaug.stages.train import resolve_recipe
from synthaug.stages.weighing import Runs, Weighed, percentage, reservations, weigh
from synthaug.store import views
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison. Accuracies are shares, 0..1; per_class is None without test images."""

    view: str
    counts: dict[str, int]  # training images a class
    accuracies: list[float]  # one a seed
    accuracy: float  # their mean
    per_class: list[float | None]  # means over seeds
    confusion: list[list[int]]  # rows true, columns predicted, summed over seeds
    auc: list[float | None] = field(default_factory=list)  # one class against the rest, means over seeds
    macro_auc: list[float] = field(default_factory=list)  # one a seed
    matched_accuracies: list[float] = field(default_factory=list)  # the class prior matched; one a seed


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """How one class fared: mean paired difference, and its Holm-adjusted p-value."""

    class_name: str
    difference: float | None
    p_value: float | None
    significant: bool
    auc_difference: float | None = None
    auc_p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Evidence on one question: did the augmented view help? See measures.evidence for the rule.

    Comparisons of release 0.1 lack what has a default, and their verdicts are of its rule.
    """

    id: int
    created_at: str
    recipe: str
    seeds: list[int]
    test_images: int
    test_fingerprint: str
    baseline: Side
    augmented: Side
    difference: float
    ci: tuple[float, float]
    confidence: float
    verdict: str
    verdict_text: str
    seeds_needed: int | None
    per_class_difference: list[ClassDifference]
    environment: dict[str, Any]
    bootstrap: tuple[float, float] | None = None  # BCa interval of the same; too narrow for few seeds
    equal_steps: bool = False  # both sides took the updates of the larger set
    look: int = 1  # at this question, with other numbers of seeds; ``confidence`` is that of the look
    smallest_effect: float = SMALLEST_EFFECT  # of interest, as a share
    ci_images: tuple[float, float] | None = None  # of the same difference, for other test images too
    mcnemar: tuple[McNemar, ...] = ()  # one a seed
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
    """Train both views with seeds 0 .. ``seeds`` - 1 and weigh the paired differences.

    With equal epochs the larger set takes more steps; ``equal_steps`` gives both sides those of the larger one.
    ``smallest_effect`` is the least difference of accuracy of interest, a share. Finished runs are kept and never
    repeated, so an interrupted comparison goes on where it stopped, and one with more seeds adds to what is there:
    that is a further look, whose interval is wider, so that all looks together keep their level.
    ``executor``: who trains; None: this process, one run after another.
    Raises UserError, UnknownName.
    """
    if seeds < FEWEST_SEEDS:
        raise UserError(
            f"seeds is {seeds}; at least {FEWEST_SEEDS} are needed for an interval, 5 or more for a fair one"
        )
    if not 0 <= smallest_effect < 1:
        raise UserError(
            f"the smallest effect of interest is {100 * smallest_effect:g} points; it must lie in 0 .. 100"
        )
    chosen = resolve_recipe(workspace, recipe, epochs)
    if chosen.head_only:  # its head has no chance in it: the images are what chance drew
        chosen, equal_steps = replace(chosen, resample=True), False
    sides = [views.by_name(workspace.db, name) for name in (baseline, augmented)]
    if equal_steps:
        chosen = chosen.for_updates_of(
            max(sum(views.counts(workspace.db, side.id).values()) for side in sides)
        )
    trainer = Trainer(workspace)
    trainer.test_set(chosen)  # before anything is trained: raises UserError if there is none
    if executor is not None and executor.name != "serial":
        _train_elsewhere(trainer, sides, chosen, seeds, executor, progress, should_cancel)
    measured = _measured(trainer, sides, chosen, seeds, progress, should_cancel)
    look = trainer.look((sides[0], chosen), (sides[1], chosen), seeds)
    weighed = weigh(*measured, look=look, smallest_effect=smallest_effect)
    result = _result(workspace, sides, measured, weighed, chosen, trainer.test_set(chosen).fingerprint)
    comparison_id, created_at = views.add_comparison(workspace.db, sides[0].id, sides[1].id, result)
    return from_json(comparison_id, created_at, result)


def latest(workspace: Workspace) -> Comparison | None:
    """The newest comparison, or None."""
    found = all_comparisons(workspace)
    return found[0] if found else None


def all_comparisons(workspace: Workspace) -> list[Comparison]:
    """Every comparison, newest first."""
    return [from_json(*row) for row in views.all_comparisons(workspace.db)]


def from_json(comparison_id: int, created_at: str, result: dict[str, Any]) -> Comparison:
    """A stored comparison as a record."""
    values = dict(result)
    values["baseline"] = Side(**values["baseline"])
    values["augmented"] = Side(**values["augmented"])
    values["per_class_difference"] = [ClassDifference(**each) for each in values["per_class_difference"]]
    values["ci"] = tuple(values["ci"])
    for name in ("bootstrap", "ci_images"):
        values[name] = tuple(values.get(name) or ()) or None
    values["mcnemar"] = tuple(McNemar(**each) for each in values.get("mcnemar", ()))
    for name in ("macro_auc", "matched_accuracy"):
        values[name] = _evidence(values.get(name))
    return Comparison(id=comparison_id, created_at=created_at, **values)


def _train_elsewhere(
    trainer: Trainer,
    sides: Sequence[views.View],
    recipe: Recipe,
    seeds: int,
    executor: ExecutorSpec,
    progress: RunProgress | None,
    should_cancel: Callable[[], bool] | None,
) -> None:
    """Train what is missing in the workers of ``executor``, a seed of both sides before the next."""
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
    """The runs of each side, one a seed."""

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
        return trainer.runs(sides[number], recipe, found)

    return trained(0, "baseline"), trained(1, "augmented")


def _result(
    workspace: Workspace,
    sides: Sequence[views.View],
    measured: tuple[Runs, Runs],
    weighed: Weighed,
    recipe: Recipe,
    fingerprint: str,
) -> dict[str, Any]:
    """What is stored of a comparison, JSON-ready."""
    found = weighed.accuracy
    baseline, augmented = (
        asdict(_side(workspace, view, runs)) for view, runs in zip(sides, measured, strict=True)
    )
    result = {
        "recipe": recipe.name,
        "seeds": list(range(found.seeds)),
        "test_images": int(measured[0].class_images.sum()),
        "test_fingerprint": fingerprint,
        "baseline": baseline,
        "augmented": augmented,
        "difference": found.difference,
        "bootstrap": list(found.bootstrap or ()),
        "equal_steps": recipe.steps is not None,
        "ci": list(found.ci or ()),
        "ci_images": list(weighed.over_images or ()),
        "confidence": found.confidence,
        "look": found.look,
        "smallest_effect": found.smallest_effect,
        "verdict": found.verdict,
        "seeds_needed": found.seeds_needed,
        "mcnemar": [asdict(each) for each in weighed.mcnemar],
        "macro_auc": weighed.macro_auc and asdict(weighed.macro_auc),
        "matched_accuracy": weighed.matched_accuracy and asdict(weighed.matched_accuracy),
        "per_class_difference": [asdict(each) for each in _class_changes(workspace.classes, weighed)],
        "environment": environment(),
    }
    said = _sentence(result, weighed)
    if recipe.resample:
        said += " The recipe fits a head without any chance in it; each seed weighs the training images anew instead."
    return result | {"verdict_text": said}


def _side(workspace: Workspace, view: views.View, runs: Runs) -> Side:
    accuracies, auc, matched = (
        () if (values := runs.each(name)) is None else values.tolist()
        for name in ("accuracy", "macro_auc", "matched_accuracy")
    )
    return Side(
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
    """A class without test images has no figures."""
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


def _evidence(values: dict[str, Any] | None) -> Evidence | None:
    """The record that ``asdict`` made JSON of."""
    if values is None:
        return None
    pairs = {name: tuple(values[name]) if values[name] else None for name in ("ci", "bootstrap")}
    return Evidence(**(values | pairs))


OPENINGS = {
    "helped": "The synthetic images helped",
    "harmed": "The synthetic images did harm",
    "no worthwhile difference": "The synthetic images make no worthwhile difference",
    "not enough evidence": "There is not enough evidence either way",
}


def _sentence(result: dict[str, Any], weighed: Weighed) -> str:
    """The verdict in a few sentences that a person who does no statistics can act on."""
    found = weighed.accuracy
    low, high = (100 * each for each in result["ci"])
    said = [
        f"{OPENINGS[found.verdict]}: accuracy on {result['test_images']} real test images changed by "
        f"{100 * found.difference:+.2f} points over {result['baseline']['view']!r} "
        f"({percentage(found.confidence)} interval {low:+.2f} to {high:+.2f}, {found.seeds} seeds)."
    ]
    if found.verdict == "no worthwhile difference":
        said.append(f"Less than {100 * found.smallest_effect:g} points in either direction count as none.")
    if found.seeds_needed is not None:
        said.append(
            f"About {found.seeds_needed} seeds would be needed to tell; more seeds are a further look, at "
            f"{percentage(look_confidence(found.look + 1))}."
        )
    return " ".join([*said, *reservations(weighed)])
