"""Adding a nonce to the inline scripts in Gradio's page template, so that no other inline script runs.

The template is changed, not the rendered page, so that a script injected through a value never gets the nonce.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinja2 import BaseLoader, Environment

from .headers import NONCE

SCRIPT = re.compile(r"<script(?=[\s>])")
WITH_NONCE = f'<script nonce="{{{{ request.scope[{NONCE!r}] }}}}"'


class NonceLoader(BaseLoader):
    """A template loader that adds the nonce to the scripts in the templates of another loader."""

    def __init__(self, inner: BaseLoader) -> None:
        self.inner = inner

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The text of the template, its file name, and a function that tells if it is up to date."""
        text, name, current = self.inner.get_source(environment, template)
        return SCRIPT.sub(WITH_NONCE.replace("\\", r"\\"), text), name, current


def mark_page_scripts() -> None:
    """Install the loader in Gradio, once per process."""
    from gradio.routes import templates

    loader = templates.env.loader
    if loader is not None and not isinstance(loader, NonceLoader):
        templates.env.loader = NonceLoader(loader)
