"""The compare command, which reports whether the synthetic images helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, open_workspace, training_executor_options, workspace_option
from synthaug.running.progress_bar import by_run, progress_bar

if TYPE_CHECKING:
    from synthaug.executors.base import ExecutorSpec
    from synthaug.stages.compare import Comparison

    _Row = tuple[str, float | None, float | None, float | None, tuple[float, float]]
    """A name, the values of both views, their difference and its interval, all as shares."""


@command(cli, "compare")
@click.option("--baseline", required=True, metavar="VIEW", help="View without the synthetic images.")
@click.option("--augmented", required=True, metavar="VIEW", help="View with the synthetic images.")
@click.option(
    "--seeds",
    default=5,
    show_default=True,
    metavar="N",
    help="Training runs per view, each with its own seed.",
)
@click.option("--recipe", metavar="R", help="Training recipe. [default: by the preset or the images]")
@click.option("--epochs", type=int, metavar="N", help="Training epochs. [default: the recipe's]")
@click.option(
    "--equal-steps", is_flag=True, help="Train on both views for as many steps as the larger view needs."
)
@click.option(
    "--smallest-effect",
    default=0.5,
    show_default=True,
    metavar="POINTS",
    help="Smallest difference in accuracy that matters, in percentage points.",
)
@training_executor_options
@workspace_option
def compare(
    baseline: str,
    augmented: str,
    seeds: int,
    recipe: str | None,
    epochs: int | None,
    equal_steps: bool,
    smallest_effect: float,
    executor: ExecutorSpec,
    workspace_path: Path | None,
) -> Result:
    """Train on two views and report whether the synthetic images helped.

    Classifiers are trained on both views with the same seeds and tested on the same real images. The report has the
    difference of their accuracies, its confidence interval and a verdict.

    \b
      $ synthaug compare --baseline imbalanced --augmented augmented --seeds 5
    """
    from synthaug.stages.compare import compare as stage

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        found = stage(
            workspace,
            baseline,
            augmented,
            seeds,
            recipe,
            by_run(report),
            epochs=epochs,
            equal_steps=equal_steps,
            smallest_effect=smallest_effect / 100,
            executor=executor,
        )
    lines = [found.verdict_text, *_figures(found), f"Test set {found.test_fingerprint[:12]}."]
    return {**_as_json(found, workspace.classes), "message": "\n".join(lines)}


def _as_json(found: Comparison, classes: Sequence[str]) -> dict[str, object]:
    """The figures that --json prints, with the areas under the curve by class name."""
    areas = zip(classes, found.baseline.auc, found.augmented.auc, strict=False)
    return {
        "baseline": found.baseline.accuracy,
        "augmented": found.augmented.accuracy,
        "difference": found.difference,
        "ci": list(found.ci),
        "ci_images": list(found.ci_images or ()),
        "bootstrap": list(found.bootstrap or ()),
        "confidence": found.confidence,
        "look": found.look,
        "smallest_effect": found.smallest_effect,
        "verdict": found.verdict,
        "seeds": len(found.seeds),
        "matched_accuracy": None if found.matched_accuracy is None else asdict(found.matched_accuracy),
        "macro_auc": None if found.macro_auc is None else asdict(found.macro_auc),
        "auc": {name: [before, after] for name, before, after in areas},
        "mcnemar": [asdict(each) for each in found.mcnemar],
        "test_fingerprint": found.test_fingerprint,
    }


def _figures(found: Comparison) -> list[str]:
    """The lines of the table below the verdict: accuracy, prior-matched accuracy and macro AUC."""
    rows: list[_Row] = [
        ("accuracy", found.baseline.accuracy, found.augmented.accuracy, found.difference, found.ci)
    ]
    if found.ci_images is not None:
        rows.append(("  for other test images as well", None, None, None, found.ci_images))
    for name, each in (
        ("accuracy, class prior matched", found.matched_accuracy),
        ("macro AUC", found.macro_auc),
    ):
        if each is not None and each.ci is not None:
            rows.append((name, each.baseline_mean, each.augmented_mean, each.difference, each.ci))
    head = f"{'%':<32}{'baseline':>10}{'augmented':>11}{'change':>9}   {100 * found.confidence:.4g}% interval"
    return [head, *map(_figures_row, rows)]


def _figures_row(row: _Row) -> str:
    name, *figures, ci = row
    before, after, change = ("" if each is None else f"{100 * each:.2f}" for each in figures)
    moved = change if change.startswith("-") or not change else f"+{change}"
    return f"{name:<32}{before:>10}{after:>11}{moved:>9}   {100 * ci[0]:+.2f} to {100 * ci[1]:+.2f}"
