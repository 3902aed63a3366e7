"""The binary form of the embedding's points: one request, typed arrays on the other side.

Layout, little-endian throughout::

    u32      length of the JSON header in bytes
    bytes    the header, UTF-8: {n, classes, model, scored_at, columns: [{name, dtype, shape, offset}]}
    padding  zero bytes up to a multiple of 8
    columns  raw values, each padded to a multiple of 8; ``offset`` counts bytes from the end of the
             header's padding, so that a browser lays typed arrays over the buffer without copying
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthaug.reading.explore import Points

COLUMNS: tuple[tuple[str, str], ...] = (
    ("ids", "uint32"),
    ("pca", "float32"),
    ("umap", "float32"),
    ("origin", "uint8"),
    ("label", "uint8"),
    ("prompted", "uint8"),
    ("predicted", "uint8"),
    ("state", "uint8"),
    ("confidence", "float32"),
    ("ood_real", "float32"),
    ("ood_synthetic", "float32"),
)
"""Every column and its element type, in the order they are sent."""

ALIGNMENT = 8


def encode_points(points: Points, classes: Sequence[str]) -> bytes:
    """``points`` as the bytes of ``/data/points``; ``classes`` are the names that the class columns index."""
    body = bytearray()
    columns: list[dict[str, Any]] = []
    for name, dtype in COLUMNS:
        values = np.ascontiguousarray(getattr(points, name), np.dtype(dtype).newbyteorder("<"))
        columns.append({"name": name, "dtype": dtype, "shape": list(values.shape), "offset": len(body)})
        body += _padded(values.tobytes())
    header = {
        "n": len(points.ids),
        "classes": list(classes),
        "model": points.model,
        "model_id": points.model_id,
        "scored_at": points.scored_at,
        "columns": columns,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    return _padded(struct.pack("<I", len(text)) + text) + bytes(body)


def decode_points(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The header and the columns of :func:`encode_points`."""
    (length,) = struct.unpack_from("<I", data)
    header = json.loads(data[4 : 4 + length])
    start = len(_padded(data[: 4 + length]))
    columns = {}
    for column in header["columns"]:
        dtype = np.dtype(column["dtype"]).newbyteorder("<")
        count = int(np.prod(column["shape"], dtype=np.int64))
        values = np.frombuffer(data, dtype, count, start + column["offset"])
        columns[column["name"]] = values.reshape(column["shape"])
    return header, columns


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)
