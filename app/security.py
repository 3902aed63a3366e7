"""Who may talk to the app: only its own pages may change anything, and only under its own host names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
EVERY_INTERFACE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named to be recognised, not bound to


def allowed_hosts(host: str) -> frozenset[str] | None:
    """Host names to answer to when bound to ``host``; None: any (the person opened it to a network)."""
    return None if host in EVERY_INTERFACE else LOCAL_HOSTS | {host}


class OriginGuard:
    """ASGI middleware: refuses cross-site writes (CSRF) and foreign host names (DNS rebinding).

    A client that is not a browser sends neither Origin nor Sec-Fetch-Site and is let through.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] | None = None) -> None:
        self.app = app
        self.hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        reason = self.refusal(scope.get("method", "WEBSOCKET"), Headers(scope=scope))
        if reason is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await _refuse(send, reason)

    def refusal(self, method: str, headers: Headers) -> str | None:
        """Why this request is refused; None when it may pass."""
        host = headers.get("host", "")
        if self.hosts is not None and _host_name(host) not in self.hosts:
            return f"this app does not answer to the host name {_host_name(host)!r}"
        if method in SAFE_METHODS:
            return None
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return "a page of another site may not change anything here"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return f"a page of {origin} may not change anything here"
        return None


def _host_name(host: str) -> str:
    """The name in a Host header, without the port and an IPv6 address's brackets."""
    return urlsplit(f"//{host}").hostname or ""


async def _refuse(send: Send, reason: str) -> None:
    body = json.dumps({"ok": False, "error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
