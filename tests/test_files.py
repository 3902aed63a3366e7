"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthaug.errors import WorkspaceError
from synthaug.files import new_directory, new_file, remove_leftovers, write_atomically
from tests.files import small_disk


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file"
    with new_file(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert os.listdir(tmp_path / "a") == ["file"]  # noqa: PTH208


def test_an_error_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), new_file(path) as file:  # noqa: PT012
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_keeps_what_was_there_and_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        write_atomically(disk / "file", b"before")
        with pytest.raises(WorkspaceError, match=r"cannot write .*/file: the disk is full"):
            write_atomically(disk / "file", bytes(100_000))
        assert [(each.name, each.read_bytes()) for each in disk.iterdir()] == [("file", b"before")]


def test_a_killed_folder_is_cleared_by_the_next_of_that_name_only(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from synthaug.files import new_directory\n"
        "with new_directory(Path(sys.argv[1])) as partial:\n"
        "    (partial / 'x').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("out", "other"):
        assert subprocess.run([sys.executable, "-c", script, tmp_path / name], check=False).returncode == -9
    with new_directory(tmp_path / "out"):
        assert len(list(tmp_path.glob(".out.partial-*"))) == 1
    assert (tmp_path / "out").is_dir()
    assert len(list(tmp_path.glob(".*"))) == 1  # the other's


def test_files_in_use_are_not_leftovers(tmp_path: Path) -> None:
    with new_file(tmp_path / "file"), new_directory(tmp_path / "folder"):
        assert remove_leftovers([tmp_path]) == []
    (tmp_path / ".partial-old").touch()
    with (tmp_path / ".partial-held").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert remove_leftovers([tmp_path, tmp_path / "no such folder"]) == [tmp_path / ".partial-old"]
