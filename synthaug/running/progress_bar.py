"""A progress bar on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from synthaug.progress import Progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A tqdm bar on stderr, where that is a terminal; it is gone at the end."""
    from tqdm import tqdm

    with tqdm(file=sys.stderr, disable=None, leave=False) as bar:

        def report(done: int, total: int, note: str) -> None:
            bar.total = total or None
            bar.set_description(note, refresh=False)
            bar.update(done - bar.n)

        yield report
