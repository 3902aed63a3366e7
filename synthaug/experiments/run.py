"""Running an experiment by name and writing its report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthaug.config import DATABASE_FILE
from synthaug.errors import UserError
from synthaug.executors import check_executor
from synthaug.executors.base import ExecutorSpec
from synthaug.experiments import load_experiment
from synthaug.experiments.base import Result, ScaleName
from synthaug.experiments.execute import carry_out
from synthaug.experiments.lab import Lab, Say
from synthaug.experiments.report import Written, write
from synthaug.experiments.report.page import Plotly
from synthaug.progress import Progress
from synthaug.workspace import Workspace


def run_experiment(
    name: str,
    root: Path,
    scale: ScaleName,
    *,
    data: str | None = None,
    seeds: int | None = None,
    executor: ExecutorSpec | None = None,
    output: Path | None = None,
    plotly: Plotly = "inline",
    options: Mapping[str, Any] | None = None,
    report: Progress = lambda done, total, note: None,
    say: Say = lambda text: None,
    should_cancel: Callable[[], bool] | None = None,
) -> tuple[Result, Written]:
    """Run an experiment in the workspace at ``root``, which is created if needed, and write its report.

    ``output`` is the folder of the report (default: exports/NAME-SCALE of the workspace). For ``plotly`` see
    :func:`synthaug.experiments.report.write`. Raises UserError for invalid settings, and Cancelled on request.
    """
    chosen_executor = _executor(executor or ExecutorSpec(), scale)
    check_executor(chosen_executor)
    chosen = dict(options or {}) | ({} if seeds is None else {"seeds": seeds})
    experiment = load_experiment(name, scale, data, **chosen)
    workspace = _workspace(root, experiment.preset)
    lab = Lab(workspace, report, say)
    result = carry_out(experiment, lab, scale, chosen_executor, should_cancel)
    directory = output or workspace.root / "exports" / f"{name}-{scale}"
    return result, write(result, directory, plotly)


def _executor(asked: ExecutorSpec, scale: ScaleName) -> ExecutorSpec:
    """Several workers of this machine are processes; by default one a core at the scale cpu, else none."""
    if asked.name != "serial":
        return asked
    many = (os.cpu_count() or 1 if scale == "cpu" else 1) if asked.workers is None else asked.workers
    return replace(asked, name="processes" if many > 1 else "serial", workers=many)


def _workspace(root: Path, preset: str | None) -> Workspace:
    if (root / DATABASE_FILE).exists():
        return Workspace.open(root)
    if preset is None:
        raise UserError(
            f"there is no workspace at {root}; create one with the classes of your data: "
            f"synthaug init {root} --classes a,b"
        )
    return Workspace.create(root, (), preset)
