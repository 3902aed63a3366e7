"""Commands that run the app or report on a workspace: serve, demo, status, jobs and doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import NotRequired, TypedDict

import click

from synthaug.cli import cli
from synthaug.cli.support import NamedPath, Result, command, open_workspace, run_job, workspace_option
from synthaug.config import DEFAULT_PORT, LOCAL_HOST, WORKSPACE_VARIABLE
from synthaug.running.progress_bar import progress_bar

host_option = click.option(
    "--host",
    default=LOCAL_HOST,
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on; 0.0.0.0 means every network and requires an account with the role owner.",
)
port_option = click.option(
    "--port", default=DEFAULT_PORT, show_default=True, metavar="PORT", help="Port to listen on."
)


@command(cli, "serve")
@host_option
@port_option
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    help="Accept requests for this host name as well, such as that of a proxy; may be repeated.",
)
@click.option(
    "--classes", metavar="A,B,...", help="Create the workspace with these classes if it does not exist."
)
@workspace_option
def serve(
    host: str, port: int, allow_hosts: tuple[str, ...], classes: str | None, workspace_path: Path | None
) -> Result:
    """Open the app on a workspace.

    Open the address that it prints in a browser. On this machine no login is needed; if the app listens to other
    machines, everybody has to log in.

    \b
      $ synthaug serve --port 7860
      $ synthaug serve --workspace hips --classes Big,Small
      $ synthaug accounts add anna --role owner
      $ synthaug serve --host 0.0.0.0
    """
    from synthaug_app.server import serve as run

    if classes is not None and workspace_path is not None:
        _create_if_missing(workspace_path, classes)
    workspace = open_workspace(workspace_path)
    run(workspace.root, host, port, allow_hosts=allow_hosts)
    return {"workspace": str(workspace.root), "host": host, "port": port}


def _create_if_missing(directory: Path, classes: str) -> None:
    """Create a workspace with these classes unless ``directory`` exists. Raises UserError, WorkspaceError."""
    from synthaug.workspace import Workspace

    if not directory.exists():
        Workspace.create(directory, [name.strip() for name in classes.split(",")]).db.close()


@command(cli, "demo")
@click.option(
    "--workspace",
    "-w",
    "directory",
    default="demo-workspace",
    show_default=True,
    metavar="DIR",
    type=NamedPath(),
    help="Workspace for the digits, created if missing; the cats are in DIR-cats.",
)
@click.option(
    "--only", type=click.Choice(["digits", "cats"]), help="Create only this one and open the app on it."
)
@click.option("--headless", is_flag=True, help="Run every step without the app and print the verdict.")
@click.option("--seeds", default=5, show_default=True, metavar="N", help="Training runs per side.")
@port_option
def demo(directory: Path, only: str | None, headless: bool, seeds: int, port: int) -> Result:
    """Create two example workspaces and open the app on the first.

    The first contains handwritten digits, the second generated cats.

    \b
      $ synthaug demo
      $ synthaug demo --only cats
      $ synthaug demo --headless
    """
    if not headless:
        from synthaug_app.server import bound_socket

        bound_socket(LOCAL_HOST, port).close()  # report a port in use now, not after a minute of work
    cats = directory.with_name(directory.name + "-cats")
    filled = [] if only == "cats" else [_fill_digits(directory, seeds)]
    filled += [] if only == "digits" else [_fill_cats(cats)]
    message = "\n".join(each["message"] for each in filled)
    result = {name: value for each in filled for name, value in each.items() if name != "message"}
    if headless:
        return {**result, "message": message}
    from synthaug_app.server import serve as run

    _say(message)  # print it before the app runs, not after it stops
    if only is None:
        _say(f"To see the cats: synthaug serve --workspace {cats}")
    run(cats if only == "cats" else directory, LOCAL_HOST, port)
    return result


class _Filled(TypedDict):
    """The result of filling one example workspace; ``message`` is for people, the rest for --json."""

    message: str
    # Of the digits:
    workspace: NotRequired[str]
    baseline: NotRequired[float]  # accuracy, 0..1
    augmented: NotRequired[float]
    difference: NotRequired[float]
    ci: NotRequired[list[float]]
    verdict: NotRequired[str]
    # Of the cats:
    cats: NotRequired[str]  # the workspace
    cats_generated: NotRequired[int]
    cats_confirmed: NotRequired[int]


def _say(text: str) -> None:
    click.echo(text, err=True)


def _fill_digits(directory: Path, seeds: int) -> _Filled:
    """Fill the workspace of the digits; returns the verdict."""
    from synthaug.stages.demo import fill

    with progress_bar() as report:
        _, evidence = fill(directory, seeds, report, _say)
    found = evidence[0]
    return {
        "workspace": str(directory),
        "baseline": found.baseline.accuracy,
        "augmented": found.augmented.accuracy,
        "difference": found.difference,
        "ci": list(found.ci),
        "verdict": found.verdict,
        "message": "\n".join(each.verdict_text for each in evidence),
    }


def _fill_cats(directory: Path) -> _Filled:
    """Fill the workspace of the cats; returns the number of confirmed cats."""
    from synthaug.reading.overview import overview
    from synthaug.stages.demo_cats import CLASS, fill_cats

    with progress_bar() as report:
        workspace = fill_cats(directory, report, _say)
    row = next(each for each in overview(workspace).classes if each.name == CLASS)
    message = f"Automatic labels confirm {row.accepted} of {row.synthetic} generated cats in {directory}"
    return {
        "cats": str(directory),
        "cats_generated": row.synthetic,
        "cats_confirmed": row.accepted,
        "message": message,
    }


@command(cli, "status")
@workspace_option
def status(workspace_path: Path | None) -> Result:
    """Show the number of images, labels, models, views and exports.

    \b
      $ synthaug status
    """
    from synthaug.reading.overview import overview

    figures = overview(open_workspace(workspace_path))
    lines = [
        f"{'class':<20}{'train':>8}{'test':>8}{'synthetic':>11}{'confirmed':>11}{'rejected':>10}{'to do':>8}"
    ]
    lines += [
        f"{row.name[:19]:<20}{row.train_real:>8}{row.test_real:>8}{row.synthetic:>11}"
        f"{row.accepted:>11}{row.rejected:>10}{row.unreviewed:>8}"
        for row in figures.classes
    ]
    kept = f"{len(figures.views)} views, {len(figures.models)} models, {len(figures.exports)} exports"
    lines.append(f"{figures.images} images, {kept}")
    return {**asdict(figures), "message": "\n".join(lines)}


@command(cli, "jobs")
@click.option(
    "--cancel", type=int, metavar="ID", help="Stop this job; the results that it has so far are kept."
)
@click.option("--resume", type=int, metavar="ID", help="Resume this job and run it to its end.")
@workspace_option
def jobs(cancel: int | None, resume: int | None, workspace_path: Path | None) -> Result:
    """List, stop or resume jobs.

    \b
      $ synthaug jobs
      $ synthaug jobs --resume 3
    """
    from synthaug.running.jobs import JobQueue

    workspace = open_workspace(workspace_path)
    queue = JobQueue(workspace)
    if cancel is not None:
        queue.get(cancel)
        queue.cancel(cancel)
    if resume is not None:
        queue.get(resume)
        queue.resume(resume)
        run_job(workspace, resume)
    listed = queue.list()
    lines = [
        f"{job.id:>5}  {job.kind:<9} {job.state:<10} {job.done}/{job.total}  {job.error or job.note}"
        for job in listed
    ]
    return {
        "jobs": [asdict(job) for job in listed],
        "message": "\n".join(lines) or "No jobs yet; synthaug generate creates one.",
    }


@command(cli, "doctor")
@workspace_option
def doctor(workspace_path: Path | None) -> Result:
    """Show versions, GPU and memory of this machine, and the embedded model.

    \b
      $ synthaug doctor
    """
    from synthaug.generators.folders import find_model
    from synthaug.running.environment import environment, memory_gib

    facts = {**environment(), "memory_gib": memory_gib(), "embedded_model": str(find_model("embedded").path)}
    if workspace_path is not None:
        facts["workspace"] = str(open_workspace(workspace_path).root)
    lines = [f"{key:<16}{value}" for key, value in facts.items() if key != "command"]
    if workspace_path is None:
        lines.append(f"No workspace is given; use --workspace DIR or set {WORKSPACE_VARIABLE}")
    return {**facts, "message": "\n".join(lines)}
