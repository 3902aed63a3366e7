"""Bad arguments and bad files end every command with one line and code 2, never with a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthaug.workspace import Workspace
from tests.test_cli import Shell, shell

__all__ = ["shell"]

LONG = "x" * 5000
NOT_UTF8 = os.fsdecode(b"caf\xe9")
TOO_LARGE = str(2**63)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a workspace named in the environment."""
    Workspace.create(tmp_path / "w", ["cat", "dog"]).db.close()
    monkeypatch.setenv("SYNTHAUG_WORKSPACE", str(tmp_path / "w"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", LONG, "--preset", "digits"),
        ("import", LONG),
        ("export", LONG, "--view", "v"),
        ("export", "out", "--manifest", LONG),
        ("label", LONG, "--annotator", "ann"),
        ("verify", "--workspace", LONG),
        ("generate", "--template", "a", "--label", "cat", "-n", "1", "--generator", LONG),
        ("prompts", "a <X>", "--slot", f"X={LONG}.txt"),
        ("view", "v", "--from", LONG),
        ("finetune", "--data", "v", "--base", LONG),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_name_that_is_too_long(shell: Shell, place: Path, arguments: tuple[str, ...]) -> None:
    assert len(shell.error(*arguments)) < 6000


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", NOT_UTF8, "--preset", "digits"),
        ("init", "new", "--classes", NOT_UTF8),
        ("import", NOT_UTF8),
        ("label", "x.csv", "--annotator", NOT_UTF8),
        ("prompts", NOT_UTF8),
        ("view", NOT_UTF8),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_argument_that_is_not_utf8(shell: Shell, place: Path, arguments: tuple[str, ...]) -> None:
    assert "is not valid UTF-8" in shell.error(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("prompts", "a {b|c}", "--sample", "1", "--seed", "-1"),
        ("prompts", "a {b|c}", "--sample", TOO_LARGE),
        ("prompts", "a {b|c}", "--at", "-1"),
        ("view", "v", "--seed", TOO_LARGE),
        ("view", "v", "--job", TOO_LARGE),
        ("train", "--view", "v", "--seed", "-1"),
        ("jobs", "--cancel", TOO_LARGE),
        ("jobs", "--resume", "9" * 5000),
        ("generate", "--template", "a", "--label", "cat", "-n", TOO_LARGE),
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_a_number_out_of_range(shell: Shell, place: Path, arguments: tuple[str, ...]) -> None:
    assert "Invalid value" in shell.error(*arguments)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Is a directory; give a CSV file"),
        (b"image,label\n\xff,cat\n", "not UTF-8 text"),
        (b"image,label\n" + b"x" * 200_000 + b",cat\n", "field larger than field limit"),
        (b"image,label\n" + b"9" * 30 + b",cat\n", "no image"),
        (b"", "no column"),
    ],
)
def test_a_label_file_that_cannot_be_read(
    shell: Shell, place: Path, content: bytes | None, message: str
) -> None:
    path = place / "labels.csv"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    assert message in shell.error("label", path, "--annotator", "ann")


def test_an_import_of_which_everything_was_rejected(shell: Shell, place: Path) -> None:
    (place / "src" / "cat").mkdir(parents=True)
    (place / "src" / "cat" / "a.png").write_bytes(b"no image")
    error = shell.error("import", "src")
    assert "nothing was imported: src was rejected; cat/a.png:" in error


def test_an_import_of_which_something_was_taken(shell: Shell, place: Path) -> None:
    (place / "src" / "cat").mkdir(parents=True)
    (place / "src" / "cat" / "a.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(place / "src" / "cat" / "b.png")
    assert [len(shell.json("import", "src")["rejected"]) for _ in range(2)] == [1, 1]


def test_files_whose_names_are_not_utf8_are_imported(shell: Shell, place: Path) -> None:
    folder = place / "src" / "cat"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / (NOT_UTF8 + ".png"))
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(b"no image")
    result = shell.json("import", "src")
    assert (result["added"], [each["path"] for each in result["rejected"]]) == (1, ["cat/\ufffd.jpg"])


def test_a_seed_that_umap_does_not_take(shell: Shell, place: Path) -> None:
    assert "the seed is 4294967296; it must be in 0 .. 4294967295" in shell.error("score", "--seed", 2**32)


@pytest.mark.parametrize("name", ["", ".", "/", ".."])
def test_a_folder_without_a_name_of_its_own(shell: Shell, place: Path, name: str) -> None:
    assert "does not end in a name" in shell.error("train-generator", name, "--family", "gan", "--view", "v")
    assert "does not end in a name" in shell.error("demo", "--headless", "--workspace", name)


def test_serve_creates_a_workspace_that_is_missing_and_no_other(shell: Shell, place: Path) -> None:
    """Port 65536 does not exist, so that nothing is served."""
    asked = ("serve", "--workspace", "new", "--classes", "Big, Small", "--port", "65536")
    assert "65536 is not a port" in shell.error(*asked)
    assert Workspace.open(place / "new").classes == ("Big", "Small")
    assert "65536 is not a port" in shell.error(
        "serve", "--workspace", "w", "--classes", "owl", "--port", "65536"
    )
    assert Workspace.open(place / "w").classes == ("cat", "dog")
    assert "is empty" in shell.error("serve", "--workspace", "none", "--classes", "a,,b")
    assert not (place / "none").exists()
