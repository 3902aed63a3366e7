"""Converting a result to JSON and back."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from synthaug.experiments.base import Result


def to_json(result: Result) -> str:
    """JSON with one line per field, row, run or panel, so that versions are easy to compare. NaN becomes null."""
    lines = []
    for name, value in plain(result).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            shown = "[\n  " + ",\n  ".join(map(_dumped, value)) + "\n ]"
        else:
            shown = _dumped(value)
        lines.append(f" {_dumped(name)}: {shown}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def plain(value: Any) -> Any:
    """Convert records, mappings, tuples and numpy values to types that JSON supports; non-finite floats become None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Result:
    """Restore a result from the output of ``to_json``. Raises ValueError, TypeError or KeyError for anything else."""
    result: Result = _restored(json.loads(text), Result)
    return result


def _restored(value: Any, kind: Any) -> Any:
    """Restore a value of type ``kind`` from its JSON form."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _restored(each, hints[name]) for name, each in _of(dict, value).items()})
    if origin in (Union, types.UnionType):
        if value is None and types.NoneType in inner:
            return None
        return _restored(value, next(each for each in inner if each is not types.NoneType))
    if origin is tuple:
        each_kind = inner[:1] * len(_of(list, value)) if inner[1:] == (...,) else inner
        return tuple(_restored(each, one) for each, one in zip(value, each_kind, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _restored(each, inner[1]) for key, each in _of(dict, value).items()}
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{value!r} is not one of {inner}")
        return value
    if kind is float:
        return math.nan if value is None else float(value)
    return value


def _of(kind: type, value: Any) -> Any:
    """The value itself. Raises TypeError unless it has the type ``kind``."""
    if not isinstance(value, kind):
        raise TypeError(f"expected a {kind.__name__}, found {str(value)[:40]!r}")
    return value
