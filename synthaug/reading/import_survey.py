"""A preview of an import: the classes of the source, proposals for mapping them, and sample images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synthaug.errors import ImageRejected
from synthaug.grayscale import as_picture
from synthaug.images import decode
from synthaug.importers import detect, load_importer
from synthaug.importers.dicom import is_dicom, read_dicom
from synthaug.importers.metadata import TABLES
from synthaug.records import ImportItem, Pixels
from synthaug.stages.class_map import source_class
from synthaug.stages.test_split import has_test_images
from synthaug.workspace import Workspace

SAMPLES = 4
"""Number of sample images of each class."""

Proposal = Literal["class", "none", "add"]


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one class of a source; the name "" stands for entries without a class.

    ``proposal`` is to import them as the class ``to``, without a class, or as a new class called ``name``. ``samples``
    are the paths of the first entries.
    """

    name: str
    images: int
    proposal: Proposal
    to: str | None
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """The content of a source. ``refused`` has (path, reason) of entries that cannot be read.

    ``numbered`` says that its classes are numbers without names. ``train`` and ``test`` count the entries that
    it assigns to a split. ``passed_over`` counts the files of a folder that are not images, by ending. ``classes`` are
    those of the workspace, and ``tests_here`` says whether the workspace has test images.
    """

    format: str
    images: int
    groups: tuple[Group, ...]
    numbered: bool
    train: int
    test: int
    refused: tuple[tuple[str, str], ...]
    passed_over: tuple[tuple[str, int], ...]
    classes: tuple[str, ...]
    tests_here: bool


def survey(workspace: Workspace, source: Path, format: str = "auto") -> Survey:
    """List the content of a source. Raises ImportFailed if it cannot be read, and UnknownName for an unknown format."""
    name = detect(source) if format == "auto" else format
    counts: Counter[str] = Counter()
    splits: Counter[str | None] = Counter()
    samples: dict[str, list[str]] = {}
    refused, numbered, seen = [], False, set()
    for item in load_importer(name).items(source, only=()):
        seen.add(item.path)
        if item.rejected:
            refused.append((item.path, item.rejected))
            continue
        called = source_class(item)
        numbered |= item.class_index is not None
        counts[called] += 1
        splits[item.split] += 1
        first = samples.setdefault(called, [])
        if len(first) < SAMPLES:
            first.append(item.path)
    classes = workspace.classes
    return Survey(
        format=name,
        images=counts.total(),
        groups=tuple(
            Group(called, counts[called], *proposal(called, classes, numbered), tuple(samples[called]))
            for called in sorted(counts, key=_in_order)
        ),
        numbered=numbered,
        train=splits["train"],
        test=splits["test"],
        refused=tuple(refused),
        passed_over=_passed_over(source, seen) if name == "folder" else (),
        classes=classes,
        tests_here=has_test_images(workspace),
    )


UNLABELED = ("unlabeled", "unlabelled", "unknown", "unsorted", "none", "images", "img", "data", "films")


def proposal(called: str, classes: Sequence[str], numbered: bool = False) -> tuple[Proposal, str | None]:
    """The proposal for a class of a source: the class of this name (or number), no class, or a new class.

    Only equal names match: "cats" is not taken for "cat".
    """
    if not called or called.casefold() in UNLABELED:
        return "none", None
    if called in classes:
        return "class", called
    folded = [name for name in classes if name.casefold() == called.casefold().strip()]
    if len(folded) == 1:
        return "class", folded[0]
    if numbered and called.isdecimal() and int(called) < len(classes):
        return "class", classes[int(called)]
    return ("none", None) if numbered else ("add", None)


def samples(source: Path, format: str, paths: Sequence[str]) -> dict[str, Pixels]:
    """The images (H, W, 3) uint8 of some entries, by path; entries that cannot be read are left out."""
    wanted, found = set(paths), {}
    for item in load_importer(format).items(source, only=frozenset(paths)):
        if item.path not in wanted:
            continue
        wanted.discard(item.path)
        picture = _picture(item)
        if picture is not None:
            found[item.path] = picture
        if not wanted:
            break
    return found


def _picture(item: ImportItem) -> Pixels | None:
    try:
        if not isinstance(item.data, bytes):
            return item.data
        return as_picture(read_dicom(item.data)) if is_dicom(item.data[:132]) else decode(item.data)
    except ImageRejected:
        return None


def _in_order(called: str) -> tuple[int, int, str]:
    """Sort key: names, then numbers in numerical order, then entries without a class."""
    number = int(called) if called.isdecimal() and len(called) < 10 else 0
    return (not called, number, called)


def _passed_over(source: Path, seen: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Endings of the files that are not entries, with their counts, most frequent first; hidden files are left out."""
    known = set(seen)
    endings = Counter(
        path.suffix.lower() or path.name
        for path in source.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
        and path.name not in TABLES
        and path.relative_to(source).as_posix() not in known
    )
    return tuple(endings.most_common())
