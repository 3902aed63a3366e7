"""Progress bars in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from synthaug.progress import EpochProgress, Progress, RunProgress, StepProgress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A tqdm bar on stderr, if that is a terminal; it is removed at the end."""
    from tqdm import tqdm

    with tqdm(file=sys.stderr, disable=None, leave=False) as bar:

        def report(done: int, total: int, note: str) -> None:
            bar.total = total or None
            bar.set_description(note, refresh=False)
            bar.update(done - bar.n)

        yield report


def by_epoch(report: Progress) -> EpochProgress:
    """Convert the measurements of each epoch to progress with its loss."""
    return lambda epoch: report(epoch["epoch"], epoch["epochs"], f"loss {epoch['loss']:.3f}")


def by_step(report: Progress) -> StepProgress:
    """Convert the loss of each step to progress with the name of the phase."""
    return lambda phase, done, total, loss: report(done, total, f"{phase}: loss {loss:.4f}")


def by_run(report: Progress) -> RunProgress:
    """Convert the measurements of a comparison to progress with the name of the run."""
    return lambda done, total, epoch: report(done, total, str(epoch["run"]))
