"""What a source would bring, before anything is written: its classes, what they could become, and samples."""

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
"""Images of a class that are shown."""

Proposal = Literal["class", "none", "add"]


@dataclass(frozen=True, slots=True)
class Group:
    """The entries that a source calls ``name``; "" has no class.

    ``proposal``: what they could become: the class ``to``, no class, or a class that is to be added, called ``name``.
    ``samples``: paths of the first entries.
    """

    name: str
    images: int
    proposal: Proposal
    to: str | None
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a source holds. ``refused``: (path, reason) of entries that are known not to be read.

    ``numbered``: its classes are numbers without names. ``train`` and ``test``: entries that it assigns to a split.
    ``passed_over``: files of a folder that are no images, by ending. ``tests_here``: the workspace has test images.
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
    """Look through a source. Raises ImportFailed where it cannot be read, UnknownName for a format."""
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
    """What a source's class could become here: the class of that name (or number), no class, a class to be added.

    Never a class that somebody would have to guess: "cats" is not taken for "cat".
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
    """The pictures (H, W, 3) of some entries, by path; those that cannot be read are left out."""
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
    """Names first, numbers in their order, and what has no class last."""
    number = int(called) if called.isdecimal() and len(called) < 10 else 0
    return (not called, number, called)


def _passed_over(source: Path, seen: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Endings of the files that the importer did not look at, the commonest first; hidden ones are not counted."""
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
