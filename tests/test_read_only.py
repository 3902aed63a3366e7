"""A workspace on a read-only disk opens for looking and for verify, and says clearly that it cannot be changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synthaug.cli import main
from synthaug.errors import WorkspaceError
from synthaug.reading.overview import overview
from synthaug.running.job_process import JobProcess
from synthaug.stages.verify import verify
from synthaug.store import catalog
from synthaug.workspace import Workspace
from tests.files import read_only

LOOKING = (["status"], ["verify"], ["jobs"])
CHANGING = (
    ["import", "digits"],
    ["view", "all"],
    ["generate", "--template", "a", "--label", "3", "-n", "1"],
)


def test_a_read_only_workspace_can_be_read_and_verified(digits: Workspace, tmp_path: Path) -> None:
    digits.db.close()
    with read_only(digits.root, tmp_path / "ro") as root:
        workspace = Workspace.open(root)
        assert workspace.read_only
        assert overview(workspace).images == 1797
        assert verify(workspace).problems == ()
        with pytest.raises(
            WorkspaceError, match=r"cannot write to .*synthaug.db.*check the folder's permissions"
        ):
            catalog.set_setting(workspace.db, "a", "b")
        workspace.db.close()


@pytest.mark.parametrize("arguments", [*LOOKING, *CHANGING], ids=lambda arguments: arguments[0])
def test_commands_look_or_refuse(
    digits: Workspace, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    digits.db.close()
    with read_only(digits.root, tmp_path / "ro") as root:
        with pytest.raises(SystemExit) as exit_:
            main([*arguments, "-w", str(root)])
        said = capsys.readouterr().err.splitlines()
    assert exit_.value.code == (0 if arguments in LOOKING else 2), said
    assert arguments in LOOKING or said[-1].startswith("Error: cannot write")


def killed_while_it_was_open(root: Path) -> None:
    """A last label-like write lies in the journal only."""
    script = (
        "import os, signal, sys; from pathlib import Path; from synthaug.workspace import Workspace;"
        "from synthaug.store import catalog; w = Workspace.open(Path(sys.argv[1]));"
        "catalog.set_setting(w.db, 'last', 'write'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script, root], check=False).returncode == -9
    assert (root / "synthaug.db-wal").stat().st_size


def test_changes_that_are_only_in_the_journal_are_read(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "work", ["a"]).db.close()
    killed_while_it_was_open(tmp_path / "work")
    with read_only(tmp_path / "work", tmp_path / "ro") as root:
        workspace = Workspace.open(root)
        assert catalog.get_setting(workspace.db, "last") == "write"
        workspace.db.close()


def test_a_journal_that_cannot_be_read_is_never_left_out(tmp_path: Path) -> None:
    """Copied without the shared-memory file, SQLite cannot read it; an older state would be a lie."""
    Workspace.create(tmp_path / "work", ["a"]).db.close()
    killed_while_it_was_open(tmp_path / "work")
    (tmp_path / "work" / "synthaug.db-shm").unlink()
    with (
        read_only(tmp_path / "work", tmp_path / "ro") as root,
        pytest.raises(WorkspaceError, match=r"synthaug.db-wal has unfinished writes"),
    ):
        Workspace.open(root)
    shutil.copytree(tmp_path / "work", tmp_path / "copy")
    assert catalog.get_setting(Workspace.open(tmp_path / "copy").db, "last") == "write"


def test_the_app_opens_it_without_a_worker(digits: Workspace, tmp_path: Path) -> None:
    digits.db.close()
    with read_only(digits.root, tmp_path / "ro") as root:
        workspace = Workspace.open(root)
        with workspace.lock("serve") as lock, workspace.lock("serve"):
            worker = JobProcess(workspace, "no.such.module", lock)
            worker.start()
            worker.stop()
        assert overview(workspace).images == 1797
        workspace.db.close()
