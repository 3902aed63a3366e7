"""``import synthaug``: its names, its weight, and that they are what type checkers are told."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import synthaug
from synthaug.api import results
from synthaug.workspace import Workspace

HEAVY = ("torch", "sqlite_utils", "diffusers", "gradio", "numpy", "PIL", "tqdm")


def defined_for_type_checkers() -> set[str]:
    """The names that the module imports for type checkers."""
    tree = ast.parse(Path(synthaug.__file__).read_text(encoding="utf-8"))
    (block,) = [each for each in tree.body if isinstance(each, ast.If)]
    return {
        name.asname or name.name
        for each in ast.walk(block)
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }


def test_every_public_name_is_listed_and_loads() -> None:
    public = {
        name
        for name in dir(synthaug)
        if not name.startswith("_") and not inspect.ismodule(vars(synthaug).get(name))
    }
    public -= {"annotations", "import_module", "TYPE_CHECKING", "Any"}  # what the module itself uses
    assert sorted(public) == sorted(synthaug.__all__) == synthaug.__all__
    assert defined_for_type_checkers() == set(synthaug.__all__)
    for name in synthaug.__all__:
        value = getattr(synthaug, name)
        assert value.__name__ == name
        assert inspect.getdoc(value), f"{name} is not explained"


def test_every_result_is_public_and_shows_itself() -> None:
    made = {
        name for name, value in vars(results).items() if getattr(value, "__module__", "") == results.__name__
    }
    shown = {name for name in made if hasattr(getattr(results, name), "_repr_html_")}
    assert shown == {name for name in made if not name.startswith("_")}
    assert shown <= set(synthaug.__all__)


def test_every_call_of_a_session_is_explained() -> None:
    for name, value in vars(synthaug.Session).items():
        if not name.startswith("_"):
            assert inspect.getdoc(value), f"Session.{name} is not explained"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        synthaug.nothing  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    script = f"import sys, synthaug; print([each for each in {HEAVY} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_a_workspace_does_not_load_torch(workspace: Workspace) -> None:
    script = f"import sys, synthaug; synthaug.open({str(workspace.root)!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
