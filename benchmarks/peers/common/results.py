"""Results: one entry a claim in docs/performance.json; medians, ratios and whether a row reaches its goal."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import Any

from .environments import ROOT

FILE = ROOT / "docs" / "performance.json"
TWICE = 2.0  # what a row should be faster than the best peer, or else within of the floor
LONG = {False: "long", True: "much"}  # time, memory
Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One row: medians of ours, of the best peer and of the floor, and what follows from them."""

    title: str
    unit: str
    ours: float | None
    best: float | None
    best_name: str
    floor: float | None
    times_faster: float | None
    """How many times as fast as the best peer we are; above 1 = faster."""
    times_floor: float | None
    """How many times the floor's time we take; 1 = at the floor."""
    why: str

    @property
    def verdict(self) -> str:
        """Whether the row reaches the goal, and by how much it misses it."""
        memory = self.unit == "MB"
        near = self.times_floor is not None and self.times_floor <= TWICE
        if self.ours is None:
            return "not measured"
        if self.times_faster is None:
            return "no peer could be run" + ("; within twice the floor" if near else "")
        if self.times_faster < 1:
            return f"missed: {'needs' if memory else 'takes'} {1 / self.times_faster:.2f} times as {LONG[memory]}"
        if self.times_faster >= TWICE:
            return "met: " + ("half as much or less" if memory else "at least twice as fast")
        better = "as little" if memory else "as fast"
        if near:
            return f"met: {better}, and within twice the floor"
        above = "" if self.times_floor is None else f", and {self.times_floor:.1f} times the floor"
        return f"missed: at least {better}, but not by twice{above}"

    @property
    def missed(self) -> bool:
        """Whether the row misses the goal."""
        return self.verdict.startswith("missed")


def median(side: Result, figure: str) -> float | None:
    """Median of a figure over the rounds of a side that ran; None if it has none."""
    values = [each[figure] for each in side["rounds"] if figure in each]
    return statistics.median(values) if values and not side["failed"] else None


def compare(result: Result) -> list[Compared]:
    """The rows of a result."""
    return [compare_row(result, row) for row in result["rows"]]


def compare_row(result: Result, row: Result) -> Compared:
    """One row of a result."""
    higher = row["higher_is_better"]
    found: dict[str, list[tuple[float, str]]] = {"ours": [], "peer": [], "floor": []}
    for side in result["sides"]:
        value = median(side, row["figure"])
        recall = median(side, "recall")
        if value is not None and (recall is None or recall >= row["least"]):
            found[side["role"]].append((value, side["name"]))
    ours = found["ours"][0][0] if found["ours"] else None
    floor = (
        found["floor"][0][0] if found["floor"] and row["unit"] != "MB" else None
    )  # of memory none is known
    best, name = (max if higher else min)(found["peer"], default=(None, ""))
    return Compared(
        title=row["title"] or result["title"],
        unit=row["unit"],
        ours=ours,
        best=best,
        best_name=name,
        floor=floor,
        times_faster=ratio(ours, best) if higher else ratio(best, ours),
        times_floor=ratio(floor, ours) if higher else ratio(ours, floor),
        why=row["why"],
    )


def ratio(above: float | None, below: float | None) -> float | None:
    """``above / below`` where both were measured."""
    return None if above is None or not below else above / below


def load() -> dict[str, Result]:
    """All stored results by name of the claim."""
    if not FILE.exists():
        return {}
    stored: dict[str, Result] = json.loads(FILE.read_text(encoding="utf-8"))
    return stored


def show(result: Result) -> None:
    """Print the medians of every side and the verdicts."""
    for row, compared in zip(result["rows"], compare(result), strict=True):
        found = {side["name"]: median(side, row["figure"]) for side in result["sides"]}
        figures = ", ".join(f"{name} {value:.4g}" for name, value in found.items() if value is not None)
        print(f"  {compared.title} ({row['unit']}): {figures}: {compared.verdict}", flush=True)


def save(result: Result) -> None:
    """Store a claim's result in place of its last one."""
    stored = load() | {result["name"]: rounded(result)}
    FILE.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """The same with floats of five digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value
