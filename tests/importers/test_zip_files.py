"""Zips that lead elsewhere, grow without end or lie are refused; honest ones are unpacked."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.errors import ImportFailed
from synthaug.importers.zip_files import FREE_OF_RATIO, safe_path, unpack

PLENTY = 2**30


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()
    }


def test_an_honest_zip_is_unpacked(tmp_path: Path) -> None:
    archive = packed(
        tmp_path / "a.zip", ("Big/", b""), ("Big/a.png", b"1"), ("é/ü b", b""), ("__MACOSX/._a", b"x")
    )
    assert unpack(archive, tmp_path / "out", PLENTY) == 2
    assert files_below(tmp_path / "out") == {"Big/a.png": b"1", "é/ü b": b""}


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "a//b", "./a", "C:\\evil", "..\\evil", "a\nb", "x" * 300]
)
def test_a_name_that_leads_elsewhere_refuses_the_whole_zip(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    archive = packed(tmp_path / "in/a.zip", ("first.png", b"1"), (name, b"evil"))
    with pytest.raises(ImportFailed, match="contains the name"):
        unpack(archive, tmp_path / "in/deep/out", PLENTY)
    assert files_below(tmp_path).keys() == {"in/a.zip"}


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = packed(tmp_path / "a.zip", (link, b"/etc/passwd"))
    with pytest.raises(ImportFailed, match="a link or a special file"):
        unpack(archive, tmp_path / "out", PLENTY)


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("zeros", bytes(FREE_OF_RATIO + 1)))
    with pytest.raises(ImportFailed, match="times its size"):
        unpack(archive, tmp_path / "out", PLENTY)
    assert not (tmp_path / "out").exists()


def test_more_than_there_is_room_for_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("a", bytes(1000)), ("b", bytes(1000)))
    with pytest.raises(ImportFailed, match="unpacks to 2,000 bytes"):
        unpack(archive, tmp_path / "out", 1999)


def test_a_false_size_limits_what_is_written(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("a", bytes(100_000)))
    data = archive.read_bytes()
    archive.write_bytes(data.replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))
    with pytest.raises(ImportFailed, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out", PLENTY)
    assert sum(map(len, files_below(tmp_path / "out").values())) <= 10


def test_a_password_a_torn_file_and_a_repeated_name(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("a", b"1234"))
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(data)
    (tmp_path / "torn.zip").write_bytes(archive.read_bytes()[:-10])
    with pytest.raises(ImportFailed, match="is encrypted"):
        unpack(tmp_path / "locked.zip", tmp_path / "out", PLENTY)
    with pytest.raises(ImportFailed, match=r"torn\.zip cannot be unpacked"):
        unpack(tmp_path / "torn.zip", tmp_path / "out", PLENTY)
    with pytest.warns(UserWarning, match="Duplicate"):
        packed(tmp_path / "twice.zip", ("a", b"1"), ("a", b"2"))
    with pytest.raises(Exception, match="name is already taken"):
        unpack(tmp_path / "twice.zip", tmp_path / "out", PLENTY)


@given(st.text(st.sampled_from("a./\\\0é\ud800") | st.characters(), max_size=20))
def test_safe_paths_stay_below_the_folder(name: str) -> None:
    try:
        path = safe_path(name)
    except ValueError:
        return
    assert path.as_posix() == name
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert Path("/base", path).resolve().is_relative_to("/base")
