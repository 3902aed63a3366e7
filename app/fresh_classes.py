"""Pages are built once; after a change of the classes they are updated before the next one is sent."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from .accounts.roles import is_page

if TYPE_CHECKING:
    from synthaug.workspace import Workspace

COPIED = ("props", "choices")
"""The attributes of a block that can name classes: properties of our components, choices of Gradio's."""


class FreshClasses:
    """ASGI middleware. ``build`` builds the pages again, with all blocks in the same order."""

    def __init__(
        self, app: ASGIApp, workspace: Workspace, pages: gr.Blocks, build: Callable[[], gr.Blocks]
    ) -> None:
        self.app, self.workspace, self.pages, self.build = app, workspace, pages, build
        self.known = workspace.classes
        self.lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and is_page(scope["path"]):
            await run_in_threadpool(self.refresh)
        await self.app(scope, receive, send)

    def refresh(self) -> None:
        """If the classes have changed, copy the attributes that name them from newly built pages."""
        with self.lock:
            classes = self.workspace.classes
            if classes == self.known:
                return
            for part, fresh in zip(self.pages.blocks.values(), self.build().blocks.values(), strict=True):
                for name in COPIED:
                    if hasattr(part, name):
                        setattr(part, name, getattr(fresh, name))
            self.pages.config = self.pages.get_config_file()
            self.known = classes
