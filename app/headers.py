"""Security headers of every response, tested with Gradio 6.31 in Chromium; see SECURITY.md."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONCE = "synthaug.nonce"
"""Key of the ASGI scope under which the nonce of a page's inline scripts is stored."""

POLICY = (
    "default-src 'none'",
    # Gradio compiles the templates and scripts of gr.HTML in the browser (new Function), which needs 'unsafe-eval'.
    "script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",  # Svelte and Plotly write style attributes
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'self'",
    "frame-ancestors 'none'",
)

FIXED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


def content_security_policy(nonce: str) -> str:
    """The value of the Content-Security-Policy header."""
    return "; ".join(POLICY).format(nonce=nonce)


class SecurityHeaders:
    """ASGI middleware: adds the headers to every response, and forbids caching of pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers.update(FIXED)
                headers["content-security-policy"] = content_security_policy(nonce)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["cache-control"] = "no-store"
            await send(message)

        await self.app({**scope, NONCE: nonce}, receive, with_headers)
