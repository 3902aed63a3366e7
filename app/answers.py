"""HTTP responses that middleware sends before any route is reached."""

from __future__ import annotations

import json

from starlette.types import Send


async def refuse(send: Send, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
    """Send ``{"ok": false, "error": reason}`` with an HTTP status."""
    body = json.dumps({"ok": False, "error": reason}).encode()
    await answer(send, status, body, {"content-type": "application/json", **(headers or {})})


async def answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    """Send a complete response; header values must be ASCII."""
    sent = {**headers, "content-length": str(len(body))}
    pairs = [(name.encode("ascii"), value.encode("ascii")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
