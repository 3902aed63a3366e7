"""Carry an experiment out: prepare it, train every arm on every seed once, and weigh the arms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from synthaug.classifiers.recipes import Recipe
from synthaug.errors import Cancelled, UserError
from synthaug.experiments.base import Arm, Experiment, Plan, Result, Row, Run, ScaleName
from synthaug.experiments.lab import Lab
from synthaug.measures.evidence import mean_interval, paired_comparison, per_class_changes
from synthaug.stages.run_cache import Trainer, recipe_key
from synthaug.store import runs, views
from synthaug.workspace import Workspace

_STANDARD = {"accuracy", "train_images", "test_images", "seconds"}
"""Numbers among a run's metrics that have a place of their own in a row."""


def carry_out(
    experiment: Experiment,
    lab: Lab,
    scale: ScaleName,
    workers: int = 1,
    should_cancel: Callable[[], bool] | None = None,
) -> Result:
    """Do what was not done yet, and return the whole. ``workers``: processes that train, one run each.

    Raises UserError for plans that cannot be carried out, and Cancelled; finished runs are kept in either case.
    """
    plan = experiment.prepare(lab)
    _check(plan)
    found = _train(plan, lab, workers, should_cancel or (lambda: False))
    rows = tuple(_row(lab, plan, arm, found) for arm in plan.arms)
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
    )


def _check(plan: Plan) -> None:
    names = [arm.name for arm in plan.arms]
    if len(set(names)) < len(names) or plan.baseline not in names:
        raise ValueError(f"arms need different names, one of them the baseline {plan.baseline!r}: {names}")
    if plan.seeds < 1:
        raise UserError(
            f"the number of seeds is {plan.seeds}; it must be at least 1, and 5 or more for evidence"
        )


def _train(
    plan: Plan, lab: Lab, workers: int, should_cancel: Callable[[], bool]
) -> dict[str, list[runs.Run]]:
    """Every arm's runs, in the order of the seeds. A seed of all arms comes before the next: it can be read early."""
    trainer = Trainer(lab.workspace)
    wanted = [(arm, seed) for seed in range(plan.seeds) for arm in plan.arms]
    missing = [(arm, seed) for arm, seed in wanted if trainer.find(_view(lab, arm), arm.recipe, seed) is None]
    done = len(wanted) - len(missing)
    if done:
        lab.say(f"{done} of {len(wanted)} runs were finished before")
    carried = _in_processes(lab, missing, workers) if workers > 1 and plan.train is None else None
    for arm, seed, run in carried or _here(plan, lab, trainer, missing, should_cancel):
        done += 1
        lab.say(
            f"run {done} of {len(wanted)}: {arm.title}, seed {seed}: {100 * run.metrics['accuracy']:.2f}%"
        )
    return {
        arm.name: [_found(trainer, _view(lab, arm), arm.recipe, seed) for seed in range(plan.seeds)]
        for arm in plan.arms
    }


def _here(
    plan: Plan,
    lab: Lab,
    trainer: Trainer,
    missing: Sequence[tuple[Arm, int]],
    should_cancel: Callable[[], bool],
) -> Iterator[tuple[Arm, int, runs.Run]]:
    """Train one after another in this process."""
    for arm, seed in missing:
        view = _view(lab, arm)
        if should_cancel():
            raise Cancelled("stopped on request; finished runs are kept, and the same command goes on")
        if plan.train is not None:
            yield arm, seed, trainer.record(view, arm.recipe, seed, plan.train(arm, seed))
            continue

        def report(epoch: Mapping[str, Any], title: str = f"{arm.title}, seed {seed}") -> None:
            lab.report(epoch["epoch"], epoch["epochs"], title)

        yield (
            arm,
            seed,
            trainer.run(
                view, arm.recipe, seed, keep_weights=seed == 0, progress=report, should_cancel=should_cancel
            ),
        )


def _in_processes(
    lab: Lab, missing: Sequence[tuple[Arm, int]], workers: int
) -> Iterator[tuple[Arm, int, runs.Run]]:
    """Train ``workers`` runs at a time, each in a process of its own; in the order in which they end."""
    root = lab.workspace.root
    with ProcessPoolExecutor(min(workers, len(missing)) or 1, mp_context=get_context("spawn")) as pool:
        futures = {
            pool.submit(train_one, root, arm.view, arm.recipe, seed): (arm, seed) for arm, seed in missing
        }
        try:
            for future in as_completed(futures):
                yield (*futures[future], future.result())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def train_one(root: Path, view: str, recipe: Recipe, seed: int) -> runs.Run:
    """One run of a workspace, in whatever process this is."""
    trainer = _trainer(root)
    return trainer.run(views.by_name(trainer.workspace.db, view), recipe, seed, keep_weights=seed == 0)


@lru_cache(maxsize=1)
def _trainer(root: Path) -> Trainer:
    """The trainer of a process, which keeps the test images."""
    return Trainer(Workspace.open(root))


def _view(lab: Lab, arm: Arm) -> views.View:
    return views.by_name(lab.workspace.db, arm.view)


def _found(trainer: Trainer, view: views.View, recipe: Recipe, seed: int) -> runs.Run:
    run = trainer.find(view, recipe, seed)
    assert run is not None  # noqa: S101 (trained just now)
    return run


def _row(lab: Lab, plan: Plan, arm: Arm, found: Mapping[str, Sequence[runs.Run]]) -> Row:
    """One arm beside the baseline."""
    mine, theirs = ([run.metrics for run in found[name]] for name in (arm.name, plan.baseline))
    classes = lab.workspace.classes
    accuracies = tuple(float(each["accuracy"]) for each in mine)
    counts = lab.counts(arm.view)
    per_class = _per_class(mine)
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
        per_class={
            name: None if np.isnan(column).all() else float(column.mean())
            for name, column in zip(classes, per_class.T, strict=True)
        },
        confusion=tuple(tuple(map(int, row)) for row in np.sum([each["confusion"] for each in mine], axis=0)),
        measures={
            name: tuple(float(each[name]) for each in mine)
            for name, value in mine[0].items()
            if isinstance(value, float) and name not in _STANDARD
        },
        published=dict(arm.published),
        **(_unweighed() if arm.name == plan.baseline else _weighed(classes, theirs, mine)),
    )


def _unweighed() -> dict[str, Any]:
    return {
        "difference": None,
        "difference_interval": None,
        "difference_bootstrap": None,
        "verdict": None,
        "seeds_needed": None,
        "class_changes": {},
    }


def _weighed(
    classes: Sequence[str], baseline: Sequence[Mapping[str, Any]], mine: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """How an arm compares with the baseline, run by run of the same seed."""
    evidence = paired_comparison(
        [each["accuracy"] for each in baseline],
        [each["accuracy"] for each in mine],
        resolution=1 / int(np.sum(mine[0]["confusion"])),
    )
    changes = per_class_changes(_per_class(baseline), _per_class(mine))
    return {
        "difference": evidence.difference,
        "difference_interval": evidence.ci,
        "difference_bootstrap": evidence.bootstrap,
        "verdict": evidence.verdict,
        "seeds_needed": evidence.seeds_needed,
        "class_changes": {classes[each.class_index]: (each.difference, each.p_holm) for each in changes},
    }


def _per_class(metrics: Sequence[Mapping[str, Any]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Recall (runs, classes); NaN for a class without test images."""
    return np.array([each["per_class"] for each in metrics], np.float64)


def _share(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    """An interval of a share ends at 0 and 1."""
    return None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
