"""What a process of the app imports before it opens a workspace; see ``served.py``."""

from __future__ import annotations

from synthaug_app.server import import_gradio

import_gradio()

from synthaug_app import __main__, routes, slow_clients  # noqa: F401
from synthaug_app.pages import data, explore, finetune, generate, label, runs, train  # noqa: F401

from synthaug.running import jobs  # noqa: F401
from synthaug.stages import uploads  # noqa: F401
