"""Middleware in front of every route that identifies the person and enforces the table of roles."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from synthaug.config import Role
from synthaug.errors import WorkspaceError
from synthaug.stages import accounts
from synthaug.stages.accounts import TOKEN_SESSION
from synthaug.workspace import Workspace

from ..answers import answer, refuse
from ..bodies import BODY
from . import roles
from .access import Access
from .pages import not_allowed_page
from .person import SCOPE, Person, cookie, cookie_name

TOKEN = "token"  # noqa: S105 - the name of the query parameter
UNREADABLE = "the body is not a valid function call"


class Gate:
    """ASGI middleware; ``functions`` maps the index of each Gradio function to its ``api_name``."""

    def __init__(
        self, app: ASGIApp, workspace: Workspace, access: Access, functions: Mapping[int, str]
    ) -> None:
        self.app = app
        self.workspace = workspace
        self.access = access
        self.functions = functions
        self.cookie = cookie_name(workspace.root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "there is nothing here"})
        elif roles.is_open(scope["method"], scope["path"]):
            await self.app(scope, receive, send)
        elif self.shows_start_token(scope):
            await self.start(scope, send)
        else:
            await self.check(scope, receive, send)

    async def check(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the person in its scope, or refuse it."""
        try:
            person = self.person(
                scope
            )  # not in a thread: it is one indexed read, and requests must keep their order
        except WorkspaceError as error:
            await refuse(send, 503, str(error))
            return
        if person is None:
            await self.ask_to_log_in(scope, send)
            return
        least = roles.least_role(scope["method"], scope["path"])
        if least is None:
            await refuse(send, 404, "there is nothing here")
        elif not person.may(least):
            await self.turn_away(scope, send, person, least)
        elif (reason := self.refused_call(scope, person)) is not None:
            await refuse(send, 403, reason)
        else:
            await self.app({**scope, SCOPE: person}, receive, send)

    def person(self, scope: Scope) -> Person | None:
        """The person of the session cookie. Sessions from a start token are valid on this machine only."""
        token = HTTPConnection(scope).cookies.get(self.cookie)
        session = accounts.session(self.workspace, token) if token else None
        if session is None or (session.account_id is None and self.access.start_token is None):
            return None
        return Person(session.name, session.role, session.id)

    def shows_start_token(self, scope: Scope) -> bool:
        """Whether a request for a page has the token printed at this start."""
        if self.access.start_token is None or scope["method"] != "GET" or not roles.is_page(scope["path"]):
            return False
        shown = dict(_query(scope)).get(TOKEN, "")
        return secrets.compare_digest(shown.encode(), self.access.start_token.encode())

    async def start(self, scope: Scope, send: Send) -> None:
        """Log in by the start token: set a cookie and redirect to the same URL without the token."""
        try:
            token = await run_in_threadpool(accounts.start_token_session, self.workspace, _address(scope))
        except WorkspaceError as error:
            await refuse(send, 503, str(error))
            return
        secure = scope["scheme"] == "https"
        headers = {
            "location": _here(scope),
            "set-cookie": cookie(self.cookie, token, TOKEN_SESSION, secure=secure),
            "cache-control": "no-store",
        }
        await answer(send, 303, b"", headers)

    async def ask_to_log_in(self, scope: Scope, send: Send) -> None:
        """Redirect pages to the log-in page; answer 401 to other requests."""
        if scope["method"] == "GET" and roles.is_page(scope["path"]):
            await answer(send, 303, b"", {"location": "/log-in?" + urlencode({"next": _here(scope)})})
        else:
            await refuse(send, 401, "you are not logged in; log in at /log-in in another tab")

    async def turn_away(self, scope: Scope, send: Send, person: Person, least: Role) -> None:
        """Redirect from the first page to that of the role; explain on other pages; answer 403 to other requests."""
        home = roles.HOME[person.role]
        if scope["method"] == "GET" and scope["path"] == "/":
            await answer(send, 303, b"", {"location": home})
        elif roles.is_page(scope["path"]):
            body = not_allowed_page(person, least, home, scope["path"]).encode()
            await answer(send, 403, body, {"content-type": "text/html; charset=utf-8"})
        else:
            await refuse(send, 403, f"this needs the role {least!r}; {person.name!r} is {person.role}")

    def refused_call(self, scope: Scope, person: Person) -> str | None:
        """Why a call of a Gradio function is refused; None if it may pass or is no such call."""
        if scope["path"] != roles.JOIN:
            return None
        try:
            index = json.loads(scope[BODY])["fn_index"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return UNREADABLE
        if type(index) is not int or index not in self.functions:
            return UNREADABLE
        name = self.functions[index]
        least = roles.FUNCTIONS.get(name, "owner")
        return (
            None
            if person.may(least)
            else f"{name} needs the role {least!r}; {person.name!r} is {person.role}"
        )


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _here(scope: Scope) -> str:
    """The path and query of a request without the start token."""
    rest = urlencode([(name, value) for name, value in _query(scope) if name != TOKEN])
    return quote(scope["path"]) + (f"?{rest}" if rest else "")


def _address(scope: Scope) -> str:
    return str(scope["client"][0]) if scope.get("client") else "unknown"
