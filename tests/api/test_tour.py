"""The notebook in docs runs from top to bottom, and every result in it shows itself."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tour.ipynb"


def cells(kind: str) -> list[dict[str, Any]]:
    """The notebook's cells of a kind."""
    return [
        each
        for each in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
        if each["cell_type"] == kind
    ]


def run(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; returns the value of its last line, where that is an expression."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(source, names)  # noqa: S102
        return None
    exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)  # noqa: S102
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)  # noqa: S307


@pytest.mark.long
@pytest.mark.slow
def test_the_tour_runs(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)  # what mkdtemp has read of TMPDIR before
    names: dict[str, Any] = {}
    shown = [run("".join(cell["source"]), names) for cell in cells("code")]
    assert all(result is not None and "</div>" in result._repr_html_() for result in shown)
    assert "<svg" in names["verdict"]._repr_html_()
    assert names["generated"]._repr_html_().count("data:image/png;base64,") == 24


def test_the_tour_is_kept_without_outputs() -> None:
    assert [cell["id"] for cell in cells("code") if cell["outputs"] or cell["execution_count"]] == []
