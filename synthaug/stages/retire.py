"""Retiring slot values, which later jobs then leave out, and restoring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from synthaug.errors import UserError
from synthaug.store import retired as log
from synthaug.templates import Template
from synthaug.workspace import Workspace

Retired: TypeAlias = log.Retired

MOST_LETTERS = 500
MAX_VALUES = 1_000_000  # values of a slot among which retired ones are looked up


def retired(workspace: Workspace) -> list[Retired]:
    """The retired values, the latest first."""
    return log.current(workspace.db)


def retire(workspace: Workspace, slot: str, value: str, person: str) -> None:
    """Leave a value out of all jobs that are queued later, in every template with the slot. Raises UserError."""
    slot, person = slot.strip(), person.strip()
    if not slot or len(slot) > MOST_LETTERS or len(value) > MOST_LETTERS:
        raise UserError(
            f"{slot[:80]!r} = {value[:80]!r}: a slot and its value may have at most {MOST_LETTERS} characters"
        )
    if not person:
        raise UserError("retiring a value needs a name: --annotator NAME")
    if not _holds(workspace, slot, value):
        log.append(workspace.db, slot, value, True, person)


def take_back(workspace: Workspace, slot: str, value: str, person: str) -> None:
    """Restore a retired value. Raises UserError if it is not retired."""
    if not _holds(workspace, slot.strip(), value):
        raise UserError(f"{value!r} of the slot {slot.strip()!r} is not retired; see: synthaug retire")
    log.append(workspace.db, slot.strip(), value, False, person.strip())


def left_out(
    workspace: Workspace, template: str, slots: Mapping[str, Sequence[str]] | None = None
) -> dict[str, list[str]]:
    """The values that a job with this template would leave out, by slot. Raises TemplateError."""
    names = retired(workspace)
    if not names:
        return {}
    found: dict[str, list[str]] = {}
    for name, values in Template.parse(template, slots).slots.items():
        gone = {each.value for each in names if each.slot.casefold() == name.casefold()}
        here = gone if len(values) > MAX_VALUES else gone.intersection(values) if gone else set()
        if here:
            found[name] = sorted(here)
    return found


def _holds(workspace: Workspace, slot: str, value: str) -> bool:
    return any((each.slot.casefold(), each.value) == (slot.casefold(), value) for each in retired(workspace))
