"""The house rules that no linter knows: what the wheel holds, what a file may say, how long it may be."""

from __future__ import annotations

import ast
import re
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"synthaug": "synthaug", "app": "synthaug_app", "assets": "synthaug_assets", "db": "synthaug_db"}
SOURCES = (*PACKAGES, "tests", "benchmarks", "docs")
GENERATED = {"__pycache__", ".pyi"}  # .pyi: Gradio writes them beside components
MOST_LINES = 500
TEXT = {".py", ".js", ".css", ".sql", ".md", ".txt", ".json", ".toml", ".lock", ".yml", ".html", ""}
MACHINE_PATH = re.compile(r"(?<![\w.~$)}])/(?!home/me/)(?:home|root|Users|work|mnt|opt)/[\w.-]")
REGISTRY = re.compile(
    r"(?:pypi|pythonhosted|npmjs|deb\.debian|registry)\.[a-z]+/|index-url\s*=|find-links\s*="
)


def files(*folders: str) -> list[Path]:
    """The files under some folders of the repository that a person wrote, in order."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return sorted(path for path in found if not GENERATED & {*path.parts, path.suffix})


def relative(path: Path) -> str:
    """The path as a test id."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [path for path in files(*SOURCES) if path.suffix == ".py"], ids=relative)
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert path.is_relative_to(ROOT / "tests") or ast.get_docstring(ast.parse(text))


def test_no_file_names_a_machine_or_a_registry() -> None:
    others = ("LICENSE", ".git")  # .git is a file in a worktree
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name not in others]
    said = []
    for path in [*files(*SOURCES, ".ci"), *top]:
        if path.suffix not in TEXT or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MACHINE_PATH.search(line) or REGISTRY.search(line):
                said.append(f"{relative(path)}:{number}: {line.strip()[:100]}")
    assert said == []


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pins = re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)
    hashed = re.findall(r"^([a-z0-9._-]+)==\S+(?: ;[^\n\\]*)? \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert len(pins) > 50
    assert hashed == pins


def test_the_lock_pins_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[\[<>=~! ;]", each)[0].lower().replace("_", "-") for each in wanted} - {"synthaug"}
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert names <= pinned


def test_every_package_is_listed_for_the_wheel() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = []
    for folder, package in PACKAGES.items():
        for path in (ROOT / folder).rglob("__init__.py"):
            there.append(".".join([package, *path.parent.relative_to(ROOT / folder).parts]))
    assert sorted(there) == sorted(listed)


@pytest.mark.parametrize("name", ["run", "browser"])
def test_ci_scripts_can_be_run(name: str) -> None:
    script = ROOT / ".ci" / name
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", script], check=True)
