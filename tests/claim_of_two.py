"""A claim for the tests: one side counts its rounds, the other cannot be set up."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from benchmarks.peers.common.claim import Action, Claim, Side
from benchmarks.peers.common.turns import main


def counting(_: Path) -> Action:
    numbers = count(1)
    print("what a side prints does not get into the way")  # noqa: T201
    return lambda: {"number": next(numbers)}


def broken(_: Path) -> Action:
    raise ValueError("no such thing")


CLAIM = Claim("two", "Two sides", (Side("good", counting, role="ours"), Side("bad", broken)))

if __name__ == "__main__":
    main(CLAIM)
