"""The person behind a request, as the gate found them by the session cookie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

from fastapi import Request

from synthaug.config import Role
from synthaug.errors import UserError
from synthaug.stages.readers import Reader

from .roles import may

SCOPE = "synthaug.person"
"""Where the ASGI scope holds the person."""

SIGNED = "x-synthaug-person"
"""The header in which a page says whom it was opened by (percent-encoded)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in: the name that signs labels, and the session."""

    name: str
    role: Role
    session_id: int

    def may(self, least: Role) -> bool:
        """Whether the person's role is at least this one."""
        return may(self.role, least)


def person(request: Request) -> Person:
    """Who asks; the gate lets nobody pass without."""
    found = request.scope[SCOPE]
    assert isinstance(found, Person)  # noqa: S101 - only the gate writes it
    return found


def reader_of(found: Person) -> Reader:
    """The person as one of several readers of a queue."""
    return Reader(found.name, found.may("reviewer"))


def signer(request: Request) -> Person:
    """Who signs a label: whoever is logged in. Raises UserError where the page was opened by somebody else."""
    found = person(request)
    opened_by = request.headers.get(SIGNED)
    if opened_by is not None and unquote(opened_by) != found.name:
        raise UserError(
            f"{unquote(opened_by)[:100]!r} opened this page and {found.name!r} is logged in now; "
            f"log in as {unquote(opened_by)[:100]!r} to save these answers"
        )
    return found


def cookie_name(workspace: Path) -> str:
    """One for each workspace: a browser sends a host's cookies to all its ports."""
    return "synthaug-" + hashlib.sha256(str(workspace.resolve()).encode()).hexdigest()[:12]


def cookie(name: str, token: str, lasting: timedelta, *, secure: bool) -> str:
    """The Set-Cookie header of a session."""
    flags = "; Secure" if secure else ""
    return f"{name}={token}; Max-Age={int(lasting.total_seconds())}; Path=/; HttpOnly; SameSite=Lax{flags}"
