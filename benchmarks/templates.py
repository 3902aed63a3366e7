"""Prompt templates: the shipped cat template counted, expanded, read at random and sampled.

    python benchmarks/templates.py

Beside it stands the bare ``itertools.product`` with an f-string, which keeps neither slots nor indices: the
floor for any expansion in Python. Figures are the best of five, wall clock, one process.
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
    """The texts of the cat template and nothing else."""
    lists = shipped_lists()
    rows = product(lists["breed"], lists["preposition"], lists["furniture"])
    return [f"{breed} cat {preposition} the {furniture}" for breed, preposition, furniture in rows]


def main() -> None:
    """Measure and print one line a figure."""
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
