"""Runs every claim, each in a process of its own, and writes docs/performance.md.

    python -m benchmarks.peers [CLAIM ...] [--page]

CLAIM: names of files in this folder; all by default. ``--page`` only writes the page from the stored results.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from .common import page
from .common.environments import ROOT
from .common.page import ORDER


def run() -> int:
    """The exit status: 1 if a claim's file failed as a whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("claims", nargs="*", choices=[*ORDER, []], metavar="CLAIM")
    parser.add_argument("--page", action="store_true", help="only write the page")
    options = parser.parse_args()
    failed = []
    for name in () if options.page else options.claims or ORDER:
        command = [sys.executable, "-m", f"{__package__}.{name}"]
        if subprocess.run(command, cwd=ROOT).returncode:
            failed.append(name)
    page.write()
    print(f"wrote {page.FILE.relative_to(Path.cwd()) if page.FILE.is_relative_to(Path.cwd()) else page.FILE}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(run())
