"""Says at the end how many examples each property had."""

from __future__ import annotations

from typing import Any

from tests.fuzz.harness import tried


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if tried:
        terminalreporter.section("fuzzing")
        for name, examples in sorted(tried.items()):
            terminalreporter.write_line(f"{examples:9,} examples  {name}")
        terminalreporter.write_line(f"{tried.total():9,} examples")
