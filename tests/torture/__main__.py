"""``make torture``: hundreds of kills over every stage; prints a table, and exits 1 where a promise was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.torture.cases import CASES, Case
from tests.torture.full_disk import DiskFiller
from tests.torture.kills import Tally
from tests.torture.power import possible
from tests.torture.processes import warm_up


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=0, help="kills a case")
    parser.add_argument("--cuts", type=int, default=0, help="power cuts a case; needs root")
    parser.add_argument("--full", type=int, default=0, help="full disks a case, at most 6; needs root")
    parser.add_argument(
        "--after-work", action="store_true", help="cut the power right after the command ended"
    )
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work [default: a temporary one]")
    options = parser.parse_args()
    chosen = [CASES[name] for name in options.case or CASES]
    warm_up(networks=any(case.needs_networks for case in chosen))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        torturer = DiskFiller(Path(folder), options.seed)
        failures = table("kills", lambda case: torturer.torture(case, options.kills), chosen, options.kills)
        if (options.cuts or options.full) and not possible(Path(folder)):
            print("no disk can be mounted here: power cuts and full disks are left out")
        else:
            cut = partial(torturer.cut, cuts=options.cuts, after_work=options.after_work)
            failures += table("power cuts", cut, chosen, options.cuts)
            failures += table("full disks", partial(torturer.fill, levels=options.full), chosen, options.full)
    return int(failures > 0)


def table(what: str, torture: Callable[[Case], Tally], chosen: Sequence[Case], times: int) -> int:
    """Print a table for docs/reliability.md; how many failures there were."""
    if not times:
        return 0
    print(
        f"\n| case | seconds undisturbed | {what} | ended before | broken promises |\n|---|---|---|---|---|"
    )
    whole = Tally("all")
    for case in chosen:
        done = torture(case)
        print(row(done), flush=True)
        for failure in done.failures:
            print(f"\n{case.name}: {failure}", file=sys.stderr, flush=True)
        whole.kills += done.kills
        whole.finished += done.finished
        whole.failures += done.failures
        whole.seconds += done.seconds
    print(row(whole))
    return len(whole.failures)


def row(tally: Tally) -> str:
    """A line of the table in docs/reliability.md."""
    return (
        f"| {tally.case} | {tally.seconds:.2f} | {tally.kills} | {tally.finished} | {len(tally.failures)} |"
    )


if __name__ == "__main__":
    sys.exit(main())
