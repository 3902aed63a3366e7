"""Reading the options that set guidance."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.cli.support import pairs
from synthaug.errors import UserError


def guidance_option(text: str | None) -> float | tuple[float, float] | None:
    """ "3" as a scale, "1..5" as the ends of a range. Raises UserError.

    >>> guidance_option("1..5")
    (1.0, 5.0)
    """
    if text is None:
        return None
    low, dots, high = text.partition("..")
    try:
        return (float(low), float(high)) if dots else float(low)
    except ValueError as error:
        raise UserError(f"--guidance {text!r} is neither a number (3) nor a range (1..5)") from error


def slot_guidance_options(options: Sequence[str]) -> dict[str, dict[str, float]]:
    """ "STROKE=bold:4,thin:2" as slot -> value -> scale. Raises UserError.

    >>> slot_guidance_options(["STROKE=bold:4,thin:2"])
    {'STROKE': {'bold': 4.0, 'thin': 2.0}}
    """
    found: dict[str, dict[str, float]] = {}
    for slot, listed in pairs("--slot-guidance", options).items():
        for entry in listed.split(","):
            value, _, scale = entry.rpartition(":")
            try:
                found.setdefault(slot, {})[value.strip()] = float(scale)
            except ValueError as error:
                raise UserError(
                    f"--slot-guidance {slot}={listed}: {entry!r} is not VALUE:SCALE, such as bold:4"
                ) from error
    return found
