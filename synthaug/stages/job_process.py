"""``python -m synthaug.stages.job_process WORKSPACE``: the process that runs the jobs of an open app."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from synthaug.running.job_process import serve_queue
from synthaug.stages.handlers import HANDLERS

MODULE = "synthaug.stages.job_process"


def main() -> None:
    """Run the queue of the workspace in the first argument."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    serve_queue(Path(sys.argv[1]), HANDLERS)


if __name__ == "__main__":
    main()
