"""What becomes of the classes that a source names: another class, none, not imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from synthaug.errors import UserError
from synthaug.parsing import JsonRecord, parse_record
from synthaug.records import ImportItem
from synthaug.store import catalog
from synthaug.workspace import Workspace, check_class_names

SHOWN = 10  # names that an error lists


@dataclass(frozen=True, slots=True)
class ClassMap(JsonRecord):
    """By what the source calls a class: the folder, the label, a whole number as text; "" is having none.

    ``classes``: -> the workspace's class; None: imported without one. ``skip``: not imported. ``add``: classes that
    the workspace gets first, in this order; those that it has stay as they are. What is not named here keeps its class.
    """

    classes: Mapping[str, str | None] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    add: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Raises UserError."""
        return parse_record(cls, data, "the mapping of classes", UserError)

    def apply(self, item: ImportItem) -> ImportItem | None:
        """The entry with its class here; None: it is not imported."""
        called = source_class(item)
        if called in self.skip:
            return None
        if called not in self.classes:
            return item
        return replace(item, class_name=self.classes[called], class_index=None)


def source_class(item: ImportItem) -> str:
    """What the source calls the class of an entry; "" where it says none."""
    return item.class_name or ("" if item.class_index is None else str(item.class_index))


def check(class_map: ClassMap, workspace: Workspace, named: Iterable[str]) -> None:
    """Refuse a map that names what neither the source (``named``) nor the workspace has. Raises UserError."""
    asked = [*class_map.classes, *class_map.skip]
    held = sorted(set(named))
    for name in asked:
        if name not in held:
            shown = ", ".join(repr(each) for each in held[:SHOWN]) + (" ..." if len(held) > SHOWN else "")
            raise UserError(f"nothing in the source is called {name!r}; there is: {shown}")
    twice = next((name for name in class_map.skip if name in class_map.classes), None)
    if twice is not None:
        raise UserError(f"{twice!r} is both mapped and skipped; give one of them")
    known = [*workspace.classes, *class_map.add]
    for name, target in class_map.classes.items():
        if target is not None and target not in known:
            listed = ", ".join(repr(each) for each in known)
            raise UserError(
                f"{name!r} is mapped to {target!r}, and there is no such class; there is: {listed}"
            )


def add_classes(class_map: ClassMap, workspace: Workspace) -> tuple[str, ...]:
    """Give the workspace the classes that it lacks; returns those that are new. Raises UserError."""
    with workspace.db.transaction():
        known = workspace.classes
        new = tuple(name for name in class_map.add if name not in known)
        if new:
            check_class_names([*known, *new])
            catalog.add_classes(workspace.db, new)
    return new
