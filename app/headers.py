"""What every response tells the browser to forbid. Measured with Gradio 6.31 in Chromium: see SECURITY.md."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NONCE = "synthaug.nonce"
"""Where the ASGI scope holds the value that a page's own inline scripts carry."""

POLICY = (
    "default-src 'none'",
    # Gradio compiles the templates and scripts of gr.HTML in the browser (new Function): 'unsafe-eval' has to stay.
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
    """The header's value."""
    return "; ".join(POLICY).format(nonce=nonce)


class SecurityHeaders:
    """ASGI middleware: puts the headers on every response, and no page into a cache."""

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
