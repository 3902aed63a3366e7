"""The experiment command, which repeats the experiments of papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, pairs, training_executor_options, workspace_option
from synthaug.errors import UserError
from synthaug.experiments import EXPERIMENTS
from synthaug.running.progress_bar import progress_bar

if TYPE_CHECKING:
    from synthaug.executors.base import ExecutorSpec
    from synthaug.experiments.base import Row, ScaleName
    from synthaug.experiments.report.page import Plotly


@command(cli, "experiment")
@click.argument("name", metavar="NAME", type=click.Choice(list(EXPERIMENTS)))
@click.option(
    "--scale",
    type=click.Choice(["smoke", "cpu", "full"]),
    default="smoke",
    show_default=True,
    help="smoke: less than a minute, with data from the package. cpu: less than two hours on two cores. "
    "full: as published, on a GPU.",
)
@click.option(
    "--data",
    metavar="SRC",
    help="Data to import: CIFAR-10 in any format that import reads, or your own images.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of the experiment; docs/experiments.md lists them.",
)
@click.option("--seeds", type=int, metavar="N", help="Training runs per arm. [default: by scale]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder to write the report to. [default: exports/ of the workspace]",
)
@click.option(
    "--plotly",
    type=click.Choice(["inline", "cdn", "none"]),
    default="inline",
    show_default=True,
    help="How the report draws its figures: inline (5 MB, opens offline), with code from a CDN, or none.",
)
@training_executor_options
@workspace_option
def experiment(
    name: str,
    scale: ScaleName,
    data: str | None,
    options: tuple[str, ...],
    seeds: int | None,
    executor: ExecutorSpec,
    output: Path | None,
    plotly: Plotly,
    workspace_path: Path | None,
) -> Result:
    """Repeat the experiment of a paper and write a report.

    An interrupted experiment resumes when the same command is run again.

    \b
      $ synthaug experiment imbalance-table --workspace work
      $ synthaug experiment long-tail --scale cpu --data cifar10/ --workspace work
    """
    from synthaug.experiments.run import run_experiment

    if workspace_path is None:
        raise UserError(
            "an experiment needs a workspace for its images and runs: --workspace DIR, created if missing"
        )
    with progress_bar() as report:
        result, written = run_experiment(
            name,
            workspace_path,
            scale,
            data=data,
            seeds=seeds,
            executor=executor,
            output=output,
            plotly=plotly,
            options=pairs("--option", options),
            report=report,
            say=lambda text: click.echo(text, err=True),
        )
    lines = [f"{result.title} ({result.scale})", *map(_line, result.rows), f"report: {written.html}"]
    return {
        "table": [_as_json(row) for row in result.rows],
        "report": str(written.html),
        "markdown": str(written.markdown),
        "message": "\n".join(lines),
    }


def _line(row: Row) -> str:
    """The accuracy of one arm and its difference from the baseline."""
    change = "" if row.difference is None else f", {100 * row.difference:+.2f} points: {row.verdict}"
    return f"  {row.title}: {100 * row.accuracy:.2f}%{change}"


def _as_json(row: Row) -> dict[str, object]:
    """The figures of one arm that --json prints; the report has all of them."""
    return {
        "arm": row.arm,
        "images": row.images,
        "accuracy": row.accuracy,
        "accuracies": list(row.accuracies),
        "per_class": dict(row.per_class),
        "difference": row.difference,
        "ci": None if row.difference_interval is None else list(row.difference_interval),
        "verdict": row.verdict,
    }
