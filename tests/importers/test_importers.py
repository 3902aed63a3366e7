"""The registry, detection, and the digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import ImportFailed, UnknownName
from synthaug.importers import ALIASES, IMPORTERS, detect, load_importer


@pytest.mark.parametrize("name", IMPORTERS)
def test_every_importer_says_what_it_is(name: str) -> None:
    importer = load_importer(name)
    assert importer.name == name
    assert importer.description


@pytest.mark.parametrize("name", IMPORTERS)
def test_no_importer_accepts_a_missing_source(name: str, tmp_path: Path) -> None:
    assert not load_importer(name).accepts(tmp_path / "missing")


def test_names() -> None:
    assert {load_importer(alias).name for alias in ALIASES} == {"cifar"}
    with pytest.raises(UnknownName, match="no import format called 'coco'"):
        load_importer("coco")


def test_detection_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="does not exist"):
        detect(tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ImportFailed, match="has no format that can be imported"):
        detect(tmp_path / "notes.txt")


def test_the_digits() -> None:
    from sklearn.datasets import load_digits

    source = Path("digits")
    assert detect(source) == "digits"
    importer = load_importer("digits")
    found = list(importer.items(source))
    assert importer.count(source) == len(found) == 1797
    assert importer.class_names(source) == list("0123456789")
    assert [item.class_name for item in found] == [str(label) for label in load_digits().target]
    assert sum(item.split == "test" for item in found) == 500
    assert isinstance(found[0].data, np.ndarray)
    assert found[0].data.shape == (32, 32, 3)
    assert len({item.path for item in found}) == 1797
