"""The command line as a contract: JSON last, one line of error, exit codes, nothing heavy at the start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthaug.cli import main
from synthaug.stages.view import ViewSpec, make_view
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic


class Shell:
    """Runs commands in this process and reads what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        with pytest.raises(SystemExit) as exit_:
            main([str(each) for each in arguments])
        printed = self._capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    def json(self, *arguments: object) -> dict[str, object]:
        """The JSON object of a command that succeeds."""
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        loaded: dict[str, object] = json.loads(out.splitlines()[-1])
        return loaded

    def error(self, *arguments: object) -> str:
        """The one line of a command that refuses its input."""
        code, _, err = self.run(*arguments)
        assert code == 2
        (line,) = err.splitlines()
        assert line.startswith("Error: ")
        return line


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_the_way_from_nothing_to_an_export(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shell.json("init", tmp_path / "w", "--preset", "digits")
    assert made["classes"] == [str(i) for i in range(10)]
    monkeypatch.setenv("SYNTHAUG_WORKSPACE", str(tmp_path / "w"))
    assert shell.json("import", "digits") == {
        "added": 1797,
        "duplicates": 0,
        "rejected": [],
        "skipped": 0,
        "labels": 1797,
        "notes": [],
    }
    counts = shell.json(
        "view", "small", *(f"--keep={i}=20" for i in range(8)), "--keep", "8=5", "--keep", "9=20"
    )["counts"]
    assert counts == {**{str(i): 20 for i in range(10)}, "8": 5}
    trained = shell.json("train", "--view", "small", "--epochs", 2, "--name", "m")
    assert set(trained) == {"model", "accuracy", "per_class", "image_size", "depth"}
    assert shell.json("predict") == {"predicted": 1797, "model": "m"}
    exported = shell.json("export", tmp_path / "out", "--view", "small")
    assert exported == {
        "images": 685,
        "manifest": str(tmp_path / "out" / "manifest.json"),
        "films": 0,
        "note": "",
    }
    assert shell.json("verify") == {"images": 1797, "problems": []}
    status = shell.json("status")
    assert status["images"] == 1797


def test_a_view_travels_as_a_file_and_is_checked_for_leaks(
    shell: Shell, digits: Workspace, tmp_path: Path
) -> None:
    add_synthetic(digits, 4, 8)
    here, file = ("-w", digits.root), tmp_path / "v.json"
    options = ("--keep", "8=5", "--add-synthetic", "8=2", "--job", 1, "--oversample-class", "8")
    made = shell.json("view", "v", *options, "--exclude-test-duplicates", "--to", file, *here)
    assert made["manifest"] == str(file)
    again = shell.json("view", "again", "--from", file, *here)
    assert again == {"name": "again", "counts": made["counts"]}
    assert shell.json("leakage", "--view", "again", *here)["near"] == []
    shell.json("view", "all", *here)
    found = shell.json("leakage", "--view", "all", "--threshold", 0.6, *here)
    assert set(found) == {"exact", "near", "checked"}
    assert {tuple(each) for each in found["near"]} == {("image", "test_image", "distance")}  # type: ignore[attr-defined]
    assert "leave out the other options" in shell.error("view", "x", "--from", file, "--keep", "8=1", *here)
    assert "no view called 'typo'" in shell.error("view", "typo", "--to", tmp_path / "t.json", *here)
    assert not (tmp_path / "t.json").exists()


def test_evidence_has_its_keys(shell: Shell, digits: Workspace) -> None:
    make_view(digits, "a", ViewSpec(fraction=0.1))
    make_view(digits, "b", ViewSpec(fraction=0.2))
    found = shell.json(
        "compare", "--baseline=a", "--augmented=b", "--seeds=3", "--epochs=1", "-w", digits.root
    )
    evidence = {"baseline", "augmented", "difference", "ci", "bootstrap", "verdict", "seeds"}
    more = {
        "look",
        "confidence",
        "smallest_effect",
        "ci_images",
        "auc",
        "macro_auc",
        "matched_accuracy",
        "mcnemar",
    }
    assert evidence | more | {"test_fingerprint"} == set(found)
    assert found["verdict"] in ("helped", "harmed", "no worthwhile difference", "not enough evidence")


def test_labels_from_a_script(shell: Shell, workspace: Workspace, tmp_path: Path) -> None:
    (image,) = add_synthetic(workspace, 1, 8)
    (tmp_path / "l.csv").write_text(f"image,label\n{image},8\n")
    assert shell.json("label", tmp_path / "l.csv", "--annotator", "ann", "-w", workspace.root) == {
        "recorded": 1,
        "unchanged": 0,
        "repeated": 0,
        "kept": 0,
        "overwritten": 0,
    }


def test_the_cat_template_is_counted_at_once(shell: Shell) -> None:
    found = shell.json("prompts", "<BREED> cat <PREPOSITION> the <FURNITURE>", "--at", "0")
    assert (found["count"], found["unique"]) == (101915, 92650)
    assert len(found["prompts"]) == 1  # type: ignore[arg-type]


def test_wrong_input_gives_one_line_and_exit_status_2(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYNTHAUG_WORKSPACE", raising=False)
    assert "SYNTHAUG_WORKSPACE" in shell.error("status")
    assert "no workspace at" in shell.error("status", "-w", tmp_path)
    assert "either --classes" in shell.error("init", tmp_path / "w")
    assert "given twice" in shell.error("init", tmp_path / "w", "--classes", "a,b,a")
    assert "empty" in shell.error("init", tmp_path / "w", "--classes", "a,,b")
    assert "no preset called 'mnist'" in shell.error("init", tmp_path / "w", "--preset", "mnist")
    assert "No such command" in shell.error("sing")
    shell.json("init", tmp_path / "w", "--classes", "a,b")
    assert "already a workspace" in shell.error("init", tmp_path / "w", "--classes", "a,b")
    assert "no view called 'v'" in shell.error("train", "--view", "v", "-w", tmp_path / "w")
    assert "the form NAME=VALUE" in shell.error("view", "v", "--keep", "a", "-w", tmp_path / "w")
    assert "'x' is not a number" in shell.error("view", "v", "--keep", "a=x", "-w", tmp_path / "w")


def test_an_error_with_json_is_json_too(shell: Shell, tmp_path: Path) -> None:
    code, out, err = shell.run("status", "-w", tmp_path, "--json")
    assert code == 2
    assert json.loads(out)["error"] in err


def test_a_template_error_names_the_place(shell: Shell) -> None:
    assert "(character 3)" in shell.error("prompts", "a {cat|dog")


def test_help_imports_nothing_heavy() -> None:
    heavy = {"torch", "torchvision", "diffusers", "transformers", "gradio", "pandas", "sqlite_utils", "numpy"}
    script = (
        "import sys\nfrom synthaug.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(','.join(sorted({heavy} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "Usage: synthaug" in done.stdout
    assert done.stderr == ""
