"""What a generation job has done so far, as the job table keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Cut:
    """How many prompts were longer than the text encoder reads, and the end of one that it did not read."""

    images: int
    example: str


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """Images this run of the job made, images that were there already, and how long it drew."""

    generated: int = 0
    skipped: int = 0
    seconds: float = 0.0
    cut: Cut | None = None  # over all runs of the job; None: every prompt was read whole

    def after(self, unread: Sequence[str], seconds: float) -> GenerationResult:
        """The result once more images are stored, ``seconds`` after the run began to draw.

        ``unread``: for each of them the end of its prompt that was not read, "" for most.
        """
        cuts = [each for each in unread if each]
        cut = self.cut
        if cuts:
            cut = Cut(len(cuts), cuts[0]) if cut is None else replace(cut, images=cut.images + len(cuts))
        return GenerationResult(self.generated + len(unread), self.skipped, round(seconds, 3), cut)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``cut`` is there only where something was cut."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationResult:
        """The result of a job; all zero for one that has not begun."""
        known = {name: data[name] for name in ("generated", "skipped", "seconds") if name in data}
        return cls(**known, cut=Cut(**data["cut"]) if "cut" in data else None)
