"""Importers: one module per format; an importer is looked up by name and imported on use."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from synthaug.errors import ImportFailed, UnknownName
from synthaug.importers.base import Importer

IMPORTERS = {  # in the order in which ``detect`` tries them
    "digits": "synthaug.importers.builtin:DigitsImporter",
    "hip-phantom": "synthaug.importers.hip.phantom:HipPhantomImporter",
    "parquet": "synthaug.importers.parquet:ParquetImporter",
    "cifar": "synthaug.importers.cifar:CifarImporter",
    "image": "synthaug.importers.single:SingleImporter",
    "folder": "synthaug.importers.folder:FolderImporter",
}
ALIASES = {"cifar10": "cifar", "cifar100": "cifar", "cifar10-binary": "cifar"}


def load_importer(name: str) -> Importer:
    """The importer called ``name``. Raises UnknownName."""
    name = ALIASES.get(name, name)
    if name not in IMPORTERS:
        raise UnknownName("import format", name, [*IMPORTERS, *ALIASES])
    module, _, attribute = IMPORTERS[name].partition(":")
    importer: Importer = getattr(import_module(module), attribute)()
    return importer


def detect(source: Path) -> str:
    """The name of the first importer that accepts ``source``. Raises ImportFailed if there is none."""
    try:
        source.exists()
    except OSError as error:  # such as a name that is too long
        raise ImportFailed(f"{str(source)[:80]!r} cannot be read: {error.strerror}") from error
    for name in IMPORTERS:
        if load_importer(name).accepts(source):
            return name
    if not source.exists():
        raise ImportFailed(f"{source} does not exist; give a folder, a file, 'digits' or 'hip-phantom'")
    raise ImportFailed(
        f"{source} has no format that can be imported: an image, a folder of images, CIFAR batches (a folder or a "
        ".tar.gz) or .parquet files. If it is one of these, name its format with --format"
    )
