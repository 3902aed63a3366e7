"""How much of what missing images cost each training set recovers."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.experiments.base import Panel, Row


def gap_panel(rows: Sequence[Row], low: str, high: str, rare: str) -> Panel:
    """The share of the loss between the arms ``high`` and ``low`` that every other arm recovers.

    Columns: of the accuracy, of the recall of the class ``rare``, and of its AUC.
    """
    by_name = {row.arm: row for row in rows}
    worst, best = by_name[low], by_name[high]
    shares = tuple(
        (
            row.title,
            _share(worst.accuracy, row.accuracy, best.accuracy),
            _share(worst.per_class[rare], row.per_class[rare], best.per_class[rare]),
            _share(worst.auc.get(rare), row.auc.get(rare), best.auc.get(rare)),
        )
        for row in rows
        if row not in (worst, best)
    )
    return Panel(
        "How much of the loss is made good",
        f"0% is {worst.title!r}, 100% is {best.title!r}. The percentage means little where these two hardly differ. "
        "The AUC depends only on how the images are ranked, not on how often the class is predicted.",
        columns=("training set", "of accuracy, %", f"of {rare}, %", f"of the AUC of {rare}, %"),
        rows=shares,
    )


def _share(low: float | None, value: float | None, high: float | None) -> float | None:
    """Position of ``value`` between ``low`` (0) and ``high`` (100) in percent; None where it is undefined."""
    if low is None or value is None or high is None or low == high:
        return None
    return round(100 * (value - low) / (high - low), 1)
