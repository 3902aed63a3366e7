"""The evidence: train with and without the synthetic images on the same seeds, test on the same real images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import UserError
from synthaug.measures import evidence
from synthaug.progress import RunProgress
from synthaug.running.environment import environment
from synthaug.stages.run_cache import Trainer
from synthaug.stages.train import TestSet, resolve_recipe
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


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """How one class fared: mean paired difference, and its Holm-adjusted p-value."""

    class_name: str
    difference: float | None
    p_value: float | None
    significant: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Evidence on one question: did the augmented view help? See measures.evidence for the rule."""

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
    bootstrap: tuple[float, float] | None = (
        None  # percentile interval of the same difference; too narrow for few seeds
    )
    equal_steps: bool = False  # both sides took the updates of the larger set


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
) -> Comparison:
    """Train both views with seeds 0 .. ``seeds`` - 1 and weigh the paired differences.

    With equal epochs the larger set takes more steps; ``equal_steps`` gives both sides those of the larger one.
    Finished runs are kept and never repeated, so an interrupted comparison goes on where it stopped.
    Raises UserError, UnknownName.
    """
    if seeds < evidence.FEWEST_SEEDS:
        raise UserError(
            f"seeds is {seeds}; at least {evidence.FEWEST_SEEDS} are needed for an interval, 5 or more for a fair one"
        )
    chosen = resolve_recipe(workspace, recipe, epochs)
    sides = [views.by_name(workspace.db, name) for name in (baseline, augmented)]
    if equal_steps:
        largest = max(sum(views.counts(workspace.db, side.id).values()) for side in sides)
        chosen = replace(chosen, steps=chosen.epochs * math.ceil(largest / chosen.batch_size))
    trainer = Trainer(workspace)
    test = trainer.test_set(chosen)
    measured = _measured(trainer, sides, chosen, seeds, progress, should_cancel)
    result = _weigh(workspace, sides, measured, chosen, test)
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
    values["bootstrap"] = tuple(values.get("bootstrap") or ()) or None
    return Comparison(id=comparison_id, created_at=created_at, **values)


def _measured(
    trainer: Trainer,
    sides: Sequence[views.View],
    recipe: Recipe,
    seeds: int,
    progress: RunProgress | None,
    should_cancel: Callable[[], bool] | None,
) -> list[list[dict[str, Any]]]:
    """The metrics of each side, one a seed."""
    measured: list[list[dict[str, Any]]] = []
    for number, (view, role) in enumerate(zip(sides, ("baseline", "augmented"), strict=True)):
        found = []
        for seed in range(seeds):

            def report(
                epoch: dict[str, Any], done: int = number * seeds + seed, run: str = f"{role}/{seed}"
            ) -> None:
                if progress is not None:
                    progress(done, 2 * seeds, {"run": run, **epoch})

            found.append(
                dict(trainer.run(view, recipe, seed, progress=report, should_cancel=should_cancel).metrics)
            )
        measured.append(found)
    return measured


def _weigh(
    workspace: Workspace,
    sides: Sequence[views.View],
    measured: Sequence[list[dict[str, Any]]],
    recipe: Recipe,
    test: TestSet,
) -> dict[str, Any]:
    accuracies = [np.array([run["accuracy"] for run in runs]) for runs in measured]
    found = evidence.paired_comparison(accuracies[0], accuracies[1], resolution=1 / len(test.data.labels))
    seeds = len(measured[0])
    result = {
        "recipe": recipe.name,
        "seeds": list(range(seeds)),
        "test_images": len(test.data.labels),
        "test_fingerprint": test.fingerprint,
        "baseline": asdict(_side(workspace, sides[0], measured[0])),
        "augmented": asdict(_side(workspace, sides[1], measured[1])),
        "difference": found.difference,
        "bootstrap": list(found.bootstrap or ()),
        "equal_steps": recipe.steps is not None,
        "ci": list(found.ci or ()),
        "confidence": found.confidence,
        "verdict": found.verdict,
        "verdict_text": "",
        "seeds_needed": found.seeds_needed,
        "per_class_difference": [asdict(each) for each in _class_changes(workspace.classes, measured)],
        "environment": environment(),
    }
    result["verdict_text"] = _sentence(result)
    return result


def _side(workspace: Workspace, view: views.View, runs: list[dict[str, Any]]) -> Side:
    accuracies = [run["accuracy"] for run in runs]
    per_class = [_mean([run["per_class"][i] for run in runs]) for i in range(len(workspace.classes))]
    return Side(
        view=view.name,
        counts=views.counts(workspace.db, view.id),
        accuracies=accuracies,
        accuracy=float(np.mean(accuracies)),
        per_class=per_class,
        confusion=np.sum([run["confusion"] for run in runs], axis=0).tolist(),
    )


def _class_changes(classes: Sequence[str], measured: Sequence[list[dict[str, Any]]]) -> list[ClassDifference]:
    # A class without test images is None in JSON and NaN in arithmetic.
    baseline, augmented = (np.array([run["per_class"] for run in runs], np.float64) for runs in measured)
    changes = {change.class_index: change for change in evidence.per_class_changes(baseline, augmented)}
    rows = []
    for i, name in enumerate(classes):
        if i in changes:
            clear = changes[i].direction != "no clear change"
            rows.append(ClassDifference(name, changes[i].difference, changes[i].p_holm, clear))
        else:
            rows.append(ClassDifference(name, None, None, False))
    return rows


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _sentence(result: dict[str, Any]) -> str:
    """The verdict in one sentence that a person who does no statistics can act on."""
    low, high = (100 * each for each in result["ci"])
    openings = {
        "helped": "The synthetic images helped",
        "did not help": "The synthetic images did not help",
        "not enough evidence": "There is not enough evidence either way",
    }
    sentence = (
        f"{openings[result['verdict']]}: accuracy on {result['test_images']} real test images changed by "
        f"{100 * result['difference']:+.2f} points over {result['baseline']['view']!r} "
        f"({100 * result['confidence']:.0f}% interval {low:+.2f} to {high:+.2f}, {len(result['seeds'])} seeds)."
    )
    if result["seeds_needed"] is not None:
        sentence += f" About {result['seeds_needed']} seeds would be needed to tell."
    return sentence
