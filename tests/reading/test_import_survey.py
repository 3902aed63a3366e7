"""What a look at a source says before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from synthaug.errors import ImportFailed
from synthaug.reading.import_survey import SAMPLES, proposal, samples, survey
from synthaug.store import catalog
from synthaug.workspace import Workspace
from tests.stages.test_importing import picture

CLASSES = ("Big", "Small", "big cat")


@pytest.mark.parametrize(
    ("called", "numbered", "expected"),
    [
        ("Big", False, ("class", "Big")),
        ("SMALL", False, ("class", "Small")),
        ("unlabeled", False, ("none", None)),
        ("Unlabelled", False, ("none", None)),
        ("", False, ("none", None)),
        ("Bigger", False, ("add", None)),
        ("cat", False, ("add", None)),
        ("0", False, ("add", None)),
        ("0", True, ("class", "Big")),
        ("2", True, ("class", "big cat")),
        ("3", True, ("none", None)),
        ("²", True, ("none", None)),
    ],
)
def test_what_a_class_could_become(called: str, numbered: bool, expected: tuple[str, str | None]) -> None:
    assert proposal(called, CLASSES, numbered) == expected


def test_a_class_whose_case_could_mean_two_is_not_guessed() -> None:
    assert proposal("BIG", ("Big", "big")) == ("add", None)


def test_a_folder_is_told_without_writing(workspace: Workspace, tmp_path: Path) -> None:
    source = tmp_path / "src"
    for number in range(7):
        picture(source / "train" / "3" / f"{number}.png", number)
    picture(source / "test" / "8" / "a.png", 50)
    (source / "test" / "8" / "b.svg").write_text("<svg/>")
    (source / "readme.txt").write_text("x")
    (source / ".hidden.txt").write_text("x")
    (source / "metadata.csv").write_text("file_name,text\ntrain/3/0.png,hello\n")
    found = survey(workspace, source)
    assert (found.format, found.images, found.train, found.test, found.numbered) == ("folder", 8, 7, 1, False)
    assert [(each.name, each.images, each.to) for each in found.groups] == [("3", 7, "3"), ("8", 1, "8")]
    assert [len(each.samples) for each in found.groups] == [SAMPLES, 1]
    assert [path for path, _ in found.refused] == ["test/8/b.svg"]
    assert found.passed_over == ((".txt", 1),)
    assert catalog.count_images(workspace.db) == 0


def test_samples_are_the_pictures_and_a_broken_one_is_left_out(tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    (tmp_path / "a").mkdir()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "a/one.png")
    (tmp_path / "a/bad.png").write_bytes(b"x")
    film = Path(str(get_testdata_file("RG3_J2KI.dcm", download=False)))
    (tmp_path / "a/IM1").write_bytes(film.read_bytes())
    found = samples(tmp_path, "folder", ["a/one.png", "a/bad.png", "a/IM1"])
    assert found.keys() == {"a/one.png", "a/IM1"}
    assert found["a/one.png"][0, 0].tolist() == [1, 2, 3]
    assert found["a/IM1"].shape == (1760, 1760, 3)


def test_the_digits_are_told_too(workspace: Workspace) -> None:
    found = survey(workspace, Path("digits"))
    assert (found.images, found.train, found.test, found.tests_here) == (1797, 1297, 500, False)
    with pytest.raises(ImportFailed, match="does not exist"):
        survey(workspace, Path("/nowhere"))


def test_classes_are_in_the_order_of_their_numbers(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("10", "9", "owl", "."):
        picture(tmp_path / name / f"{name.strip('.')}x.png", ord(name[0]) + len(name))
    assert [each.name for each in survey(workspace, tmp_path).groups] == ["owl", "9", "10", ""]
