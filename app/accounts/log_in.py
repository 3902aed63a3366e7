"""Routes for the log-in page, for logging out, and for who is logged in."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from synthaug.config import Role
from synthaug.errors import UnknownName
from synthaug.stages import accounts
from synthaug.stages.accounts import ACCOUNT_SESSION
from synthaug.workspace import Workspace

from .access import Access
from .attempts import Attempts
from .pages import FILES, log_in_page, page_file
from .person import Asking, cookie, cookie_name

LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # printable ASCII without a backslash, and not //host
WRONG = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class Me:
    """The person who is logged in; ``shared``: the workspace has accounts."""

    name: str
    role: Role
    shared: bool


class LogIn:
    """The log-in page and the check of a name with its password."""

    def __init__(self, workspace: Workspace, access: Access, attempts: Attempts) -> None:
        self.workspace = workspace
        self.local = access.start_token is not None
        self.attempts = attempts
        self.cookie = cookie_name(workspace.root)

    def page(self, status: int = 200, headers: dict[str, str] | None = None, **shown: str) -> Response:
        """The page with the form; ``shown`` fills it in."""
        found = bool(accounts.all_accounts(self.workspace))
        text = log_in_page(self.workspace.name, local=self.local, accounts=found, **shown)
        return HTMLResponse(text, status, headers)

    def check(self, request: Request, body: bytes) -> Response:
        """A redirect with a session cookie if the password is correct, or else the page with an error."""
        given = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        name, next_ = given.get("name", "").strip()[:100], local_path(given.get("next", "/"))
        address = request.client.host if request.client else "unknown"
        wait = self.attempts.begin(name, address)
        if wait:
            headers = {"retry-after": str(math.ceil(wait))}
            return self.page(429, headers, name=name, next_=next_, error=_too_many(wait))
        account = accounts.authenticate(self.workspace, name, given.get("password", ""))
        if account is None:
            return self.page(401, name=name, next_=next_, error=WRONG)
        self.attempts.succeeded(name, address)
        token = accounts.log_in(self.workspace, account, address)
        secure = request.url.scheme == "https"
        headers = {"set-cookie": cookie(self.cookie, token, ACCOUNT_SESSION, secure=secure)}
        return RedirectResponse(next_, 303, headers)


def log_in_router(workspace: Workspace, access: Access, attempts: Attempts) -> APIRouter:
    """The routes ``/log-in`` with its files, ``/log-out`` and ``/data/me``."""
    router = APIRouter()
    log_in = LogIn(workspace, access, attempts)

    @router.get("/log-in")
    def form(next: str = "/") -> Response:
        return log_in.page(next_=local_path(next))

    @router.post("/log-in")
    async def submit(request: Request) -> Response:
        return await run_in_threadpool(log_in.check, request, await request.body())

    @router.get("/log-in/{name}")
    def file(name: str) -> Response:
        if name not in FILES:
            raise UnknownName("file", name, FILES)
        return Response(page_file(name), media_type=FILES[name])

    @router.post("/log-out")
    def log_out(who: Asking) -> Response:
        accounts.end_session(workspace, who.session_id)
        gone = RedirectResponse("/log-in", 303)
        gone.delete_cookie(log_in.cookie, httponly=True, samesite="lax")
        return gone

    @router.get("/data/me")
    def me(who: Asking) -> Me:
        return Me(who.name, who.role, bool(accounts.all_accounts(workspace)))

    return router


def local_path(path: str) -> str:
    """The path to open after the log-in, if it belongs to this app, or else the first page."""
    return path if LOCAL_PATH.fullmatch(path) else "/"


def _too_many(wait: float) -> str:
    minutes = max(1, math.ceil(wait / 60))
    return f"Too many attempts. Try again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
