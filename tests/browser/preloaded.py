"""What a process of the app imports before it opens a workspace; see ``served.py``."""

from __future__ import annotations

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # as the app does

from synthaug_app.type_stubs import no_type_stubs

with no_type_stubs():
    from synthaug_app import __main__, routes, slow_clients  # noqa: F401
    from synthaug_app.pages import data, explore, finetune, generate, label, runs, train  # noqa: F401

    from synthaug.running import jobs  # noqa: F401
    from synthaug.stages import uploads  # noqa: F401
