"""Strategies: any text, any JSON, and valid files with a few bytes or values changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

NUMBERS = st.sampled_from([0, -1, 1, 2, 255, 256, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**400])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "\ud800", "\0", "../../x", "a\nb", "x" * 5000, "=1+1"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def changed_bytes(draw: st.DrawFn, valid: bytes, most: int | None = None) -> bytes:
    """``valid`` cut short, lengthened or with bytes changed; ``most``: only in so many first bytes."""
    data = bytearray(valid)
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, max(0, min(len(data), most or len(data)) - 1)))
        match draw(st.sampled_from(["set", "insert", "delete", "cut"])):
            case "set":
                data[place : place + 1] = bytes([draw(st.integers(0, 255))])
            case "insert":
                data[place:place] = draw(st.binary(max_size=12))
            case "delete":
                del data[place : place + draw(st.integers(1, 40))]
            case "cut":
                del data[place:]
    return bytes(data)


@st.composite
def changed_json(draw: st.DrawFn, valid: Callable[[], Any]) -> str:
    """A valid JSON value in which up to three places hold something else, are gone or new."""
    value = copy.deepcopy(valid())
    for _ in range(draw(st.integers(1, 3))):
        value = _changed(draw, value)
    return json.dumps(value)


def _changed(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 5)) == 0:
        return draw(JSON)
    keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    match draw(st.sampled_from(["deeper", "deeper", "delete", "add"])):
        case "delete":
            del value[key]
        case "add" if isinstance(value, dict):
            value[draw(st.text(max_size=8))] = draw(JSON)
        case _:
            value[key] = _changed(draw, value[key])
    return value
