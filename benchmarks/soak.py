"""Ten annotators label at the same time, first with the app idle, then while it generates and trains.

    python benchmarks/soak.py [--minutes 30] [--annotators 10] [--rate 4]

Each annotator logs in with an account and sends ``rate`` labels per second over HTTP, one per request, waiting for each
answer. Printed are the latency of a label while the app is idle and while it runs jobs, their ratio, the memory of the
app, the numbers of acknowledged and logged labels, and the state of the hash chain. The goals are that nothing is lost,
that the 99th percentile is under 100 ms on an idle machine, and that memory stays constant (the mean of the last tenth
at most 10% above that of the second).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx
import numpy as np
from labeling import READY, fill

from synthaug.stages import accounts, generate, retrain
from synthaug.stages.generation_spec import GenerationSpec
from synthaug.stages.importing import import_images
from synthaug.store import catalog
from synthaug.store.label_chain import verify_chain
from synthaug.workspace import Workspace

IMAGES = 2000
PASSWORD = "a benchmark's password"  # noqa: S105
IDLE_SHARE = 0.2  # of the time, before the jobs begin
P99_GOAL_MS = 100.0


@dataclass
class Annotator:
    """One person with one browser: acknowledged labels, and the time of each label."""

    name: str
    acknowledged: list[str] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)  # (when it was sent, milliseconds)
    trouble: list[str] = field(default_factory=list)

    def work(self, base: str, ids: list[int], rate: float, seed: int, until: float) -> None:
        """Label random images until the time ``until``."""
        rng = np.random.default_rng(seed)
        with httpx.Client(base_url=base, timeout=60) as client:
            client.post("/log-in", data={"name": self.name, "password": PASSWORD})
            due = time.monotonic() + rng.random() / rate
            while due < until:
                time.sleep(max(0.0, due - time.monotonic()))
                self.label(client, int(rng.choice(ids)), int(rng.integers(10)))
                due = max(due + 1 / rate, time.monotonic())

    def label(self, client: httpx.Client, image_id: int, class_index: int) -> None:
        """Send one label, and record it if the app acknowledged it."""
        op_id = f"soak-{self.name}-{len(self.times):08d}"
        entry = {"image_id": image_id, "value": "class", "class_index": class_index, "source": "human"}
        began = time.monotonic()
        answer = client.post("/data/labels", json={"entries": [{**entry, "op_id": op_id}]})
        self.times.append((began, 1000 * (time.monotonic() - began)))
        if answer.status_code == 200:
            self.acknowledged.append(op_id)
        else:
            self.trouble.append(f"{answer.status_code}: {answer.text[:100]}")


def memory_mib(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def percentiles(times: list[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    return float(np.median(times)), float(np.percentile(times, 99))


def p99_of(times: Sequence[float]) -> float:
    """99th percentile."""
    return float(np.percentile(times, 99))


def by_tenth(values: Sequence[float], figure: Callable[[Sequence[float]], float]) -> str:
    """A figure of each tenth of the values, rounded."""
    return " ".join(f"{figure(part):.0f}" for part in np.array_split(values, 10))


def submit_jobs(workspace: Workspace, minutes: float) -> None:
    """Submit a training with five seeds per side, then a long generation."""
    retrain.submit(workspace)
    count = int(60 * minutes * 60)  # more than there is time for
    generate.submit(workspace, GenerationSpec("a <STROKE> handwritten digit eight", "8", count))


def prepared(root: Path, names: list[str]) -> list[int]:
    """Create a workspace with real digits, unreviewed synthetic images and accounts; returns the ids to label."""
    fill(root, IMAGES)
    workspace = Workspace.open(root)
    import_images(workspace, "digits")
    for name in names:
        accounts.add(workspace, name, "annotator", PASSWORD)
    ids = [image.id for image in catalog.find_images(workspace.db, origin="synthetic")]
    workspace.db.close()
    return ids


def report(people: list[Annotator], busy_from: float, memory: list[float], root: Path) -> bool:
    """Print all results; returns whether nothing was lost or refused."""
    idle = [ms for each in people for at, ms in each.times if at < busy_from]
    busy = [ms for each in people for at, ms in each.times if at >= busy_from]
    for name, times in (("idle", idle), ("during jobs", busy)):
        median, p99 = percentiles(times)
        worst = max(times)
        print(
            f"{name:<12} median {median:6.1f} ms   p99 {p99:6.1f} ms   worst {worst:7.1f} ms   n = {len(times):,}"
        )
    ratio = percentiles(busy)[1] / percentiles(idle)[1]
    tenth = max(1, len(memory) // 10)
    second, last = np.mean(memory[tenth : 2 * tenth]), np.mean(memory[-tenth:])
    print(
        f"p99 during jobs / idle: {ratio:.1f}   memory {second:.0f} MiB in the second tenth, {last:.0f} in the last"
    )
    print(f"by tenth: memory {by_tenth(memory, np.mean)} MiB")
    print(
        f"          p99 {by_tenth([ms for _, ms in sorted(t for p in people for t in p.times)], p99_of)} ms"
    )
    workspace = Workspace.open(root)
    logged = {
        row["op_id"] for row in workspace.db.query("SELECT op_id FROM labels WHERE op_id LIKE 'soak-%'")
    }
    problems = verify_chain(workspace.db)
    made = workspace.db.query("SELECT kind, state, done, error FROM jobs ORDER BY id")
    workspace.db.close()
    acknowledged = {each for person in people for each in person.acknowledged}
    lost, trouble = acknowledged - logged, [each for person in people for each in person.trouble]
    print(
        f"{len(acknowledged):,} labels acknowledged, {len(lost)} lost; {len(trouble)} refused {trouble[:1]}"
    )
    print(f"label log: {'the hash chain is intact' if not problems else problems[0]}")
    print("jobs: " + ", ".join(" ".join(str(each) for each in row if each != "") for row in made))
    met = percentiles(busy)[1] < P99_GOAL_MS
    print(f"goal (p99 < {P99_GOAL_MS:.0f} ms during jobs): {'met' if met else 'NOT met'}")
    return not lost and not problems and not trouble


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="Total duration.")
@click.option("--annotators", default=10, show_default=True, help="Number of annotators.")
@click.option("--rate", default=4.0, show_default=True, help="Labels per second of each annotator.")
def main(minutes: float, annotators: int, rate: float) -> None:
    """Run and print; the exit status is 1 if anything was lost or refused."""
    names = [f"annotator-{number}" for number in range(annotators)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # the worker may still be ending
        root = Path(folder) / "work"
        ids = prepared(root, names)
        command = [sys.executable, "-m", "synthaug_app", str(root), "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as app:
            try:
                assert app.stderr is not None  # noqa: S101 - asked for above
                url = urlsplit(next(line for line in app.stderr if line.startswith(READY)).split()[4])
                people, memory = [Annotator(name) for name in names], []
                began = time.monotonic()
                until, busy_from = began + 60 * minutes, began + 60 * minutes * IDLE_SHARE
                threads = [
                    threading.Thread(
                        target=each.work, args=(f"{url.scheme}://{url.netloc}", ids, rate, seed, until)
                    )
                    for seed, each in enumerate(people)
                ]
                for thread in threads:
                    thread.start()
                submitted = False
                while time.monotonic() < until:
                    time.sleep(min(5.0, max(0.1, until - time.monotonic())))
                    memory.append(memory_mib(app.pid))
                    if not submitted and time.monotonic() >= busy_from:
                        submit_jobs(Workspace.open(root), minutes)
                        submitted = True
                for thread in threads:
                    thread.join()
            finally:
                app.terminate()
        kept = report(people, busy_from, memory, root)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
