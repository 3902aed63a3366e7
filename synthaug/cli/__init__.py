"""The command line: each command parses its arguments, calls one library function and prints the result.

The exit status is 0 for success, 2 for wrong input (with one line that explains it) and 1 for an internal error.
"""

from __future__ import annotations

import json
import logging
import os
import sys

import click

from synthaug import __version__
from synthaug.errors import UserError, WorkspaceDamaged, explain

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__)
def cli() -> None:
    """Generate synthetic training images, curate them, and measure whether they help.

    \b
      $ synthaug demo                     example workspaces in the browser
      $ synthaug init work --preset digits && export SYNTHAUG_WORKSPACE=work
      $ synthaug import digits
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``synthaug`` command."""
    from synthaug.cli import (  # noqa: F401  (importing a module registers its commands)
        accounts,
        acquire,
        comparing,
        data,
        experiments,
        finetuning,
        generating,
        generators,
        labels,
        landmark_models,
        landmarks,
        learning,
        reading,
        running,
        safety,
        views,
    )

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # This must be set before torch is loaded: busy-waiting threads make a loaded machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    wanted = sys.argv[1:] if arguments is None else arguments
    try:
        _check_text(wanted)
        code = cli.main(wanted, prog_name="synthaug", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. Finished work is kept; run the same command again to resume.", err=True)
        code = 130
    except Exception as error:
        code = _refused(error, as_json="--json" in wanted)
    sys.exit(code if isinstance(code, int) else 0)


def _check_text(arguments: list[str]) -> None:
    """Raises UserError for arguments that are not valid text, as file names on Linux may be."""
    for argument in arguments:
        if argument.encode("utf-8", "replace").decode("utf-8") != argument:
            raise UserError(
                f"{argument[:80]!r} is not valid UTF-8; rename the file, or write the argument in UTF-8"
            )


def _refused(error: Exception, as_json: bool) -> int:
    """Print the message of an error that the user caused and return 2; raise any other error again."""
    known = error if isinstance(error, click.ClickException) else explain(error)
    if known is None:
        raise error
    message = known.format_message() if isinstance(known, click.ClickException) else str(known)
    message = message.splitlines()[0]  # further lines of a template error show the position
    problems = list(known.problems) if isinstance(known, WorkspaceDamaged) else []
    if as_json:
        report = {"error": message, **({"problems": problems} if problems else {})}
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo("\n".join(problems), nl=bool(problems))
    click.echo(f"Error: {message}", err=True)
    return 2
