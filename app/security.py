"""Protection against cross-site requests and DNS rebinding: checks of the Host and Origin headers."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .accounts.access import Access
from .answers import refuse

MAX_HEADERS = 100  # of a request; browsers send some 20
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?", re.IGNORECASE)


class OriginGuard:
    """ASGI middleware: refuses cross-site writes (CSRF), foreign host names (DNS rebinding) and too many headers.

    Clients other than browsers send neither Origin nor Sec-Fetch-Site, and pass.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        if len(scope["headers"]) > MAX_HEADERS:
            await refuse(send, 431, f"at most {MAX_HEADERS} headers are allowed")
            return
        refusal = self.refusal(scope.get("method", "WEBSOCKET"), Headers(scope=scope))
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await refuse(send, *refusal)

    def refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """The HTTP status and the reason if a request is refused; None if it may pass."""
        host = headers.get("host", "")
        name = host_name(host)
        if name is None:
            return 400, f"{host[:100]!r} is not a host name"
        if not self.access.answers_to(name):
            return (
                403,
                f"this app does not answer to the host name {name!r}; the person who runs it can allow it with "
                f"--allow-host {name}",
            )
        if method in SAFE_METHODS:
            return None
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return 403, "pages of other sites may not change anything here"
        origin = headers.get("origin")
        if origin is not None and _host_and_port(origin) != host.lower():
            return 403, f"pages of {origin[:100]} may not change anything here"
        return None


def host_name(host: str) -> str | None:
    """The name in a Host header in lower case, without port and IPv6 brackets; None if it is malformed."""
    match = HOST.fullmatch(host)
    return (match[1] or match[2]).lower() if match else None


def _host_and_port(origin: str) -> str | None:
    """Host and port in an Origin header; None if it is malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
