"""``python -m synthaug.stages.job_process WORKSPACE``: the process in which an open app's jobs run."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from synthaug.running.job_process import serve_queue
from synthaug.stages.handlers import HANDLERS

MODULE = "synthaug.stages.job_process"


def main() -> None:
    """Work the queue of the workspace that the first argument names."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    serve_queue(Path(sys.argv[1]), HANDLERS)


if __name__ == "__main__":
    main()
