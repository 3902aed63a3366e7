"""What is released: wheel and source archive, what they hold, and that they work where nothing of the tree lies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from .test_house import PACKAGES, ROOT, files

pytestmark = pytest.mark.slow

BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


def build(source: Path, what: str) -> Path:
    """Builds ``wheel`` or ``sdist`` from a folder; the file it gives."""
    code = f"import setuptools.build_meta as backend; print(backend.build_{what}('dist'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, check=True, capture_output=True, text=True
    )
    return source / "dist" / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is packaged, so that the tree stays clean."""
    copy = tmp_path_factory.mktemp("tree")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(tree: Path) -> zipfile.Path:
    """The wheel."""
    return zipfile.Path(build(tree, "wheel"))


@pytest.fixture(scope="module")
def installed(wheel: zipfile.Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``synthaug`` of an environment that holds the wheel, and only lends the packages that it depends on."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True, with_pip=True)
    python = environment / "bin" / "python"
    (site,) = environment.glob("lib/python*/site-packages")
    lent = [path for path in sys.path if path.endswith("site-packages")]
    # A path in a .pth lends packages, but not the .pth files there: this tree's editable install stays out.
    (site / "lent.pth").write_text("\n".join([*lent, sysconfig.get_path("purelib")]))
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall"]
    subprocess.run([*install, str(wheel.root.filename)], check=True)
    return environment / "bin" / "synthaug"


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


def test_the_source_archive_makes_the_same_wheel(tree: Path, wheel: zipfile.Path, tmp_path: Path) -> None:
    with tarfile.open(build(tree, "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    again = zipfile.ZipFile(build(source, "wheel")).namelist()
    assert sorted(again) == sorted(name for name in wheel.root.namelist() if not name.endswith("/"))


@pytest.mark.long
def test_the_installed_wheel_serves_a_workspace_from_another_folder(installed: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*arguments: str) -> str:
        command = [str(installed), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("init", "work", "--preset", "digits")
    count = run("prompts", "<BREED> cat <PREPOSITION> the <FURNITURE>", "--json").splitlines()[-1]
    assert '"unique": 92650' in count
    serve = [str(installed), "serve", "--workspace", "work", "--port", "0"]
    with subprocess.Popen(serve, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            said = next(line for line in server.stderr if "is ready at" in line)
            address = re.search(r"http://\S+", said)
            assert address is not None, said
            with urllib.request.urlopen(address[0]) as answer:  # noqa: S310 - our own server
                assert answer.status == 200
                assert b"synthaug" in answer.read()
        finally:
            server.terminate()
