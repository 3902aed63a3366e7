"""The settings for readers: blind readings, the share of second readings, the guideline, and refitting."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from synthaug.errors import UserError
from synthaug.parsing import parse_json
from synthaug.store import catalog
from synthaug.workspace import Workspace

KEY = "reading"
LONGEST_GUIDELINE = 20_000
FEWEST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """The settings, which only an owner can change."""

    blind: bool = False  # labels and predictions are hidden before the answer
    second_share: float = 0.0  # share of images, 0..1, with a second, blind reading
    guideline: str = ""  # Markdown
    refit_every: int = 0  # number of labels after which the model is fitted again; 0: never


def settings(workspace: Workspace) -> ReadingSettings:
    """The current settings."""
    kept = catalog.get_setting(workspace.db, KEY)
    return ReadingSettings() if kept is None else parse_json(ReadingSettings, kept, "the reading settings")


def change(workspace: Workspace, **changes: Any) -> ReadingSettings:
    """Change some settings; returns all of them. Raises UserError."""
    with workspace.db.transaction():
        changed = replace(settings(workspace), **changes)
        _check(changed)
        catalog.set_setting(workspace.db, KEY, json.dumps(asdict(changed)))
    return changed


def _check(changed: ReadingSettings) -> None:
    if not 0 <= changed.second_share <= 1:
        raise UserError(f"the share of second readings is {changed.second_share}; it must be in 0 .. 1")
    if len(changed.guideline) > LONGEST_GUIDELINE:
        raise UserError(
            f"the guideline has {len(changed.guideline)} characters; it may have at most {LONGEST_GUIDELINE}"
        )
    if changed.refit_every != 0 and changed.refit_every < FEWEST_ANSWERS:
        raise UserError(
            f"the model cannot be fitted after every {changed.refit_every} answers; give 0 (never) or at least "
            f"{FEWEST_ANSWERS}"
        )
