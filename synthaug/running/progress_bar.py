"""A progress bar on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from synthaug.progress import EpochProgress, Progress, RunProgress


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


def by_epoch(report: Progress) -> EpochProgress:
    """What a training says after each epoch, as progress with its loss."""
    return lambda epoch: report(epoch["epoch"], epoch["epochs"], f"loss {epoch['loss']:.3f}")


def by_run(report: Progress) -> RunProgress:
    """What a comparison says of its training runs, as progress with the run's name."""
    return lambda done, total, epoch: report(done, total, str(epoch["run"]))
