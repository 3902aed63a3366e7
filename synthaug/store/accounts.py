"""The accounts that may use the app over a network, and their open sessions."""

from __future__ import annotations

from dataclasses import dataclass

from synthaug.config import Role
from synthaug.errors import UnknownName, UserError
from synthaug.store.database import Database, now


@dataclass(frozen=True, slots=True)
class Account:
    """A person who logs in with a password; ``password_hash`` is an argon2 hash with its parameters and salt."""

    id: int
    name: str
    role: Role
    password_hash: str
    created_at: str


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One browser that is logged in with an account, or as owner with the start token (``account_id`` is None)."""

    id: int
    account_id: int | None
    name: str
    role: Role
    address: str
    created_at: str
    expires_at: str


SESSIONS = (
    "SELECT sessions.id, account_id, coalesce(accounts.name, sessions.name), coalesce(role, 'owner'),"
    " address, sessions.created_at, expires_at FROM sessions LEFT JOIN accounts ON accounts.id = account_id"
)


def add(db: Database, name: str, role: Role, password_hash: str) -> None:
    """Create an account. Raises UserError for a name that is taken; upper and lower case are not distinguished."""
    with db.transaction() as connection:
        if find(db, name) is not None:
            raise UserError(f"there is already an account {name!r}; choose another name")
        connection.execute(
            "INSERT INTO accounts (name, role, password_hash, created_at) VALUES (?, ?, ?, ?)",
            [name, role, password_hash, now()],
        )


def find(db: Database, name: str) -> Account | None:
    """The account with this name, or None."""
    row = db.one("SELECT id, name, role, password_hash, created_at FROM accounts WHERE name = ?", [name])
    return None if row is None else Account(*row)


def get(db: Database, name: str) -> Account:
    """The account with this name. Raises UnknownName."""
    account = find(db, name)
    if account is None:
        raise UnknownName("account", name, [each.name for each in all_accounts(db)])
    return account


def all_accounts(db: Database) -> list[Account]:
    """All accounts, ordered by name."""
    rows = db.query("SELECT id, name, role, password_hash, created_at FROM accounts ORDER BY name")
    return [Account(*row) for row in rows]


def remove(db: Database, account_id: int) -> None:
    """Remove an account and its sessions."""
    with db.transaction() as connection:
        connection.execute("DELETE FROM accounts WHERE id = ?", [account_id])


def set_password_hash(db: Database, account_id: int, password_hash: str) -> None:
    """Replace the password hash, and end all sessions of the account."""
    with db.transaction() as connection:
        connection.execute("UPDATE accounts SET password_hash = ? WHERE id = ?", [password_hash, account_id])
        connection.execute("DELETE FROM sessions WHERE account_id = ?", [account_id])


def start_session(
    db: Database, *, token_sha256: str, account_id: int | None, name: str, address: str, expires_at: str
) -> None:
    """Open a session, and remove those that have expired."""
    with db.transaction() as connection:
        connection.execute("DELETE FROM sessions WHERE expires_at <= ?", [now()])
        connection.execute(
            "INSERT INTO sessions (token_sha256, account_id, name, address, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [token_sha256, account_id, name, address, now(), expires_at],
        )


def find_session(db: Database, token_sha256: str) -> LoginSession | None:
    """The session of a token, or None if there is none or it has expired."""
    row = db.one(f"{SESSIONS} WHERE token_sha256 = ? AND expires_at > ?", [token_sha256, now()])
    return None if row is None else LoginSession(*row)


def open_sessions(db: Database) -> list[LoginSession]:
    """All sessions that have not expired, oldest first."""
    return [
        LoginSession(*row)
        for row in db.query(f"{SESSIONS} WHERE expires_at > ? ORDER BY sessions.id", [now()])
    ]


def end_session(db: Database, session_id: int) -> bool:
    """End a session; returns whether it existed."""
    with db.transaction() as connection:
        return connection.execute("DELETE FROM sessions WHERE id = ?", [session_id]).rowcount > 0
