"""Writes docs/cli.md from the commands' own help: ``make docs``."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

import synthaug.cli

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 100
INTRODUCTION = """# The command line

Written by `make docs` from the commands' own `--help`; a test holds the two together.

The workspace is `--workspace DIR` or the variable `SYNTHAUG_WORKSPACE`. With `--json` the last line of stdout is
one JSON object; progress and messages go to stderr. Exit status 0 is done, 2 is input that was wrong (one
line says what), 1 is a failure of synthaug's own.
"""


def command_group() -> click.Group:
    """``synthaug`` with all its commands: each module of the command line registers its own."""
    for module in pkgutil.iter_modules(synthaug.cli.__path__, "synthaug.cli."):
        import_module(module.name)
    return synthaug.cli.cli


def commands(
    group: click.Group, context: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command of a group, those of its subgroups included: full name, command, its context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, parent=context, info_name=name, terminal_width=WIDTH)
        if isinstance(command, click.Group):
            yield from commands(command, inner)
        else:
            yield inner.command_path, command, inner


def root_context(group: click.Group) -> click.Context:
    """The context in which the help of ``synthaug`` itself is written."""
    return click.Context(group, info_name="synthaug", terminal_width=WIDTH, **group.context_settings)


def cli_page(group: click.Group) -> str:
    """The whole page as Markdown."""
    context = root_context(group)
    parts = [INTRODUCTION, f"```text\n{group.get_help(context)}\n```\n"]
    for name, command, inner in commands(group, context):
        parts.append(f"## {name}\n\n```text\n{command.get_help(inner)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(cli_page(command_group()), encoding="utf-8")
