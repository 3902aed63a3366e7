"""Feature files: what was put in comes out, a cut file is noticed, and what a kill left behind does no harm."""

from __future__ import annotations

import numpy as np
import pytest

from synthaug.errors import WorkspaceError
from synthaug.store import features
from synthaug.store.features import FeatureSet
from synthaug.workspace import Workspace


@pytest.fixture
def held(digits: Workspace) -> FeatureSet:
    return features.feature_set(digits.db, "an-extractor", "ab" * 32, 7)


def put(workspace: Workspace, held: FeatureSet, ids: list[int], rows: np.ndarray) -> None:
    features.append(workspace.db, workspace.features_folder, held, ids, rows)


def test_rows_come_back_by_image_whatever_the_order_they_came_in(digits: Workspace, held: FeatureSet) -> None:
    rows = np.random.default_rng(0).normal(size=(6, 7)).astype(np.float32)
    put(digits, held, [9, 4, 5], rows[:3])
    put(digits, held, [1, 12, 2], rows[3:])
    ids, found = features.read_all(digits.db, digits.features_folder, held)
    assert ids == [1, 2, 4, 5, 9, 12]
    assert np.array_equal(found, rows[[3, 5, 1, 2, 0, 4]].astype(np.float16))
    missing = [row["id"] for row in features.images_without(digits.db, held)]
    assert len(missing) == 1797 - 6
    assert not set(ids) & set(missing)


def test_a_file_left_by_a_killed_process_is_overwritten(digits: Workspace, held: FeatureSet) -> None:
    put(digits, held, [1], np.ones((1, 7), np.float32))
    path = digits.features_folder / held.file_name
    path.write_bytes(path.read_bytes() + b"\xff" * 33)  # rows that the database never heard of
    put(digits, held, [2], np.full((1, 7), 2, np.float32))
    ids, found = features.read_all(digits.db, digits.features_folder, held)
    assert ids == [1, 2]
    assert found[:, 0].tolist() == [1.0, 2.0]


def test_a_cut_file_is_an_error_that_says_what_to_do(digits: Workspace, held: FeatureSet) -> None:
    put(digits, held, [1, 2], np.ones((2, 7), np.float32))
    path = digits.features_folder / held.file_name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WorkspaceError, match="score --recompute"):
        features.read_all(digits.db, digits.features_folder, held)
    features.forget(digits.db, digits.features_folder, held)
    assert features.read_all(digits.db, digits.features_folder, held)[0] == []
