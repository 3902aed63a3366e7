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
from synthaug.errors import UserError, WorkspaceDamaged, explain

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
        accounts,
        acquire,
        comparing,
        data,
        experiments,
        generators,
        labels,
        learning,
        reading,
        running,
        safety,
        views,
    )

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # Set before torch is loaded: waiting threads that spin make a busy machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    wanted = sys.argv[1:] if arguments is None else arguments
    try:
        _check_text(wanted)
        code = cli.main(wanted, prog_name="synthaug", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. What was finished is kept; run the same command again to resume.", err=True)
        code = 130
    except Exception as error:
        code = _refused(error, as_json="--json" in wanted)
    sys.exit(code if isinstance(code, int) else 0)


def _check_text(arguments: list[str]) -> None:
    """Refuse what is no text: Linux allows any bytes in a name, but a database, JSON and PNG hold text."""
    for argument in arguments:
        if argument.encode("utf-8", "replace").decode("utf-8") != argument:
            raise UserError(
                f"{argument[:80]!r} is not UTF-8 text; rename what it names, or write it in UTF-8"
            )


def _refused(error: Exception, as_json: bool) -> int:
    """Say in one line what the user can mend, and exit 2; a failure of ours is raised again."""
    known = error if isinstance(error, click.ClickException) else explain(error)
    if known is None:
        raise error
    message = known.format_message() if isinstance(known, click.ClickException) else str(known)
    message = message.splitlines()[0]  # a template error goes on with the place, for those who show it
    problems = list(known.problems) if isinstance(known, WorkspaceDamaged) else []
    if as_json:
        report = {"error": message, **({"problems": problems} if problems else {})}
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo("\n".join(problems), nl=bool(problems))
    click.echo(f"Error: {message}", err=True)
    return 2
