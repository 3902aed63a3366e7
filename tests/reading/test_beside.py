"""What is offered beside an image: priors by file name, what it was drawn from, neighbours; each once, itself never."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthaug.reading.beside import Companion, companions, in_series, next_files
from synthaug.reading.feature_space import FeatureSpace
from synthaug.reading.queue import items
from synthaug.store import catalog
from synthaug.workspace import Workspace
from tests.landmarks.made import add_film, hip_workspace

MANY = [(100 + i, f"films/rex{i}_2020.dcm") for i in range(12)]


def said(found: list[Companion]) -> list[tuple[int, str]]:
    return [(each.image_id, each.why) for each in found]


def test_the_prior_is_the_latest_before_it_by_number_and_not_by_letter() -> None:
    files = [
        (1, "films/dog7_9.dcm"),
        (2, "films/dog7_10.dcm"),
        (3, "films/dog7_11.dcm"),
        (4, "films/dog70_1.dcm"),
    ]
    found = in_series("films/dog7_10.dcm", files + MANY)
    assert said(found) == [(1, "Prior: dog7_9.dcm"), (3, "Later: dog7_11.dcm")]


def test_a_small_folder_is_one_patient_and_a_large_one_without_separators_none() -> None:
    assert said(in_series("rex/b.png", [(1, "rex/a.png"), (2, "rex/b.png")])) == [(1, "Prior: a.png")]
    numbered = [(i, f"films/{i}.dcm") for i in range(1, 20)]
    assert in_series("films/5.dcm", numbered) == []
    assert said(next_files("films/9.dcm", numbered)) == [
        (8, "File before: 8.dcm"),
        (10, "File after: 10.dcm"),
    ]
    assert said(next_files("films/1.dcm", numbered)) == [(2, "File after: 2.dcm")]


@pytest.fixture
def hips(tmp_path: Path) -> Workspace:
    return hip_workspace(tmp_path / "work")


def test_files_of_the_same_folder_alone(hips: Workspace) -> None:
    own = add_film(hips, 1, source="a/1.dcm")
    add_film(hips, 2, source="ab/1.dcm")
    add_film(hips, 3, source="a/deeper/1.dcm")
    flat = add_film(hips, 4, source="alone.dcm")
    other = add_film(hips, 5, source="a/2.dcm")
    assert catalog.files_beside(hips.db, "a/1.dcm") == [(own, "a/1.dcm"), (other, "a/2.dcm")]
    assert catalog.files_beside(hips.db, "alone.dcm") == [(flat, "alone.dcm")]
    add_film(hips, 6, source="a_/3.dcm")
    assert len(catalog.files_beside(hips.db, "a/9.dcm")) == 2


def test_films_of_a_series_share_a_key_that_does_not_say_which(hips: Workspace) -> None:
    sources = [
        "a/rex_1.dcm",
        "a/Rex_2.dcm",
        "b/rex_1.dcm",
        "a/ada_1.dcm",
        "dog7/1.dcm",
        "dog7/2.dcm",
        "1.dcm",
    ]
    films = [add_film(hips, level, source=source) for level, source in enumerate(sources)]
    rex, later, other_folder, ada, first, second, alone = (each.series for each in items(hips, films))
    assert rex == later
    assert first == second
    assert len({rex, other_folder, ada, first}) == 4
    assert alone == ""
    assert "rex" not in rex


def test_each_image_is_offered_once_and_never_itself(hips: Workspace) -> None:
    ids = [add_film(hips, level, source=f"rex/{level}.dcm") for level in range(3)]
    space = FeatureSpace(
        "none", np.array(ids), np.array([False, False, False]), np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    )
    assert said(companions(hips, ids[1], space)) == [(ids[0], "Prior: 0.dcm"), (ids[2], "Later: 2.dcm")]
    far = add_film(hips, 9, source="elsewhere/9.dcm")
    space = FeatureSpace(
        "none", np.array([ids[0], far]), np.array([False, False]), np.array([[1.0, 0.0], [0.0, 1.0]])
    )
    assert said(companions(hips, far, space)) == [(ids[0], "Nearest real, distance 1.41")]


def test_a_synthetic_image_is_offered_what_it_was_drawn_from_unless_it_is_read_blind(hips: Workspace) -> None:
    from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
    from synthaug.store import generations, jobs
    from synthaug.store.generations import Generation

    source = add_film(hips, 7)
    sha256 = catalog.images_by_id(hips.db, [source])[0].sha256
    drawn, _ = catalog.add_image(
        hips.db, sha256="1" * 64, size=(8, 8), split="train", origin="synthetic", source="job 1"
    )
    params = GenerationParams(GenerationSpec("a hip", "Big", 1), "embedded", 1, source_ids=None, size=(8, 8))
    job = jobs.submit(hips.db, "generate", params.to_json(), 1)
    with hips.db.transaction():
        generations.add(
            hips.db,
            Generation(job, 0, drawn, 0, "a hip", 0, {}, 7, "embedded", "r", {"source": sha256, "kept": 0.5}),
        )
    assert said(companions(hips, drawn, None)) == [(source, "Drawn from: source")]
    assert companions(hips, drawn, None, blind=True) == []
