"""Shared parts of the commands: the workspace option, ``--json``, template and executor options, job progress."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synthaug.config import LARGEST_SEED, WORKSPACE_VARIABLE
from synthaug.errors import UserError, WorkspaceError
from synthaug.running.progress_bar import progress_bar

if TYPE_CHECKING:
    from synthaug.records import Job
    from synthaug.workspace import Workspace


class WholeNumber(click.ParamType[int]):
    """An integer in a range that the database, numpy and torch can all store."""

    name = "integer"

    def __init__(self, lowest: int, highest: int) -> None:
        self.lowest, self.highest = lowest, highest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Raises a usage error for anything else."""
        number = click.INT.convert(value, param, ctx)
        if not self.lowest <= number <= self.highest:
            self.fail(f"{str(value)[:40]} is not in the range {self.lowest} .. {self.highest}.", param, ctx)
        return int(number)


NUMBER = WholeNumber(-LARGEST_SEED, LARGEST_SEED)
"""For ids and counts; the stages check which values make sense."""

SEED = WholeNumber(0, LARGEST_SEED)


class NamedPath(click.Path):
    """A path that ends in a name, so that files can be created beside it: not "", "." or "/"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises a usage error for one without a name."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.name or path.name == "..":
            self.fail(f"{value!r} does not end in a name; give a new file or folder.", param, ctx)
        return path


reason_option = click.option(
    "--reason", required=True, metavar="TEXT", help="Reason for the correction, recorded in the label log."
)


def fingerprint_change(before: str, after: str) -> str:
    """What a correction of test images did to the fingerprint of the test set."""
    return f"the fingerprint of the test set changed from {before[:12]} to {after[:12]}"


Result = Mapping[str, Any]
"""The result of a command: its JSON keys, and under ``message`` the text to print without ``--json``."""


def command(group: click.Group, name: str) -> Callable[[Callable[..., Result]], click.Command]:
    """A decorator that registers a command whose function returns a :data:`Result`."""

    def register(function: Callable[..., Result]) -> click.Command:
        @functools.wraps(function)
        def wrapped(as_json: bool, **arguments: Any) -> None:
            result = dict(function(**arguments))
            message = result.pop("message", None)
            if as_json:
                click.echo(json.dumps(result, ensure_ascii=False))
            elif message is not None:
                click.echo(message)

        option = click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON object as the last line of stdout."
        )
        decorated: click.Command = group.command(name)(option(wrapped))
        for parameter in decorated.params:
            if parameter.type is click.INT:
                parameter.type = SEED if parameter.name == "seed" else NUMBER
        return decorated

    return register


workspace_option = click.option(
    "--workspace",
    "-w",
    "workspace_path",
    envvar=WORKSPACE_VARIABLE,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Workspace to use. [default: ${WORKSPACE_VARIABLE}]",
)


def template_options(function: Callable[..., Result]) -> Callable[..., Result]:
    """Add the options for drawing prompts from a template."""
    for option in (
        click.option(
            "--seed",
            default=0,
            show_default=True,
            metavar="S",
            help="Random seed; the same seed gives the same prompts and images.",
        ),
        click.option(
            "--stratify",
            metavar="SLOT",
            help="Use every value of this slot equally often; choice1 is the first {...}.",
        ),
        click.option(
            "--duplicates",
            type=click.Choice(["keep", "skip"]),
            default="keep",
            show_default=True,
            help="A prompt that the template gives several times is used several times (keep) or once (skip).",
        ),
        click.option(
            "--slot",
            multiple=True,
            metavar="NAME=FILE|a,b,c",
            help="Values of a slot: a word-list file, or a comma-separated list.",
        ),
    ):
        function = option(function)
    return function


def executor_options(function: Callable[..., Result]) -> Callable[..., Result]:
    """Add the options of executors; the function receives them as ``executor``, an ExecutorSpec."""
    shard_size = click.option(
        "--shard-size", type=int, metavar="N", help="Images per shard. [default: by the size of the job]"
    )
    return shard_size(training_executor_options(function))


def training_executor_options(function: Callable[..., Result]) -> Callable[..., Result]:
    """Add the options of executors without ``--shard-size``, because each training run is a shard."""

    @functools.wraps(function)
    def wrapped(
        executor: str,
        workers: int | None,
        address: str,
        shards: str,
        shard_size: int | None = None,
        **arguments: Any,
    ) -> Result:
        from synthaug.executors.base import ExecutorSpec

        spec = ExecutorSpec(executor, workers, address, shards, shard_size)
        return function(executor=spec, **arguments)

    decorated: Callable[..., Result] = wrapped
    for option in EXECUTOR_OPTIONS:
        decorated = option(decorated)
    return decorated


EXECUTOR_OPTIONS = (
    click.option(
        "--shards",
        default="",
        metavar="DIR|URL",
        help="Folder for the shards of the job, which all workers must be able to reach under this name. "
        "[default: in the workspace]",
    ),
    click.option(
        "--address",
        default="",
        metavar="HOST:PORT|auto|local",
        help="Address of the Ray cluster; local starts one on this machine.",
    ),
    click.option(
        "--workers",
        type=int,
        metavar="N",
        help="Number of workers. [default: one per core; with ray one per GPU, or else per core]",
    ),
    click.option(
        "--executor",
        type=click.Choice(["serial", "processes", "ray"]),
        default="serial",
        show_default=True,
        help="Where the work is done. serial: in this process. processes: in several on this machine. ray: on a "
        "Ray cluster.",
    ),
)


def open_workspace(path: Path | None) -> Workspace:
    """Open the workspace of a command. Raises WorkspaceError."""
    if path is None:
        raise WorkspaceError(f"no workspace is given; use --workspace DIR or set {WORKSPACE_VARIABLE}")
    from synthaug.workspace import Workspace

    return Workspace.open(path)


def run_job(workspace: Workspace, job_id: int) -> Job:
    """Run a queued job, or wait for the process that runs it, with a progress bar. Raises UserError if it fails."""
    from synthaug.running.jobs import run_to_end
    from synthaug.stages.handlers import HANDLERS

    with progress_bar() as report:
        job = run_to_end(workspace, job_id, HANDLERS, report)
    if job.state == "failed":
        raise UserError(f"job {job.id} failed: {job.error}")
    if job.state == "cancelled":
        raise UserError(
            f"job {job.id} was cancelled after {job.done} of {job.total}; resume it: synthaug jobs --resume {job.id}"
        )
    return job


def pairs(option: str, values: Sequence[str]) -> dict[str, str]:
    """Parse ``NAME=VALUE`` options to a dict. Raises UserError."""
    found: dict[str, str] = {}
    for value in values:
        name, separator, rest = value.rpartition("=")
        if not separator or not name:
            raise UserError(f"{option} {value!r} does not have the form NAME=VALUE")
        found[name] = rest
    return found


def count_pairs(option: str, values: Sequence[str]) -> dict[str, int]:
    """Parse ``CLASS=COUNT`` options to a dict. Raises UserError."""
    found: dict[str, int] = {}
    for name, value in pairs(option, values).items():
        if not value.isdecimal():
            raise UserError(f"{option} {name}={value}: {value!r} is not a number of images")
        found[name] = int(value)
    return found
