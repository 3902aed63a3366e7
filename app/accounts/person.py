"""The person behind a request, whom the gate identified by the session cookie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request

from synthaug.config import Role
from synthaug.errors import UserError
from synthaug.stages.readers import Reader

from .roles import may

SCOPE = "synthaug.person"
"""Key of the ASGI scope under which the person is stored."""

SIGNED = "x-synthaug-person"
"""The header in which a page sends the name of the person who opened it (percent-encoded)."""


@dataclass(frozen=True, slots=True)
class Person:
    """The person who is logged in: the name that signs labels, the role and the session."""

    name: str
    role: Role
    session_id: int

    def may(self, least: Role) -> bool:
        """Whether the person's role is at least this one."""
        return may(self.role, least)


def person(request: Request) -> Person:
    """The person behind a request; the gate lets no request pass without one."""
    found = request.scope[SCOPE]
    assert isinstance(found, Person)  # noqa: S101 - only the gate writes it
    return found


def reader_of(found: Person) -> Reader:
    """The person as one of several readers of a queue."""
    return Reader(found.name, found.may("reviewer"))


def signer(request: Request) -> Person:
    """The person who signs a label. Raises UserError if somebody else opened the page."""
    found = person(request)
    opened_by = request.headers.get(SIGNED)
    if opened_by is not None and unquote(opened_by) != found.name:
        raise UserError(
            f"{unquote(opened_by)[:100]!r} opened this page, but {found.name!r} is now logged in; "
            f"log in as {unquote(opened_by)[:100]!r} to save these labels"
        )
    return found


Asking = Annotated[Person, Depends(person)]
"""The parameter of a route that needs to know who asks."""

Signer = Annotated[Person, Depends(signer)]
"""The parameter of a route that signs with the person's name."""


def cookie_name(workspace: Path) -> str:
    """The name of the session cookie, one per workspace, because browsers send cookies to all ports of a host."""
    return "synthaug-" + hashlib.sha256(str(workspace.resolve()).encode()).hexdigest()[:12]


def cookie(name: str, token: str, lasting: timedelta, *, secure: bool) -> str:
    """The Set-Cookie header value of a session."""
    flags = "; Secure" if secure else ""
    return f"{name}={token}; Max-Age={int(lasting.total_seconds())}; Path=/; HttpOnly; SameSite=Lax{flags}"
