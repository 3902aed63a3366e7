"""Runs a claim: all sides set up, then round by round in turn, each round started by another side."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .claim import Claim, Side
from .machine import describe
from .results import save, show
from .worker import SideFailed, Worker, serve


def main(*claims: Claim) -> None:
    """The command line of a claim's file."""
    parser = argparse.ArgumentParser(description="; ".join(claim.title for claim in claims))
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every side")
    parser.add_argument("--only", nargs="+", metavar="SIDE", help="these sides, without writing the results")
    parser.add_argument("--side", nargs=3, metavar=("CLAIM", "SIDE", "DATA"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        name, side, data = options.side
        claim = next(claim for claim in claims if claim.name == name)
        serve(claim, claim.side(side), Path(data))
        return
    spec = sys.modules["__main__"].__spec__
    module = spec.name if spec else "benchmarks.peers"
    for claim in claims:
        result = measure(claim, module, options.rounds or claim.rounds, options.only)
        show(result)
        if not options.only:
            save(result)


def measure(claim: Claim, module: str, rounds: int, only: Sequence[str] | None = None) -> dict[str, Any]:
    """The claim's result, as it is stored."""
    sides = [side for side in claim.sides if not only or side.name in only]
    print(f"{claim.title}: {len(sides)} sides, {rounds} rounds", flush=True)
    load_before = os.getloadavg()
    with tempfile.TemporaryDirectory() as name:
        claim.prepare(Path(name))
        measured = in_turn(claim, sides, module, Path(name), rounds)
    return {
        "name": claim.name,
        "title": claim.title,
        "command": f"python -m {module}",
        "machine": describe(),
        "load": {"before": round(load_before[0], 1), "after": round(os.getloadavg()[0], 1)},
        "rounds": rounds,
        "floor": claim.floor,
        "notes": claim.notes,
        "rows": [
            asdict(row) for row in claim.rows if not row.optional or measured_by_us(measured, row.figure)
        ],
        "sides": measured,
    }


def measured_by_us(sides: Sequence[dict[str, Any]], figure: str) -> bool:
    """Whether our side measured a figure."""
    return any(figure in each for side in sides if side["role"] == "ours" for each in side["rounds"])


def in_turn(
    claim: Claim, sides: Sequence[Side], module: str, data: Path, rounds: int
) -> list[dict[str, Any]]:
    """What each side measured, or why it could not be run."""
    workers: dict[str, Worker] = {}
    found: dict[str, dict[str, Any]] = {}
    try:
        for side in sides:
            found[side.name] = {"name": side.name, "role": side.role, "rounds": [], "failed": ""}
            with recorded(found[side.name]):
                workers[side.name] = Worker(claim, side, module, data)
                found[side.name]["versions"] = workers[side.name].versions
                workers[side.name].round()  # warm-up, not counted
        for number in range(rounds):
            order = list(workers)
            for name in order[number % len(order) :] + order[: number % len(order)]:
                if not found[name]["failed"]:
                    with recorded(found[name]):
                        found[name]["rounds"].append(workers[name].round())
    finally:
        for worker in workers.values():
            worker.close()
    for figure in claim.same:
        refuse_other_work(list(found.values()), figure)
    return list(found.values())


def refuse_other_work(sides: Sequence[dict[str, Any]], figure: str) -> None:
    """Count a side as failed whose figure differs from ours, as it did not do the same work."""
    ours = {each[figure] for side in sides if side["role"] == "ours" for each in side["rounds"]}
    for side in sides:
        others = {each[figure] for each in side["rounds"] if figure in each} - ours
        if others and not side["failed"]:
            side["failed"] = f"did other work: {figure} {sorted(others)}, ours {sorted(ours)}"


class recorded:  # noqa: N801 - used like a function
    """Writes down why a side failed, so that the other sides go on."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, SideFailed):
            self.entry["failed"] = str(error)
            print(f"  {self.entry['name']} failed: {error}", flush=True)
            return True
        return False
