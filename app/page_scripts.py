"""Gradio's page template with a nonce on its own inline scripts, so that no other inline script runs.

The template is changed and not the finished page: nothing that is filled into it can pass for a script of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinja2 import BaseLoader, Environment

from .headers import NONCE

SCRIPT = re.compile(r"<script(?=[\s>])")
WITH_NONCE = f'<script nonce="{{{{ request.scope[{NONCE!r}] }}}}"'


class NonceLoader(BaseLoader):
    """A template loader that marks the scripts of what another one loads."""

    def __init__(self, inner: BaseLoader) -> None:
        self.inner = inner

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The template's text, its file, and whether it is still up to date."""
        text, name, current = self.inner.get_source(environment, template)
        return SCRIPT.sub(WITH_NONCE.replace("\\", r"\\"), text), name, current


def mark_page_scripts() -> None:
    """Make Gradio load its templates so; done once a process."""
    from gradio.routes import templates

    loader = templates.env.loader
    if loader is not None and not isinstance(loader, NonceLoader):
        templates.env.loader = NonceLoader(loader)
