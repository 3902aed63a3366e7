"""``python -m synthaug_app WORKSPACE [--port 7860]`` runs the app, like ``synthaug serve``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from synthaug.config import DEFAULT_PORT
from synthaug.errors import UserError

from .server import serve


@click.command()
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=DEFAULT_PORT, show_default=True, help="Port to listen on; 0 takes a free one."
)
@click.option(
    "--allow-host", "allow_hosts", multiple=True, help="Accept requests for this host name as well."
)
@click.option(
    "--open/--no-open", "open_browser", default=False, help="Open the app in the browser when it is ready."
)
def main(workspace: Path, host: str, port: int, allow_hosts: tuple[str, ...], open_browser: bool) -> None:
    """Serve WORKSPACE in the browser until stopped."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        serve(workspace, host, port, open_browser, allow_hosts)
    except UserError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
