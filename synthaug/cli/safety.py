"""Commands that protect a workspace: verify, backup and restore."""

from __future__ import annotations

from pathlib import Path

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, open_workspace, workspace_option
from synthaug.errors import UserError, WorkspaceDamaged
from synthaug.running.progress_bar import progress_bar

folder = click.Path(path_type=Path)


@command(cli, "verify")
@click.option(
    "--repair", is_flag=True, help="Repair the damage that can be repaired safely, and list the rest."
)
@click.option(
    "--from", "source", metavar="BACKUP", type=folder, help="Restore damaged files from this backup."
)
@workspace_option
def verify(repair: bool, source: Path | None, workspace_path: Path | None) -> Result:
    """Check images, models and the database for damage, or repair it.

    \b
      $ synthaug verify
      $ synthaug verify --repair --from /backups/work
    """
    from synthaug.stages.verify import verify as check

    workspace = open_workspace(workspace_path)
    if source is not None and not repair:
        raise UserError("--from BACKUP has an effect only with --repair; add --repair")
    if repair:
        return _repair(workspace_path, source)
    with progress_bar() as report:
        result = check(workspace, report)
    if result.problems:
        raise WorkspaceDamaged(workspace.root, result.problems)
    return {
        "images": result.images,
        "problems": [],
        "message": f"{result.images} images and the database are intact",
    }


def _repair(workspace_path: Path | None, source: Path | None) -> Result:
    from synthaug.stages.repair import repair

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        done = repair(workspace, source, report)
    for text in done.repaired:
        click.echo(f"repaired: {text}", err=True)
    if done.after.problems:
        raise WorkspaceDamaged(workspace.root, [*done.after.problems, *done.failed])
    return {
        "images": done.after.images,
        "problems": [],
        "repaired": list(done.repaired),
        "leftovers": done.leftovers,
        "message": f"{len(done.repaired)} problems repaired; {done.after.images} images and the database are intact",
    }


@command(cli, "backup")
@click.argument("destination", metavar="DEST", type=folder)
@workspace_option
def backup(destination: Path, workspace_path: Path | None) -> Result:
    """Back up the workspace, even while it is in use.

    Exports are left out. A repeated backup copies only new files.

    \b
      $ synthaug backup /backups/work
    """
    from synthaug.stages.backup import backup as run

    workspace = open_workspace(workspace_path)
    with progress_bar() as report:
        result = run(workspace, destination, report)
    if result.problems:
        raise WorkspaceDamaged(
            workspace.root, [f"{each} (the rest is backed up)" for each in result.problems]
        )
    return {
        "backup": str(destination),
        "images": result.images,
        "files": result.files,
        "copied": result.copied,
        "message": f"{result.files} files with {result.images} images in {destination}; {result.copied} files are new",
    }


@command(cli, "restore")
@click.argument("source", metavar="SRC", type=folder)
@click.argument("destination", metavar="DIR", type=folder)
def restore(source: Path, destination: Path) -> Result:
    """Create a new workspace from a backup and check every file.

    \b
      $ synthaug restore /backups/work work
    """
    from synthaug.stages.backup import restore as run
    from synthaug.store.catalog import count_images

    with progress_bar() as report:
        workspace = run(source, destination, report)
    images = count_images(workspace.db)
    return {
        "workspace": str(destination),
        "images": images,
        "message": f"Restored {destination} with {images} images from {source}",
    }
