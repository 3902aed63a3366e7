"""Runs a property over drawn examples: a fixed 50 of them, or anew until a time is over.

``SYNTHAUG_FUZZ_SECONDS`` is the time for each property (``make fuzz`` sets it); without it the examples are the same
in every run. An example that takes more than ``MOST_SECONDS`` of processor time fails as well.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthaug.errors import UserError

SECONDS = float(os.environ.get("SYNTHAUG_FUZZ_SECONDS", "0"))
SHORT, ROUND = 50, 500  # examples
MOST_SECONDS = 10.0

tried: Counter[str] = Counter()
"""Examples by property, for the summary."""


class TooSlow(Exception):
    """An example took more than ``MOST_SECONDS``."""


def fuzz(check: Callable[..., object], **strategies: st.SearchStrategy[Any]) -> None:
    """``check`` must return or raise UserError for every example of the strategies."""

    def one(**example: Any) -> None:
        tried[check.__name__] += 1
        with limited():
            refusal = "fine"
            try:
                check(**example)
            except UserError as error:
                refusal = str(error)
            assert refusal.strip(), "an error without words"
            refusal.encode()  # as a terminal and a JSON answer do

    one.__qualname__ = one.__name__ = check.__name__  # what a derandomised run draws by
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    limits = {"deadline": None, "database": None, "suppress_health_check": quiet}
    if not SECONDS:
        settings(max_examples=SHORT, derandomize=True, **limits)(given(**strategies)(one))()
        return
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        settings(max_examples=ROUND, **limits)(given(**strategies)(one))()


@contextmanager
def limited() -> Iterator[None]:
    """Interrupt what takes too long, by the processor's time: a busy machine is no failure."""

    def stop(*_: object) -> None:
        raise TooSlow(f"more than {MOST_SECONDS:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
