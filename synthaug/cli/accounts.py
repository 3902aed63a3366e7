"""Commands for accounts, which control who may use the app over a network."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from synthaug.cli import cli
from synthaug.cli.support import Result, command, open_workspace, workspace_option
from synthaug.config import ROLES
from synthaug.errors import UserError

stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin instead of asking."
)


@cli.group("accounts")
def group() -> None:
    """Manage the accounts of the app.

    Accounts are required when the app listens to other machines.

    \b
      $ synthaug accounts add anna --role owner
    """


@command(group, "add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="annotator",
    show_default=True,
    help="annotator: may label images. reviewer: may also see the map, statistics and exports. owner: may do all.",
)
@stdin_option
@workspace_option
def add(name: str, role: str, password_stdin: bool, workspace_path: Path | None) -> Result:
    """Add an account.

    \b
      $ synthaug accounts add anna --role owner
    """
    from synthaug.stages import accounts

    workspace = open_workspace(workspace_path)
    accounts.check_name(name)
    made = accounts.add(workspace, name, role, _password(password_stdin))
    return {"name": made.name, "role": made.role, "message": f"{made.name} can log in as {made.role}"}


@command(group, "list")
@workspace_option
def list_(workspace_path: Path | None) -> Result:
    """List the accounts.

    \b
      $ synthaug accounts list
    """
    from synthaug.store import accounts

    found = accounts.all_accounts(open_workspace(workspace_path).db)
    rows = [{"name": each.name, "role": each.role, "created_at": each.created_at} for each in found]
    lines = [f"{each.name:<30}{each.role:<12}since {each.created_at[:10]}" for each in found]
    empty = "No accounts; add one with: synthaug accounts add NAME --role owner"
    return {"accounts": rows, "message": "\n".join(lines) or empty}


@command(group, "remove")
@click.argument("name")
@workspace_option
def remove(name: str, workspace_path: Path | None) -> Result:
    """Remove an account and end its sessions; its labels are kept.

    \b
      $ synthaug accounts remove anna
    """
    from synthaug.stages import accounts

    gone = accounts.remove(open_workspace(workspace_path), name)
    return {"removed": gone.name, "message": f"{gone.name} can no longer log in"}


@command(group, "password")
@click.argument("name")
@stdin_option
@workspace_option
def password(name: str, password_stdin: bool, workspace_path: Path | None) -> Result:
    """Set a new password for an account, and end its sessions.

    \b
      $ synthaug accounts password anna
    """
    from synthaug.stages import accounts
    from synthaug.store import accounts as stored

    workspace = open_workspace(workspace_path)
    stored.get(workspace.db, name)
    changed = accounts.set_password(workspace, name, _password(password_stdin))
    return {"name": changed.name, "message": f"{changed.name} has a new password"}


@command(group, "sessions")
@click.option("--end", type=int, metavar="ID", help="End the session with this id.")
@workspace_option
def sessions(end: int | None, workspace_path: Path | None) -> Result:
    """List the open sessions, or end one.

    \b
      $ synthaug accounts sessions
      $ synthaug accounts sessions --end 3
    """
    from synthaug.stages import accounts
    from synthaug.store import accounts as stored

    workspace = open_workspace(workspace_path)
    if end is not None:
        accounts.end_session(workspace, end)
    rows = [
        {"id": each.id, "name": each.name, "role": each.role, "address": each.address}
        | {"started_at": each.created_at, "expires_at": each.expires_at}
        for each in stored.open_sessions(workspace.db)
    ]
    lines = [
        f"{row['id']:>5}  {row['name']:<24}{row['role']:<12}{row['address']:<18}until {row['expires_at']}"
        for row in rows
    ]
    return {"sessions": rows, "message": "\n".join(lines) or "Nobody is logged in."}


def _password(from_stdin: bool) -> str:
    """The password, typed twice at a terminal or read from the first line of stdin. Raises UserError."""
    if from_stdin:
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise UserError("stdin contains no password; write it on the first line")
        return line
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
