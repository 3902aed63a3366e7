"""Who may talk to the app: only its own pages may change anything, and only under its own host names."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .accounts.access import Access
from .answers import refuse

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", re.IGNORECASE)


class OriginGuard:
    """ASGI middleware: refuses cross-site writes (CSRF) and foreign host names (DNS rebinding).

    A client that is not a browser sends neither Origin nor Sec-Fetch-Site and is let through.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        refusal = self.refusal(scope.get("method", "WEBSOCKET"), Headers(scope=scope))
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await refuse(send, *refusal)

    def refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """The status and the reason of a refusal; None when a request may pass."""
        host = headers.get("host", "")
        name = host_name(host)
        if name is None:
            return 400, f"{host[:100]!r} is no host name"
        if not self.access.answers_to(name):
            return (
                403,
                f"this app does not answer to the host name {name!r}; its owner can: --allow-host {name}",
            )
        if method in SAFE_METHODS:
            return None
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return 403, "a page of another site may not change anything here"
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host.lower():
            return 403, f"a page of {origin[:100]} may not change anything here"
        return None


def host_name(host: str) -> str | None:
    """The name in a Host header in lower case, without the port and an IPv6 address's brackets; None: malformed."""
    match = HOST.fullmatch(host)
    return (match[1] or match[2]).lower() if match else None


def _place(origin: str) -> str | None:
    """Host and port of an Origin header; None: malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
