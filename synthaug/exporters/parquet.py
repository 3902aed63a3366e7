"""The exporter of Hugging Face's image layout: ``train-00000-of-00001.parquet`` with the features in the schema.

``datasets.load_dataset(directory)`` reads images and class names from it without a loading script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypedDict

from synthaug.errors import ExportFailed
from synthaug.exporters.base import caption_of, checked, png_of, prepare
from synthaug.records import ExportItem, Split

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

ROW_GROUP = 1000  # images that a reader loads at a time
_TEXT_COLUMNS = ("sha256", "origin", "text", "provenance")


class _Row(TypedDict):
    """One row of the table."""

    image: Mapping[str, bytes | str]  # "bytes": the PNG, "path": its name
    label: int
    sha256: str
    origin: str
    text: str
    provenance: str  # JSON


class ParquetExporter:
    """One parquet file per split, with PNG bytes, ClassLabel and the provenance as JSON."""

    name: ClassVar[str] = "parquet"
    description: ClassVar[str] = "Parquet in the Hugging Face image layout, any image size"

    def write(self, directory: Path, items: Iterable[ExportItem], class_names: Sequence[str]) -> None:
        try:
            import pyarrow.parquet as pq
        except ImportError as error:
            raise ExportFailed("writing parquet needs pyarrow: pip install 'synthaug[parquet]'") from error
        prepare(directory, class_names)
        schema = _schema(class_names)
        rows: dict[Split, list[_Row]] = {"train": [], "test": []}
        with (
            pq.ParquetWriter(_path(directory, "train"), schema) as train,
            pq.ParquetWriter(_path(directory, "test"), schema) as test,
        ):
            writers = {"train": train, "test": test}
            for item in checked(items, class_names):
                rows[item.split].append(_row(item))
                if len(rows[item.split]) == ROW_GROUP:
                    _flush(writers[item.split], rows[item.split], schema)
            for split, rest in rows.items():
                _flush(writers[split], rest, schema)


def _path(directory: Path, split: Split) -> Path:
    return directory / f"{split}-00000-of-00001.parquet"


def _schema(class_names: Sequence[str]) -> pa.Schema:
    """The arrow schema, with the features as ``datasets`` itself writes them."""
    import pyarrow as pa

    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(class_names), "_type": "ClassLabel"},
        **{name: {"dtype": "string", "_type": "Value"} for name in _TEXT_COLUMNS},
    }
    fields = [
        pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        pa.field("label", pa.int64()),
        *(pa.field(name, pa.string()) for name in _TEXT_COLUMNS),
    ]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _row(item: ExportItem) -> _Row:
    return {
        "image": {"bytes": png_of(item), "path": f"{item.sha256}.png"},
        "label": item.class_index,
        "sha256": item.sha256,
        "origin": item.origin,
        "text": caption_of(item),
        "provenance": json.dumps(item.provenance, sort_keys=True, ensure_ascii=False),
    }


def _flush(writer: ParquetWriter, rows: list[_Row], schema: pa.Schema) -> None:
    """Write ``rows`` as one row group and empty the list."""
    import pyarrow as pa

    if rows:
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        rows.clear()
