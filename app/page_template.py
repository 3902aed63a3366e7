"""What is added to Gradio's page template: a nonce for its inline scripts, and the title and modules of each page.

The template is changed, not the rendered page, so that a script injected through a value never gets the nonce.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import BaseLoader, Environment

from .headers import NONCE

SCRIPT = re.compile(r"<script(?=[\s>])")
WITH_NONCE = f'<script nonce="{{{{ request.scope[{NONCE!r}] }}}}"'

HEAD = "<head>"
WITH_OURS = (
    "<head>{% if config.current_page in our_pages %}{% set page = our_pages[config.current_page] %}"
    "{% set _ = config.update(title=page.title ~ ' · ' ~ config.title) %}<title>{{ config.title }}</title>"
    '{% for url in page.modules %}<link rel="modulepreload" href="{{ url }}">{% endfor %}{% endif %}'
)
"""Gradio's script sets the title of ``config`` when it starts. The modules arrive while it builds the page."""


@dataclass(frozen=True, slots=True)
class OurPage:
    """A page's title, and the URLs of the modules that it will ask for."""

    title: str
    modules: Sequence[str]


class PageLoader(BaseLoader):
    """A template loader that adds the nonce and what is ours to the templates of another loader."""

    def __init__(self, inner: BaseLoader) -> None:
        self.inner = inner

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The text of the template, its file name, and a function that tells if it is up to date."""
        text, name, current = self.inner.get_source(environment, template)
        with_nonce = SCRIPT.sub(WITH_NONCE.replace("\\", r"\\"), text)
        return with_nonce.replace(HEAD, WITH_OURS, 1), name, current


def adapt_page_template(pages: Mapping[str, OurPage]) -> None:
    """Install the loader in Gradio, once per process; ``pages`` are by path."""
    from gradio.routes import templates

    templates.env.globals["our_pages"] = pages
    loader = templates.env.loader
    if loader is not None and not isinstance(loader, PageLoader):
        templates.env.loader = PageLoader(loader)
