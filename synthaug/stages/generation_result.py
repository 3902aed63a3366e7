"""The result of a generation job so far, as stored in the job table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Cut:
    """The number of prompts too long for the text encoder, and the ignored end of one of them."""

    images: int
    example: str


@dataclass(frozen=True, slots=True)
class GenerationResult:
    """The images and the time of one run of a generation job."""

    generated: int = 0  # images generated in this run
    skipped: int = 0  # images that already existed
    seconds: float = 0.0  # time spent generating
    cut: Cut | None = None  # over all runs of the job; None: no prompt was too long

    def after(self, unread: Sequence[str], seconds: float) -> GenerationResult:
        """The result after more images were stored, ``seconds`` after the run started to generate.

        ``unread`` is, for each of them, the part of its prompt that was too long to read, "" for most.
        """
        cuts = [each for each in unread if each]
        cut = self.cut
        if cuts:
            cut = Cut(len(cuts), cuts[0]) if cut is None else replace(cut, images=cut.images + len(cuts))
        return GenerationResult(self.generated + len(unread), self.skipped, round(seconds, 3), cut)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON; ``cut`` is left out if no prompt was too long."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GenerationResult:
        """The result from JSON; all zero for a job that has not started."""
        known = {name: data[name] for name in ("generated", "skipped", "seconds") if name in data}
        return cls(**known, cut=Cut(**data["cut"]) if "cut" in data else None)
