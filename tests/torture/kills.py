"""Kill every stage at random moments, and look after each kill whether the workspace is sound.

After a kill: verify finds nothing, and every label that was acknowledged is in the log. Then the same command again:
it completes (or says that it had), verify finds nothing, and nothing half written is left.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from synthaug.files import PARTIAL
from synthaug.stages.backup import restore
from synthaug.stages.verify import verify
from synthaug.workspace import Workspace
from tests.torture.cases import Case, Templates, acknowledged, logged
from tests.torture.processes import Ended, Work, run


@dataclass
class Tally:
    """What became of the kills of one case."""

    case: str
    seconds: float = 0.0  # of the undisturbed run
    kills: int = 0
    finished: int = 0  # runs that ended before their kill; not counted as kills
    failures: list[str] = field(default_factory=list)


class Torturer:
    """Runs cases below a folder of its own."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.templates = Templates(folder / "templates")
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"

    def torture(self, case: Case, kills: int, say: Callable[[str], None] = lambda text: None) -> Tally:
        """Kill a case until that many kills fell into its work."""
        tally = Tally(case.name)
        here = self.fresh(case)
        whole = run(case.work(here), self.log)
        tally.seconds = whole.seconds
        if whole.code:
            tally.failures.append(f"undisturbed: {whole.output[-2000:]}")
            return tally
        while tally.kills < kills and tally.finished < 3 * kills:
            here = self.fresh(case)
            after = self.random.uniform(0, whole.seconds)
            ended = run(case.work(here), self.log, kill_after=after)
            if ended.code is None:
                tally.kills += 1
            else:
                tally.finished += 1
            wrong = self.look(case, here, ended)
            tally.failures += [f"killed after {after:.3f} s of {whole.seconds:.3f}: {each}" for each in wrong]
            say(f"{case.name}: {tally.kills} kills, {len(tally.failures)} failures")
        return tally

    def fresh(self, case: Case) -> Path:
        """The folder a case starts from."""
        here = self.folder / "here"
        shutil.rmtree(here, ignore_errors=True)
        return self.templates.copy(case.start, here)

    def look(self, case: Case, here: Path, ended: Ended) -> list[str]:
        """What is wrong after a kill, and after the same command again."""
        wrong = (
            [] if ended.code in (None, 0) else [f"the work ended with {ended.code}: {ended.output[-1000:]}"]
        )
        wrong += self.checked("after the kill", lambda: check(case, here, repeated=False))
        again = run(case.work(here), self.log)
        if not case.may_answer(again.code, again.output):
            wrong.append(f"again: exit {again.code}: {again.output[-1500:]}")
        return wrong + self.checked("after the repetition", lambda: check(case, here, repeated=True))

    def checked(self, when: str, work: Work) -> list[str]:
        """Run a check in a process of its own; what it said, if it failed."""
        ended = run(work, self.log)
        return [] if ended.code == 0 else [f"{when}: {ended.output[-1500:]}"]


def check(case: Case, here: Path, repeated: bool) -> None:
    """Raise AssertionError for what is not as promised."""
    root = here / "work"
    if not (case.makes_workspace and not repeated and not (root / "synthaug.db").exists()):
        workspace = Workspace.open(root)
        problems = verify(workspace).problems
        assert repeated or case.start == "damaged" or not problems, problems
        assert not repeated or not problems, problems
        assert acknowledged(here) <= logged(workspace), sorted(acknowledged(here) - logged(workspace))[:5]
    if (here / "saved" / "manifest.json").exists():
        assert verify(restore(here / "saved", here / "check")).problems == ()
        shutil.rmtree(here / "check")
    if (here / "again").exists():
        assert verify(Workspace.open(here / "again")).problems == ()
    if repeated:
        _check_leftovers(here)


def _check_leftovers(here: Path) -> None:
    """After the next start of something that works, nothing half written is there."""
    with Workspace.open(here / "work").lock("torture"):
        pass
    left = [str(path.relative_to(here)) for path in here.rglob(f"*{PARTIAL}*")]
    assert not left, left
