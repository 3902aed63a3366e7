"""What is added to Gradio's page template: a nonce for its inline scripts, and a title for each page.

The template is changed, not the rendered page, so that a script injected through a value never gets the nonce.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from jinja2 import BaseLoader, Environment

from .headers import NONCE

SCRIPT = re.compile(r"<script(?=[\s>])")
WITH_NONCE = f'<script nonce="{{{{ request.scope[{NONCE!r}] }}}}"'

HEAD = "<head>"
WITH_TITLE = (
    "<head>{% if config.current_page in page_titles %}"
    "{% set _ = config.update(title=page_titles[config.current_page] ~ ' · ' ~ config.title) %}"
    "<title>{{ config.title }}</title>{% endif %}"
)
"""Gradio's script sets the title of ``config`` when it starts."""


class PageLoader(BaseLoader):
    """A template loader that adds the nonce and the title to the templates of another loader."""

    def __init__(self, inner: BaseLoader) -> None:
        self.inner = inner

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The text of the template, its file name, and a function that tells if it is up to date."""
        text, name, current = self.inner.get_source(environment, template)
        with_nonce = SCRIPT.sub(WITH_NONCE.replace("\\", r"\\"), text)
        return with_nonce.replace(HEAD, WITH_TITLE, 1), name, current


def adapt_page_template(titles: Mapping[str, str]) -> None:
    """Install the loader in Gradio, once per process; ``titles`` are those of the pages, by path."""
    from gradio.routes import templates

    templates.env.globals["page_titles"] = titles
    loader = templates.env.loader
    if loader is not None and not isinstance(loader, PageLoader):
        templates.env.loader = PageLoader(loader)
