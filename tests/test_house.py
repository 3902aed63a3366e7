"""The house rules that no linter knows: what the wheel holds, what a file may say, how long it may be."""

from __future__ import annotations

import ast
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The project's wheel, built from a copy so that the tree stays clean."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "import setuptools.build_meta as backend; backend.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    (path,) = (copy / "dist").glob("*.whl")
    return zipfile.Path(path)


def test_the_wheel_adds_only_names_of_its_own(wheel: zipfile.Path) -> None:
    names = {each.name for each in wheel.iterdir() if not each.name.endswith(".dist-info")}
    assert names == set(PACKAGES.values())


def test_the_wheel_holds_every_file_of_its_packages(wheel: zipfile.Path) -> None:
    names = set(wheel.root.namelist())
    for folder, package in PACKAGES.items():
        expected = {package + "/" + path.relative_to(ROOT / folder).as_posix() for path in files(folder)}
        assert expected <= names


def test_the_wheel_has_the_command_and_the_license(wheel: zipfile.Path) -> None:
    (info,) = [each for each in wheel.iterdir() if each.name.endswith(".dist-info")]
    assert "synthaug = synthaug.cli:main" in (info / "entry_points.txt").read_text()
    assert "Apache License" in (info / "licenses" / "LICENSE").read_text()


def test_the_wheel_serves_its_assets_from_anywhere(wheel: zipfile.Path, tmp_path: Path) -> None:
    wheel.root.extractall(tmp_path)
    script = (
        "from synthaug.templates import Template, shipped_template; import synthaug_assets;"
        "print(Template.parse(shipped_template('cat')).unique_count, synthaug_assets.__file__)"
    )
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {script}"]
    printed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert printed.split() == ["92650", str(tmp_path / "synthaug_assets" / "__init__.py")]


@pytest.mark.parametrize("path", [path for path in files(*SOURCES) if path.suffix == ".py"], ids=relative)
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert path.is_relative_to(ROOT / "tests") or ast.get_docstring(ast.parse(text))


def test_no_file_names_a_machine_or_a_registry() -> None:
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name != "LICENSE"]
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
