"""The binary format of the map's points, which the browser reads as typed arrays from a single response.

Layout, little-endian throughout::

    u32      length of the JSON header in bytes
    bytes    the header, UTF-8: {n, classes, model, scored_at, ..., columns: [{name, dtype, shape, offset}]}
    padding  zero bytes up to a multiple of 8
    columns  raw values, each padded to a multiple of 8; ``offset`` counts bytes from the end of the
             header's padding, so that the browser can view the buffer as typed arrays without copying
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthaug.reading.explore import Points
    from synthaug.reading.facets import Facet

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
"""Name and element type of every column, in the order in which they are sent."""

ALIGNMENT = 8


class Header(TypedDict):
    """What the points say of themselves, beside the columns."""

    n: int
    classes: list[str]
    model: str
    model_id: int | None
    scored_at: str
    ood_method: str
    umap_placed: int


class FacetHeader(TypedDict):
    """A facet without its codes."""

    name: str
    title: str
    values: list[str]
    sets: tuple[tuple[int, ...], ...] | None


class FacetsHeader(TypedDict):
    """The facets, in the order of their columns."""

    facets: list[FacetHeader]


class Column(TypedDict):
    """Where a column lies in the body, in bytes, and how it is read."""

    name: str
    dtype: str
    shape: list[int]
    offset: int


def encode_points(points: Points, classes: Sequence[str]) -> bytes:
    """Encode ``points`` for ``/data/points``; the class columns are indices into the names ``classes``."""
    header: Header = {
        "n": len(points.ids),
        "classes": list(classes),
        "model": points.model,
        "model_id": points.model_id,
        "scored_at": points.scored_at,
        "ood_method": points.ood_method,
        "umap_placed": points.umap_placed,
    }
    return encode_columns(header, [(name, dtype, getattr(points, name)) for name, dtype in COLUMNS])


def encode_facets(facets: Sequence[Facet]) -> bytes:
    """Encode ``facets`` for ``/data/facets``: one column per facet, with titles and values in the header."""
    described: list[FacetHeader] = [
        {"name": each.name, "title": each.title, "values": list(each.values), "sets": each.sets}
        for each in facets
    ]
    return encode_columns({"facets": described}, [(each.name, "uint16", each.codes) for each in facets])


def encode_columns(header: Header | FacetsHeader, named: Sequence[tuple[str, str, NDArray[Any]]]) -> bytes:
    """Encode a header and columns (name, element type, values) in the layout above."""
    body = bytearray()
    columns: list[Column] = []
    for name, dtype, given in named:
        values = np.ascontiguousarray(given, np.dtype(dtype).newbyteorder("<"))
        columns.append({"name": name, "dtype": dtype, "shape": list(values.shape), "offset": len(body)})
        body += _padded(values.tobytes())
    text = json.dumps({**header, "columns": columns}, separators=(",", ":")).encode()
    return _padded(struct.pack("<I", len(text)) + text) + bytes(body)


def decode_points(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Decode the header and the columns from :func:`encode_points`."""
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
