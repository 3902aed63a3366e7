"""The documentation is tested: every command explains itself, and what the README shows can be run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

ROOT = Path(__file__).parent.parent
FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>\n]+?) -->\s*\n)?```(?P<language>\w+)[^\n]*\n(?P<text>.*?)```", re.S
)
SHELLS = {"bash", "sh", "console"}


def load_writer() -> ModuleType:
    """docs/write_cli.py as a module."""
    spec = spec_from_file_location("write_cli", ROOT / "docs" / "write_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WRITER = load_writer()
GROUP = WRITER.command_group()
COMMANDS = list(WRITER.commands(GROUP, WRITER.root_context(GROUP)))


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: what it holds, where it begins, and why it is not run, if so."""

    language: str
    text: str
    line: int
    reason: str | None

    @property
    def script(self) -> str:
        """What to run: of a console session only the lines that were typed."""
        if self.language != "console":
            return self.text
        return "\n".join(line[2:] for line in self.text.splitlines() if line.startswith("$ "))


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a Markdown page."""
    return [
        Block(each["language"], each["text"], text.count("\n", 0, each.start("language")) + 1, each["reason"])
        for each in FENCE.finditer(text)
    ]


@pytest.mark.parametrize(("name", "command", "context"), COMMANDS, ids=[name for name, _, _ in COMMANDS])
def test_every_command_has_a_help_line_and_an_example(name: str, command: Any, context: Any) -> None:
    text = command.help or ""
    assert re.fullmatch(r"[A-Z][^\n]{5,90}[.!?]", text.strip().splitlines()[0])
    assert re.search(rf"^ +\$ {re.escape(name)}\b", command.get_help(context), re.MULTILINE)


def examples() -> list[str]:
    """Every line of the help texts that shows ``$ synthaug COMMAND ...``, the page's own included."""
    texts = [GROUP.get_help(WRITER.root_context(GROUP)), *(command.help or "" for _, command, _ in COMMANDS)]
    whole = "\n".join(texts).replace("\\\n", " ")
    return re.findall(r"^ *\$ (synthaug .+)$", whole, re.MULTILINE)


@pytest.mark.parametrize("example", examples())
def test_examples_use_commands_and_options_that_exist(example: str) -> None:
    words = shlex.split(re.split(r" {3,}| && | \| | > ", example)[0])[1:]
    name, command, arguments = GROUP.resolve_command(WRITER.root_context(GROUP), words)
    try:
        command.make_context(name, arguments, parent=WRITER.root_context(GROUP))
    except click.BadParameter as error:
        assert "does not exist" in error.message  # noqa: PT017 - a file of the reader's


def test_every_option_is_explained() -> None:
    bare = [
        f"{name} {option.opts[0]}"
        for name, command, _ in COMMANDS
        for option in command.params
        if option.param_type_name == "option" and not (option.hidden or option.help or option.metavar)
    ]
    assert bare == []


def test_the_command_page_is_what_the_commands_say() -> None:
    assert WRITER.PAGE.read_text(encoding="utf-8") == WRITER.cli_page(GROUP), "run `make docs`"


def test_blocks_are_found() -> None:
    page = "a\n```bash\nls\n```\n<!-- not run: slow -->\n```console\n$ make demo\nout\n$ b\n```\n```python\n1\n```\n"
    found = blocks(page)
    assert [(each.language, each.line, each.reason) for each in found] == [
        ("bash", 2, None),
        ("console", 6, "slow"),
        ("python", 11, None),
    ]
    assert found[1].script == "make demo\nb"


@pytest.mark.long
@pytest.mark.slow
def test_the_readme_runs(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SYNTHAUG_WORKSPACE": str(tmp_path / "workspace"),
    }
    readme = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    runnable = [each for each in readme if each.language in SHELLS | {"python"} and each.reason is None]
    assert runnable, "the README shows nothing that is run"
    for block in runnable:
        shell = ["bash", "-euo", "pipefail", "-c", block.script]
        command = [sys.executable, "-c", block.script] if block.language == "python" else shell
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"README.md, line {block.line}: {shlex.join(command)}\n{done.stderr}"


PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:|#|mailto:)(?P<target>[^)#\s]+)")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_links_lead_somewhere(page: str) -> None:
    source = ROOT / page
    targets = [each["target"] for each in LINK.finditer(source.read_text(encoding="utf-8"))]
    assert [each for each in targets if not (source.parent / each).exists()] == []


def test_the_map_in_contributing_names_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {each.rstrip("/") for each in re.findall(r"^\| `([\w/.]+)` \|", text, re.MULTILINE)}
    assert [room for room in rooms if not (ROOT / room).exists()] == []
    packages = {
        path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "synthaug").glob("*/__init__.py")
    }
    assert packages <= rooms


def test_contributing_says_the_import_rule_as_it_is_held() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    said = [re.sub(r"synthaug[._]", "", each.replace(" : ", " | ")) for each in layers]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "".join(f"    {line}\n" for line in said) in text
