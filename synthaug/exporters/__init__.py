"""Exporters: one module per format; an exporter is looked up by name and imported on use."""

from __future__ import annotations

from importlib import import_module

from synthaug.errors import UnknownName
from synthaug.exporters.base import Exporter

EXPORTERS = {
    "cifar10": "synthaug.exporters.cifar:CifarExporter",
    "cifar10-binary": "synthaug.exporters.cifar:CifarBinaryExporter",
    "folder": "synthaug.exporters.folder:FolderExporter",
    "parquet": "synthaug.exporters.parquet:ParquetExporter",
    "webdataset": "synthaug.exporters.webdataset:WebDatasetExporter",
}


def load_exporter(name: str) -> Exporter:
    """The exporter called ``name``. Raises UnknownName."""
    if name not in EXPORTERS:
        raise UnknownName("export format", name, EXPORTERS)
    module, _, attribute = EXPORTERS[name].partition(":")
    exporter: Exporter = getattr(import_module(module), attribute)()
    return exporter
