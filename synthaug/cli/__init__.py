"""The command line: parse, call one library function, print its result.

Exit 0 = done; 2 = the input was wrong, with one line that says how; 1 = a failure of ours.
"""

from __future__ import annotations

import json
import logging
import os
import sys

import click

from synthaug import __version__
from synthaug.errors import UserError

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__)
def cli() -> None:
    """Generate synthetic training images, curate them, and measure whether they helped.

    \b
      $ synthaug demo                     a filled workspace in the browser
      $ synthaug init work --preset digits && export SYNTHAUG_WORKSPACE=work
      $ synthaug import digits
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``synthaug`` command."""
    from synthaug.cli import (  # noqa: F401  (they register their commands)
        acquire,
        comparing,
        data,
        experiments,
        generators,
        labels,
        learning,
        running,
        views,
    )

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # Set before torch is loaded: waiting threads that spin make a busy machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    wanted = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(wanted, prog_name="synthaug", standalone_mode=False)
    except (UserError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        message = message.splitlines()[0]  # a template error goes on with the place, for those who show it
        if "--json" in wanted:
            click.echo(json.dumps({"error": message}, ensure_ascii=False))
        click.echo(f"Error: {message}", err=True)
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. What was finished is kept; run the same command again to resume.", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
