"""Running an experiment: preparing it, training every arm with every seed once, and comparing the arms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import Cancelled, UserError
from synthaug.executors.base import ExecutorSpec
from synthaug.experiments.arms import with_updates
from synthaug.experiments.base import Arm, Experiment, Plan, Result, Row, Run, ScaleName
from synthaug.experiments.lab import Lab
from synthaug.measures.evidence import mean_interval
from synthaug.progress import EpochReport
from synthaug.stages.run_cache import Trainer, recipe_key
from synthaug.stages.weighing import Runs, Weighed, reservations, weigh
from synthaug.store import runs, views

_STANDARD = {"accuracy", "macro_auc", "matched_accuracy", "train_images", "test_images", "seconds"}
"""Metrics of a run that have their own fields in a row."""


def carry_out(
    experiment: Experiment,
    lab: Lab,
    scale: ScaleName,
    executor: ExecutorSpec | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Result:
    """Run what is not finished yet and return the whole result, training with ``executor`` (None: here).

    Raises UserError for an invalid plan, and Cancelled on request; finished runs are kept in either case.
    """
    plan = experiment.prepare(lab)
    _check(plan)
    plan = with_updates(plan, lambda view: sum(lab.counts(view).values()))
    found = _train(plan, lab, executor or ExecutorSpec(), should_cancel or (lambda: False))
    rows, contrasts = _weigh(plan, lab, found)
    return Result(
        name=experiment.name,
        title=experiment.title,
        question=experiment.question,
        source=experiment.source,
        scale=scale,
        reduction=experiment.reduction,
        workspace=lab.workspace.name,
        classes=lab.workspace.classes,
        focus=plan.focus,
        baseline=plan.baseline,
        rows=rows,
        runs=tuple(
            Run(run.id, arm.name, run.seed, run.created_at, run.metrics, run.environment)
            for arm in plan.arms
            for run in found[arm.name]
        ),
        panels=experiment.panels(lab, plan, rows),
        notes=plan.notes,
        command=" ".join(["synthaug", *sys.argv[1:]]),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        contrasts=contrasts,
    )


def _check(plan: Plan) -> None:
    names = [arm.name for arm in plan.arms]
    if len(set(names)) < len(names) or plan.baseline not in names:
        raise ValueError(f"arms need different names, one of them the baseline {plan.baseline!r}: {names}")
    if any(arm.redrawn and len(arm.redrawn) != plan.seeds - 1 for arm in plan.arms):
        raise ValueError("an arm that is drawn anew needs one view for every seed")
    if plan.seeds < 1:
        raise UserError(
            f"the number of seeds is {plan.seeds}; it must be at least 1, and 5 or more for evidence"
        )


def _train(
    plan: Plan, lab: Lab, executor: ExecutorSpec, should_cancel: Callable[[], bool]
) -> dict[str, list[runs.Run]]:
    """The runs of every arm in the order of seeds; one seed of all arms is trained before the next."""
    trainer = Trainer(lab.workspace)
    wanted = [(arm, seed) for seed in range(plan.seeds) for arm in plan.arms]
    missing = [
        (arm, seed) for arm, seed in wanted if trainer.find(_view(lab, arm, seed), arm.recipe, seed) is None
    ]
    done = len(wanted) - len(missing)
    if done:
        lab.say(f"{done} of {len(wanted)} runs are already finished")
    here = executor.name == "serial" or plan.train is not None
    carried = (
        _here(plan, lab, trainer, missing, should_cancel)
        if here
        else _elsewhere(lab, trainer, missing, executor, should_cancel)
    )
    for arm, seed, run in carried:
        done += 1
        lab.say(
            f"run {done} of {len(wanted)}: {arm.title}, seed {seed}: {100 * run.metrics['accuracy']:.2f}%"
        )
    return {
        arm.name: [_found(trainer, _view(lab, arm, seed), arm.recipe, seed) for seed in range(plan.seeds)]
        for arm in plan.arms
    }


def _here(
    plan: Plan,
    lab: Lab,
    trainer: Trainer,
    missing: Sequence[tuple[Arm, int]],
    should_cancel: Callable[[], bool],
) -> Iterator[tuple[Arm, int, runs.Run]]:
    """Train the missing runs one after another in this process."""
    for arm, seed in missing:
        view = _view(lab, arm, seed)
        if should_cancel():
            raise Cancelled("stopped on request; finished runs are kept, and the same command resumes")
        if plan.train is not None:
            yield arm, seed, trainer.record(view, arm.recipe, seed, plan.train(arm, seed))
            continue

        def report(epoch: EpochReport, title: str = f"{arm.title}, seed {seed}") -> None:
            lab.report(epoch["epoch"], epoch["epochs"], title)

        yield (
            arm,
            seed,
            trainer.run(
                view, arm.recipe, seed, keep_weights=seed == 0, progress=report, should_cancel=should_cancel
            ),
        )


def _elsewhere(
    lab: Lab,
    trainer: Trainer,
    missing: Sequence[tuple[Arm, int]],
    executor: ExecutorSpec,
    should_cancel: Callable[[], bool],
) -> Iterator[tuple[Arm, int, runs.Run]]:
    """Train the missing runs in the workers of ``executor``."""
    wanted = {(arm.view_of(seed), recipe_key(arm.recipe), seed): (arm, seed) for arm, seed in missing}
    carried = trainer.run_all(
        [(_view(lab, arm, seed), arm.recipe, seed) for arm, seed in missing],
        executor,
        keep_weights=lambda seed: seed == 0,
        should_cancel=should_cancel,
    )
    for (view, recipe, seed), run in carried:
        yield (*wanted[view.name, recipe_key(recipe), seed], run)


def _weigh(
    plan: Plan, lab: Lab, found: Mapping[str, Sequence[runs.Run]]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """One row per arm, compared with the baseline, and one row per contrast."""
    trainer = Trainer(lab.workspace)
    arms = {arm.name: arm for arm in plan.arms}
    measured = {name: trainer.runs(arm.recipe, found[name]) for name, arm in arms.items()}
    plain = {name: _row(lab, arm, measured, found) for name, arm in arms.items()}

    def against(name: str, other: str) -> Row:
        before, after = ((_view(lab, arms[each], 0), arms[each].recipe) for each in (other, name))
        look = trainer.look(before, after, plan.seeds)
        return _weighed(lab, plain[name], weigh(measured[other], measured[name], look=look))

    rows = (plain[name] if name == plan.baseline else against(name, plan.baseline) for name in arms)
    contrasts = (
        replace(
            against(each.arm, each.against),
            arm=f"{each.arm}-against-{each.against}",
            title=each.title,
            against=arms[each.against].title,
            published={},
        )
        for each in plan.contrasts
    )
    return tuple(rows), tuple(contrasts)


def _view(lab: Lab, arm: Arm, seed: int) -> views.View:
    return views.by_name(lab.workspace.db, arm.view_of(seed))


def _found(trainer: Trainer, view: views.View, recipe: Recipe, seed: int) -> runs.Run:
    run = trainer.find(view, recipe, seed)
    assert run is not None  # noqa: S101 (it was just trained)
    return run


def _row(lab: Lab, arm: Arm, measured: Mapping[str, Runs], found: Mapping[str, Sequence[runs.Run]]) -> Row:
    """The row of one arm over its seeds, without any comparison."""
    mine, classes = measured[arm.name], lab.workspace.classes
    accuracies, auc, matched = (
        () if (values := mine.each(name)) is None else tuple(values.tolist())
        for name in ("accuracy", "macro_auc", "matched_accuracy")
    )
    counts = lab.counts(arm.view)
    return Row(
        arm=arm.name,
        title=arm.title,
        view=arm.view,
        recipe=recipe_key(arm.recipe),
        images=sum(counts.values()),
        counts=counts,
        generator_data=arm.generator_data,
        runs=tuple(run.id for run in found[arm.name]),
        accuracies=accuracies,
        accuracy=float(np.mean(accuracies)),
        interval=_share(mean_interval(accuracies)),
        per_class=dict(zip(classes, mine.means("per_class"), strict=True)),
        confusion=tuple(tuple(row) for row in mine.confusion.tolist()),
        measures={
            name: tuple(float(each[name]) for each in mine.metrics)
            for name, value in mine.metrics[0].items()
            if isinstance(value, float) and name not in _STANDARD
        },
        published=dict(arm.published),
        difference=None,
        difference_interval=None,
        difference_bootstrap=None,
        verdict=None,
        seeds_needed=None,
        class_changes={},
        auc=dict(zip(classes, mine.means("auc"), strict=False)),
        macro_auc=auc,
        matched_accuracies=matched,
    )


def _weighed(lab: Lab, row: Row, weighed: Weighed) -> Row:
    """The row of an arm with its comparison to another arm, paired by seed."""
    found, classes = weighed.accuracy, lab.workspace.classes
    changes, auc_changes = (
        {classes[each.class_index]: (each.difference, each.p_holm) for each in found_changes}
        for found_changes in (weighed.recall, weighed.auc)
    )
    return replace(
        row,
        difference=found.difference,
        difference_interval=found.ci,
        difference_bootstrap=found.bootstrap,
        verdict=found.verdict,
        seeds_needed=found.seeds_needed,
        class_changes=changes,
        look=found.look,
        confidence=found.confidence,
        reservations=tuple(reservations(weighed)),
        difference_over_images=weighed.over_images,
        auc_change=weighed.macro_auc,
        auc_changes=auc_changes,
        matched_change=weighed.matched_accuracy,
    )


def _share(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval clipped to 0..1; None stays None."""
    return None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
