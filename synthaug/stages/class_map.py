"""Mapping the classes of an import source to those of the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from synthaug.errors import UserError
from synthaug.parsing import JsonRecord, parse_record
from synthaug.records import ImportItem
from synthaug.store import catalog
from synthaug.workspace import Workspace, check_class_names

SHOWN = 10  # maximum number of names in a message


@dataclass(frozen=True, slots=True)
class ClassMap(JsonRecord):
    """A mapping of classes of a source, which are folder names, labels or numbers as text; "" means without a class.

    ``classes`` maps a class of the source to one of the workspace, or to None to import its images without a class.
    ``skip`` lists classes that are not imported, and ``add`` classes that are first added to the workspace, in this
    order, unless they exist. Other classes keep their names.
    """

    classes: Mapping[str, str | None] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    add: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Restore a mapping. Raises UserError."""
        return parse_record(cls, data, "the mapping of classes", UserError)

    def apply(self, item: ImportItem) -> ImportItem | None:
        """The entry with its class in the workspace, or None if it is skipped."""
        called = source_class(item)
        if called in self.skip:
            return None
        if called not in self.classes:
            return item
        return replace(item, class_name=self.classes[called], class_index=None)


def source_class(item: ImportItem) -> str:
    """The class of an entry in the source; "" if it has none."""
    return item.class_name or ("" if item.class_index is None else str(item.class_index))


def check(class_map: ClassMap, workspace: Workspace, named: Iterable[str]) -> None:
    """Raises UserError for classes that neither the source (which has those in ``named``) nor the workspace has."""
    asked = [*class_map.classes, *class_map.skip]
    held = sorted(set(named))
    for name in asked:
        if name not in held:
            shown = ", ".join(repr(each) for each in held[:SHOWN]) + (" ..." if len(held) > SHOWN else "")
            raise UserError(f"the source has no class {name!r}; it has: {shown}")
    twice = next((name for name in class_map.skip if name in class_map.classes), None)
    if twice is not None:
        raise UserError(f"{twice!r} is both mapped and skipped; choose one")
    known = [*workspace.classes, *class_map.add]
    for name, target in class_map.classes.items():
        if target is not None and target not in known:
            listed = ", ".join(repr(each) for each in known)
            raise UserError(
                f"{name!r} is mapped to {target!r}, which is not a class of the workspace; it has: {listed}"
            )


def add_classes(class_map: ClassMap, workspace: Workspace) -> tuple[str, ...]:
    """Add the missing classes to the workspace; returns the new ones. Raises UserError."""
    with workspace.db.transaction():
        known = workspace.classes
        new = tuple(name for name in class_map.add if name not in known)
        if new:
            check_class_names([*known, *new])
            catalog.add_classes(workspace.db, new)
    return new
