"""``make torture``: hundreds of kills over every stage; prints a table, and exits 1 where a promise was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.torture.cases import CASES
from tests.torture.full_disk import DiskFiller
from tests.torture.kills import Tally
from tests.torture.power import possible
from tests.torture.processes import warm_up


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=32, help="kills a case")
    parser.add_argument(
        "--cuts", type=int, default=0, help="power cuts a case, in the place of kills; needs root"
    )
    parser.add_argument("--full", action="store_true", help="full disks in the place of kills; needs root")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this; may be repeated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work [default: a temporary one]")
    options = parser.parse_args()
    warm_up()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if (options.cuts or options.full) and not possible(Path(folder)):
            print("no disk can be mounted here: left out")
            return 0
        torturer = DiskFiller(Path(folder), options.seed)
        tallies = []
        for name in options.case or CASES:
            case = CASES[name]
            if options.full:
                done = torturer.fill(case)
            elif options.cuts:
                done = torturer.cut(case, options.cuts)
            else:
                done = torturer.torture(case, options.kills)
            tallies.append(done)
            print(row(done), flush=True)
    print(row(total(tallies)))
    for tally in tallies:
        for failure in tally.failures:
            print(f"\n{tally.case}: {failure}", file=sys.stderr)
    return int(any(tally.failures for tally in tallies))


def row(tally: Tally) -> str:
    """A line of the table in docs/reliability.md."""
    return (
        f"| {tally.case} | {tally.seconds:.2f} | {tally.kills} | {tally.finished} | {len(tally.failures)} |"
    )


def total(tallies: list[Tally]) -> Tally:
    """All cases together."""
    whole = Tally("all", sum(each.seconds for each in tallies))
    for each in tallies:
        whole.kills += each.kills
        whole.finished += each.finished
        whole.failures += each.failures
    return whole


if __name__ == "__main__":
    sys.exit(main())
