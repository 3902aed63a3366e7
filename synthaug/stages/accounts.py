"""Accounts, passwords and sessions of the app of a workspace.

Passwords are stored as argon2id hashes and session tokens as SHA-256, so that nobody can log in with a copied database.
"""

from __future__ import annotations

import getpass
import hashlib
import secrets
import threading
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from synthaug import names
from synthaug.config import ROLES, Role
from synthaug.errors import UnknownName, UserError
from synthaug.stages.label import AUTOMATIC
from synthaug.store import accounts
from synthaug.store.accounts import Account, LoginSession
from synthaug.store.database import timestamp
from synthaug.workspace import Workspace

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_PASSWORD, MAX_PASSWORD = 10, 1000
AT_ONCE = 2  # concurrent password checks, of which each needs 64 MiB
ACCOUNT_SESSION = timedelta(hours=12)  # a working day
TOKEN_SESSION = timedelta(days=30)

_CHECKING = threading.BoundedSemaphore(AT_ONCE)


def add(workspace: Workspace, name: str, role: str, password: str) -> Account:
    """Create an account. Raises UserError."""
    checked = check_name(name)
    accounts.add(workspace.db, checked, check_role(role), hash_password(password))
    return accounts.get(workspace.db, checked)


def remove(workspace: Workspace, name: str) -> Account:
    """Remove an account and its sessions; its labels are kept. Raises UnknownName."""
    account = accounts.get(workspace.db, name)
    accounts.remove(workspace.db, account.id)
    return account


def set_password(workspace: Workspace, name: str, password: str) -> Account:
    """Change the password, and end all sessions of the account. Raises UserError."""
    account = accounts.get(workspace.db, name)
    accounts.set_password_hash(workspace.db, account.id, hash_password(password))
    return account


def has_owner(workspace: Workspace) -> bool:
    """Whether there is an account with the role owner."""
    return any(each.role == "owner" for each in accounts.all_accounts(workspace.db))


def authenticate(workspace: Workspace, name: str, password: str) -> Account | None:
    """The account if the password is correct, or None. An unknown name takes as long as a wrong password."""
    from argon2.exceptions import VerifyMismatchError

    account = accounts.find(workspace.db, unicodedata.normalize("NFC", name.strip()))
    known = _hash_of_nobody() if account is None else account.password_hash
    try:
        with _CHECKING:
            _hasher().verify(known, password)
    except VerifyMismatchError:
        return None
    return account


def log_in(workspace: Workspace, account: Account, address: str) -> str:
    """Open a session for an account; returns its token, which is stored only in the cookie of the browser."""
    return _start(workspace, account.id, account.name, address, ACCOUNT_SESSION)


def start_token_session(workspace: Workspace, address: str) -> str:
    """Open a session as owner for a holder of the start token, with the name of the user of this machine."""
    return _start(workspace, None, machine_user(), address, TOKEN_SESSION)


def session(workspace: Workspace, token: str) -> LoginSession | None:
    """The open session of a token, or None."""
    return accounts.find_session(workspace.db, _digest(token))


def all_accounts(workspace: Workspace) -> list[Account]:
    """All accounts, ordered by name."""
    return accounts.all_accounts(workspace.db)


def end_session(workspace: Workspace, session_id: int) -> None:
    """End a session. Raises UnknownName."""
    if not accounts.end_session(workspace.db, session_id):
        known = [str(each.id) for each in accounts.open_sessions(workspace.db)]
        raise UnknownName("session", str(session_id), known)


def check_name(name: str) -> str:
    """The normalised name. Raises UserError for an empty, overlong or unprintable one, and for the name of synthaug."""
    kept = names.check_name(name, "an account")
    if kept.casefold() == AUTOMATIC:
        raise UserError(f"the name {kept!r} is reserved for automatic labels; choose another")
    return kept


def check_role(role: str) -> Role:
    """The role with this name. Raises UnknownName."""
    for known in ROLES:
        if role == known:
            return known
    raise UnknownName("role", role, ROLES)


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters. Raises UserError for an unsuitable length."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UserError(
            f"the password has {len(password)} characters; it must have {MIN_PASSWORD} to {MAX_PASSWORD}"
        )
    return _hasher().hash(password)


def machine_user() -> str:
    """The name of the user of this machine; "me" if it is unknown."""
    try:
        return check_name(getpass.getuser())
    except (OSError, KeyError, UserError):
        return "me"


def _start(workspace: Workspace, account_id: int | None, name: str, address: str, lasting: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    end = timestamp(datetime.now(UTC) + lasting)
    accounts.start_session(
        workspace.db,
        token_sha256=_digest(token),
        account_id=account_id,
        name=name,
        address=address,
        expires_at=end,
    )
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()  # second recommended option of RFC 9106: argon2id, 64 MiB, 3 passes


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))
