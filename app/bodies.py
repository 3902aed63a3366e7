"""Limits on request bodies: each is read completely, within a maximum size and time, before any route sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import refuse
from .security import SAFE_METHODS

KIB = 1024
LIMITS = {
    "/data/labels": 1024 * KIB,  # 1,000 entries of some 300 bytes
    "/data/undo": 256 * KIB,  # 1,000 entries of at most 170 bytes
    "/data/tags": 8 * 1024 * KIB,  # 1,000,000 ids
    "/data/selections": 8 * 1024 * KIB,  # 1,000,000 ids
    "/data/landmarks": 256 * KIB,  # the text of a scheme
    "/data/landmarks/scheme": 256 * KIB,
    "/data/landmarks/import": 16 * 1024 * KIB,  # some 30,000 rows
    "/gradio_api/queue/join": 1024 * KIB,  # a form with a long template
    "/data/uploads/part": 4 * 1024 * KIB,  # of a file on its way in; browsers send 2 MiB at a time
    "/data/imports": 8 * 1024 * KIB,  # what becomes of each of many thousand folders
    "/log-in": 8 * KIB,
}
"""Maximum size of a body in bytes, by path."""
OTHERWISE = 16 * KIB
SECONDS = 20.0  # for a whole body
BODY = "synthaug.body"
"""Key of the ASGI scope under which the body of a request that may change something is stored."""


class TooLarge(Exception):
    """The body is larger than its limit."""


class Disconnected(Exception):
    """The client disconnected before it sent the whole body."""


class Bodies:
    """ASGI middleware: answers 413 to a body above the limit of its route, and 408 to one that arrives too slowly."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int] = LIMITS, seconds: float = SECONDS) -> None:
        self.app = app
        self.limits = limits
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        limit = self.limits.get(scope["path"], OTHERWISE)
        close = {"connection": "close"}
        try:
            declared = Headers(scope=scope).get("content-length", "0")
            if declared.isdigit() and int(declared) > limit:
                raise TooLarge
            body = await asyncio.wait_for(_read(receive, limit), self.seconds)
        except TooLarge:
            await refuse(
                send, 413, f"the request is too large; at most {limit:,} bytes are allowed here", close
            )
        except TimeoutError:
            await refuse(send, 408, f"the request did not arrive within {self.seconds:g} seconds", close)
        except Disconnected:
            return
        else:
            await self.app({**scope, BODY: body}, _again(body, receive), send)


async def _read(receive: Receive, limit: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += bytes(message.get("body", b""))
        if len(body) > limit:
            raise TooLarge
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive function that returns the body again, and then any later messages."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
