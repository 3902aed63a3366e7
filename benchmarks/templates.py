"""Prompt templates: counting, expanding, random access and sampling of the shipped cat template.

    python benchmarks/templates.py

The floor for any expansion in Python is ``itertools.product`` with an f-string, which stores neither slots nor indices.
Times are the best of five, wall clock, in one process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import product

from synthaug.templates import Template, shipped_lists, shipped_template

SEED = 20


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of the fastest of ``repeats`` runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def bare() -> list[str]:
    """Only the texts of the cat template."""
    lists = shipped_lists()
    rows = product(lists["breed"], lists["preposition"], lists["furniture"])
    return [f"{breed} cat {preposition} the {furniture}" for breed, preposition, furniture in rows]


def main() -> None:
    """Measure, and print one line per result."""
    text = shipped_template("cat")
    template = Template.parse(text)
    numbers = [random.Random(SEED).randrange(template.count) for _ in range(10_000)]
    figures: dict[str, Callable[[], object]] = {
        "parse, count and unique_count": lambda: (
            Template.parse(text).count,
            Template.parse(text).unique_count,
        ),
        "all prompts with slots": lambda: list(template),
        "the same as bare itertools.product": bare,
        "10,000 prompts by number": lambda: [template.prompt(number) for number in numbers],
        "sample of 10,000": lambda: list(template.sample(10_000, SEED)),
        "stratified sample of 10,000": lambda: list(template.stratified(10_000, "PREPOSITION", SEED)),
    }
    print(f"{text}: {template.count} prompts, {template.unique_count} different")
    for name, action in figures.items():
        print(f"{name:<36} {best(action) * 1000:9.1f} ms")


if __name__ == "__main__":
    main()
