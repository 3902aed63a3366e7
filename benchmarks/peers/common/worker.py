"""One side in a process of its own: sets up, then runs a round for each line that it reads, and answers in JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

from .claim import Action, Claim, Side
from .environments import ROOT, folder, python_for


class SideFailed(Exception):
    """A side that could not be set up or run; the message is the reason."""


class Worker:
    """The parent's end of a side's process."""

    def __init__(self, claim: Claim, side: Side, module: str, data: Path) -> None:
        try:
            python = python_for(side.packages)
        except (RuntimeError, subprocess.SubprocessError) as error:
            raise SideFailed(f"not installed: {error}") from error
        logs = folder() / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{claim.name}-{side.name.replace(' ', '-')}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [python, "-m", module, "--side", claim.name, side.name, str(data)],
                cwd=ROOT,
                env=os.environ | {"OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.versions: dict[str, str] = self._answer()

    def round(self) -> dict[str, float]:
        """Run one round; its figures."""
        assert self.process.stdin is not None  # noqa: S101 - asked for above
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise SideFailed(last_line(self.log)) from error
        return self._answer()

    def close(self) -> None:
        """End the process: at the end of its input it cleans up."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None  # noqa: S101 - asked for above
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise SideFailed(last_line(self.log))
        answer: dict[str, Any] = json.loads(line)
        return answer


def last_line(log: Path) -> str:
    """The last line that a process wrote, without paths of this machine."""
    lines = log.read_text(errors="replace").strip().splitlines() or ["it ended without a message"]
    return re.sub(r"(?:/[\w.@-]+)+/", "…/", lines[-1])[:300]


def serve(claim: Claim, side: Side, data: Path) -> None:
    """The child's end. What the side itself prints goes to the log."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        action = side.setup(data)
        tell(answers, versions_of(side))
        for _ in sys.stdin:
            tell(answers, timed(action))
    except Exception as error:
        traceback.print_exc()
        print(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", file=sys.stderr)
        sys.exit(1)


def timed(action: Action) -> dict[str, float]:
    """The figures of one round."""
    started, started_cpu = time.perf_counter(), time.process_time()
    figures = dict(action() or {})
    figures.setdefault("seconds", time.perf_counter() - started)
    figures.setdefault("cpu_seconds", time.process_time() - started_cpu)
    figures.setdefault("peak_mb", peak_megabytes())
    return figures


def peak_megabytes() -> float:
    """Most memory that this process has had."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def versions_of(side: Side) -> dict[str, str]:
    """Versions of a side's pinned packages, as installed."""
    names = [re.split(r"[\[=<>~! @]", each)[0] for each in side.packages]
    found = {}
    for name in (side.shown, *names) if side.shown else names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not a Python package"
    return found


def tell(answers: TextIO, answer: object) -> None:
    """Write one line of JSON to the parent."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
