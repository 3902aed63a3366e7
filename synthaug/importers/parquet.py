"""The importer of Hugging Face's image layout: parquet files with a column of {bytes, path} and a label column.

It reads few rows at a time. Class names come from the features that ``datasets`` stores in the schema, and the split
from the name of the file (``train-00000-of-00002.parquet``) or its folder.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from synthaug.errors import ImportFailed
from synthaug.importers.base import Only
from synthaug.parsing import JsonObject, parse_json, parse_record
from synthaug.records import ImportItem, Split

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile
    from pydantic import JsonValue

BATCH = 256  # rows in memory at a time

_LABELS = ("label", "labels", "fine_label", "class", "class_name", "target")
_CAPTIONS = ("text", "caption", "prompt")


@dataclass(frozen=True, slots=True)
class _Columns:
    """The names of the columns, and the names of the classes that labels index."""

    image: str
    label: str | None
    caption: str | None
    class_names: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class _Info:
    """What ``datasets`` records about a data set; ``features`` describes each column."""

    features: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The metadata ``huggingface`` of the schema."""

    info: _Info = field(default_factory=_Info)


@dataclass(frozen=True, slots=True)
class _Feature:
    """What ``datasets`` records about one column: its type, such as "ClassLabel", and unchecked class names."""

    kind: JsonValue
    names: JsonValue


class ParquetImporter:
    """A ``.parquet`` file, or all of them below a folder."""

    name: ClassVar[str] = "parquet"
    description: ClassVar[str] = "Parquet in the Hugging Face image layout: a file or a folder of files"

    def accepts(self, source: Path) -> bool:
        return source.suffix == ".parquet" or any(source.glob("*.parquet")) or any(source.glob("*/*.parquet"))

    def items(self, source: Path, only: Only = None) -> Iterator[ImportItem]:
        for path in _files(source):
            yield from _rows(path, path.relative_to(source) if path != source else Path(path.name), only)

    def class_names(self, source: Path) -> list[str] | None:
        names: dict[str, None] = {}
        for path in _files(source):
            names.update(dict.fromkeys(_columns(path, _schema(path, _open(path))).class_names or ()))
        return list(names) or None

    def count(self, source: Path) -> int:
        return sum(_open(path).metadata.num_rows for path in _files(source))


def _files(source: Path) -> list[Path]:
    files = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    if not files or not files[0].is_file():
        raise ImportFailed(f"there is no .parquet file at {source}")
    return files


def _open(path: Path) -> ParquetFile:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportFailed("reading parquet needs pyarrow: pip install 'synthaug[parquet]'") from error
    try:
        return pq.ParquetFile(path)
    # UnicodeDecodeError: a column whose name is not UTF-8
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ImportFailed(f"{path} is not a readable parquet file: {error}") from error


def _rows(path: Path, shown: Path, only: Only) -> Iterator[ImportItem]:
    import pyarrow as pa

    file = _open(path)
    columns = _columns(path, _schema(path, file))
    split = _split(shown)
    number = 0
    try:
        for group in range(file.metadata.num_row_groups):
            reads = only is None or _holds(file, group, number, shown, only)
            wanted = [columns.image if reads else None, columns.label, columns.caption]
            for row in _group_rows(file, group, [name for name in wanted if name is not None]):
                yield _item(f"{shown.as_posix()}#{number}", row, columns, split, reads)
                number += 1
    # ValueError and OverflowError: values for which Python has no type
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise ImportFailed(f"{path} cannot be read from row {number} on: {error}") from error


def _holds(file: ParquetFile, group: int, first: int, shown: Path, only: Collection[str]) -> bool:
    """Whether a row group, whose first row has the number ``first``, contains one of the entries ``only``."""
    rows = range(first, first + file.metadata.row_group(group).num_rows)
    found = (each.rpartition("#") for each in only)
    return any(name == shown.as_posix() and int(number) in rows for name, _, number in found)


def _group_rows(file: ParquetFile, group: int, columns: list[str]) -> Iterator[dict[str, object]]:
    """The values of these columns in each row of a row group."""
    if not columns:
        yield from ({} for _ in range(file.metadata.row_group(group).num_rows))
        return
    for batch in file.iter_batches(BATCH, row_groups=[group], columns=columns):
        yield from batch.to_pylist()


def _schema(path: Path, file: ParquetFile) -> pa.Schema:
    import pyarrow as pa

    try:
        return file.schema_arrow
    except (pa.ArrowException, ValueError) as error:
        raise ImportFailed(f"{path} has a schema that cannot be read: {error}") from error


def _item(
    where: str, row: Mapping[str, object], columns: _Columns, split: Split | None, reads: bool
) -> ImportItem:
    image = row.get(columns.image)
    data, inner = (image.get("bytes"), image.get("path")) if isinstance(image, dict) else (image, None)
    caption = row[columns.caption] if columns.caption else None
    label = row[columns.label] if columns.label else None
    class_name, class_index, problem = _class(label, columns.class_names)
    if reads and (not isinstance(data, bytes) or not data):
        data = b""
        problem = "the row contains no image bytes" + (f", only the path {inner!r}" if inner else "")
    return ImportItem(
        path=where,
        data=data if isinstance(data, bytes) and reads and not problem else b"",
        class_name=class_name,
        class_index=class_index,
        split=split,
        caption=caption if isinstance(caption, str) and caption else None,
        metadata={"path": inner} if inner else {},
        rejected=problem,
    )


def _class(label: object, names: Sequence[str] | None) -> tuple[str | None, int | None, str]:
    """The class name of a label, its class index if there are no names, and the reason to reject it, if any.

    In Hugging Face's layout, -1 means that there is no label.
    """
    if label is None or label == -1:
        return None, None, ""
    if names is None:
        return (None, label, "") if isinstance(label, int) else (str(label), None, "")
    if isinstance(label, int) and 0 <= label < len(names):
        return names[label], None, ""
    return None, None, f"label {label!r} is not one of the {len(names)} classes"


def _split(path: Path) -> Split | None:
    """The split in a path such as ``train-00000-of-00001.parquet``, ``test.parquet`` or ``test/0.parquet``."""
    for part in reversed(path.with_suffix("").parts):
        word = part.split("-")[0].lower()
        if word in ("train", "test"):
            return "train" if word == "train" else "test"
    return None


def _columns(path: Path, schema: pa.Schema) -> _Columns:
    """Find the columns. Raises ImportFailed if there is no image column, or one has an impossible type."""
    import pyarrow as pa

    features = _features(path, schema)
    typed = {name: features[name].kind for name in schema.names if name in features}
    structs = [field.name for field in schema if pa.types.is_struct(field.type) and _has_bytes(field.type)]
    images = [name for name, kind in typed.items() if kind == "Image"] or structs
    images = images or [name for name in ("image", "img") if name in schema.names]
    if not images:
        raise ImportFailed(
            f"{path} has no image column (a struct of bytes and path); its columns are {schema.names}"
        )
    labels = [name for name in _LABELS if name in schema.names]
    classes = [name for name, kind in typed.items() if kind == "ClassLabel"]
    label = next((name for name in labels if name in classes), (classes or labels or [None])[0])
    caption = next((name for name in _CAPTIONS if name in schema.names), None)
    if label is not None:
        _check_type(path, schema, label, "label", "whole numbers or text", (pa.types.is_integer, _is_text))
    if caption is not None:
        _check_type(path, schema, caption, "caption", "text", (_is_text,))
    return _Columns(
        image=images[0],
        label=label,
        caption=caption,
        class_names=_names(path, label, features[label].names) if label in classes else None,
    )


def _names(path: Path, label: str, names: JsonValue) -> tuple[str, ...]:
    """The class names of a label column. Raises ImportFailed if they are not a list of texts."""
    what = f"the Hugging Face metadata of {path}, the names of {label!r},"
    return parse_record(tuple[str, ...], names, what, ImportFailed)


def _check_type(
    path: Path,
    schema: pa.Schema,
    column: str,
    what: str,
    wanted: str,
    allowed: Sequence[Callable[[pa.DataType], bool]],
) -> None:
    """Raises ImportFailed for a column whose type does not fit its name."""
    import pyarrow as pa

    kind = schema.field(schema.names.index(column)).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_null(kind) or any(each(kind) for each in allowed)):
        raise ImportFailed(
            f"{path} has a {what} column {column!r} of the type {kind}; it must contain {wanted}"
        )


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _has_bytes(struct: pa.StructType) -> bool:
    return any(struct.field(index).name == "bytes" for index in range(struct.num_fields))


def _features(path: Path, schema: pa.Schema) -> dict[str, _Feature]:
    """What ``datasets`` recorded about the columns; empty if another program wrote the file."""
    recorded = (schema.metadata or {}).get(b"huggingface")
    if recorded is None:
        return {}
    what = f"the Hugging Face metadata of {path}"
    features = parse_json(_Recorded, recorded, what, ImportFailed).info.features or {}
    return {
        name: _Feature(feature.get("_type"), feature.get("names"))
        for name, feature in features.items()
        if isinstance(feature, dict)
    }
