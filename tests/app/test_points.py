"""The binary points format, read back by an independent reader and by its own."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from synthaug_app.points import COLUMNS, decode_points, encode_points


def some_points(n: int, seed: int = 0) -> SimpleNamespace:
    """Points as the library gives them, with every column's extremes present when ``n`` allows."""
    rng = np.random.default_rng(seed)
    columns = {
        "ids": rng.integers(0, 2**32, n, dtype=np.uint32),
        "pca": rng.normal(size=(n, 2)).astype(np.float32),
        "umap": rng.normal(size=(n, 2)).astype(np.float32),
        **{
            name: rng.integers(0, 256, n, dtype=np.uint8)
            for name in ("origin", "label", "prompted", "predicted", "state")
        },
        **{name: rng.random(n, dtype=np.float32) for name in ("confidence", "ood_real", "ood_synthetic")},
    }
    if n:
        columns["confidence"][0] = np.nan
        columns["ids"][-1] = 2**32 - 1
    return SimpleNamespace(
        **columns,
        model="probe 'α' <b>",
        model_id=7,
        scored_at="2026-01-02T03:04:05+00:00",
        ood_method="knn",
        umap_placed=3,
    )


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_round_trip(n: int) -> None:
    points = some_points(n)
    classes = ["cat", 'a "quoted" <b>name</b>', "🐈/..\\"]
    header, columns = decode_points(encode_points(points, classes))
    assert header["n"] == n
    assert header["classes"] == classes
    assert header["model"] == points.model
    assert header["model_id"] == 7
    assert header["umap_placed"] == 3
    assert header["scored_at"] == points.scored_at
    assert list(columns) == [name for name, _ in COLUMNS]
    for name, dtype in COLUMNS:
        assert columns[name].dtype == np.dtype(dtype)
        np.testing.assert_array_equal(columns[name], getattr(points, name))


def test_layout_as_a_browser_reads_it() -> None:
    """Typed arrays need aligned offsets; this reader uses nothing but the documented layout."""
    points = some_points(13)
    data = encode_points(points, ["only"])
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length].decode("utf-8"))
    start = 4 + length
    while start % 8:
        assert data[start] == 0
        start += 1
    offsets = {column["name"]: column["offset"] for column in header["columns"]}
    assert all((start + offset) % 8 == 0 for offset in offsets.values())
    ids = np.array([points.ids[i] for i in range(13)])
    begin = start + offsets["ids"]
    assert [
        int.from_bytes(data[begin + 4 * i : begin + 4 * i + 4], "little") for i in range(13)
    ] == ids.tolist()
    begin = start + offsets["state"]
    assert list(data[begin : begin + 13]) == points.state.tolist()


def test_other_dtypes_are_converted() -> None:
    """A 64-bit column from the library is sent in the documented width."""
    points = some_points(5)
    points.pca = points.pca.astype(np.float64)
    points.ids = points.ids.astype(np.int64)
    header, columns = decode_points(encode_points(points, []))
    np.testing.assert_array_equal(columns["ids"], points.ids)
    assert columns["pca"].dtype == np.float32
    assert header["classes"] == []
