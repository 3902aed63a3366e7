"""verify, backup, restore and repair as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthaug.stages.importing import import_images
from synthaug.workspace import Workspace
from tests.files import cut, small_disk
from tests.stages.test_verify import first_image
from tests.test_cli import Shell
from tests.torture.cases import write_digits
from tests.torture.full_disk import fill_up


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of 100 digits."""
    write_digits(tmp_path / "source")
    workspace = Workspace.create(tmp_path / "work", (), "digits")
    import_images(workspace, tmp_path / "source", "folder")
    workspace.db.close()
    return tmp_path / "work"


def test_a_backup_restores_and_repairs(shell: Shell, root: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    made = shell.json("backup", saved, "-w", root)
    assert made == {"backup": str(saved), "images": 100, "files": 101, "copied": 101}
    assert shell.json("restore", saved, tmp_path / "again") == {
        "workspace": str(tmp_path / "again"),
        "images": 100,
    }
    cut(first_image(root), 9)
    mended = shell.json("verify", "--repair", "--from", saved, "-w", root)
    assert mended["problems"] == []
    assert len(mended["repaired"]) == 1
    assert shell.json("verify", "-w", root) == {"images": 100, "problems": []}


def test_verify_names_every_problem_on_a_line(shell: Shell, root: Path) -> None:
    for path in sorted((root / "images").rglob("*.png"))[:7]:
        path.unlink()
    code, out, err = shell.run("verify", "-w", root)
    assert code == 2
    assert [line.endswith(".png is missing") for line in out.splitlines()] == [True] * 7
    assert err.splitlines()[-1].startswith("Error: 7 problems in ")
    code, out, _ = shell.run("verify", "-w", root, "--json")
    assert len(json.loads(out.splitlines()[-1])["problems"]) == 7


def test_a_backup_to_a_full_disk_says_so_and_keeps_the_earlier_one(
    shell: Shell, root: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        shell.json("backup", disk / "saved", "-w", root)
        before = (disk / "saved" / "manifest.json").read_bytes()
        fill_up(disk, 16)
        import_images(Workspace.open(root), "digits", "digits")
        code, _, err = shell.run("backup", disk / "saved", "-w", root)
        assert code == 2
        assert "full" in err.splitlines()[-1]
        assert (disk / "saved" / "manifest.json").read_bytes() == before
        (disk / "ballast").unlink()
        assert shell.json("restore", disk / "saved", tmp_path / "again")["images"] == 100
