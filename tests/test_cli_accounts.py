"""Accounts from the command line, and the start that they decide about."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from synthaug.stages import accounts
from synthaug.workspace import Workspace

from .test_cli import Shell

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that the tests make


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in a workspace, with a password on stdin."""
    monkeypatch.setenv("SYNTHAUG_WORKSPACE", str(workspace.root))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    return Shell(capsys)


def test_an_account_is_made_listed_and_removed(shell: Shell, workspace: Workspace) -> None:
    made = shell.json("accounts", "add", "anna", "--role", "owner", "--password-stdin")
    assert made == {"name": "anna", "role": "owner"}
    found = accounts.authenticate(workspace, "Anna", PASSWORD)
    assert found is not None
    assert found.role == "owner"
    listed = shell.json("accounts", "list")["accounts"]
    assert isinstance(listed, list)
    assert [(each["name"], each["role"]) for each in listed] == [("anna", "owner")]
    assert "hash" not in str(listed)
    assert shell.json("accounts", "remove", "ANNA") == {"removed": "anna"}
    assert accounts.authenticate(workspace, "anna", PASSWORD) is None


def test_a_new_password_replaces_the_old_one(shell: Shell, workspace: Workspace) -> None:
    account = accounts.add(workspace, "anna", "annotator", "the old password")
    token = accounts.log_in(workspace, account, "10.0.0.1")
    shell.json("accounts", "password", "anna", "--password-stdin")
    assert accounts.authenticate(workspace, "anna", "the old password") is None
    assert accounts.authenticate(workspace, "anna", PASSWORD) is not None
    assert accounts.session(workspace, token) is None


def test_sessions_are_listed_and_ended(shell: Shell, workspace: Workspace) -> None:
    account = accounts.add(workspace, "anna", "annotator", PASSWORD)
    token = accounts.log_in(workspace, account, "10.0.0.1")
    (seen,) = shell.json("accounts", "sessions")["sessions"]  # type: ignore[misc]
    assert (seen["name"], seen["role"], seen["address"]) == ("anna", "annotator", "10.0.0.1")
    assert token not in str(seen)
    assert shell.json("accounts", "sessions", "--end", seen["id"]) == {"sessions": []}
    assert accounts.session(workspace, token) is None
    assert "session" in shell.error("accounts", "sessions", "--end", "7")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "synthaug", "--password-stdin"), "is reserved for automatic labels"),
        (("add", "x" * 101, "--password-stdin"), "1 to 100"),
        (("add", "ANNA", "--password-stdin"), "already"),
        (("add", "ben", "--role", "king", "--password-stdin"), "king"),
        (("remove", "ben"), "ben"),
        (("password", "ben", "--password-stdin"), "ben"),
    ],
)
def test_a_mistake_is_one_line(
    shell: Shell, workspace: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    accounts.add(workspace, "anna", "annotator", PASSWORD)
    assert words in shell.error("accounts", *arguments)


@pytest.mark.parametrize("typed", ["", "short\n", "x" * 1001 + "\n"])
def test_a_password_has_a_length(shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert "password" in shell.error("accounts", "add", "anna", "--password-stdin")


def test_the_app_opens_to_a_network_for_accounts_only(shell: Shell, workspace: Workspace) -> None:
    said = shell.error("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - refused
    assert "synthaug accounts add NAME --role owner" in said
    assert str(workspace.root) in said


def test_an_allowed_host_is_a_name(shell: Shell, tmp_path: Path) -> None:
    assert "host name" in shell.error("serve", "--allow-host", "http://lab", "--port", "0")
