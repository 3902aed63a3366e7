"""Three annotators answer while another process locks the database: is any answer lost?

    python benchmarks/locked_database.py [--seconds 30]

Each annotator answers once a second. As the outbox of the Label page does, a client sends everything that waits in one
request, one request at a time, and sends the same answers again after any reply but 200. After 5 s, another process
runs BEGIN EXCLUSIVE and holds the lock. Printed are the answers given and saved, the longest time from an answer to its
acknowledgment, the replies that were not 200, and the state of the hash chain. The exit status is 1 if one was lost.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx
from labeling import READY
from soak import PASSWORD, prepared

from synthaug.store.label_chain import verify_chain
from synthaug.workspace import Workspace

BEFORE, AFTER = 5.0, 5.0  # seconds of answers before and after the lock
HOLD = (
    "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60);"
    " c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(float(sys.argv[2])); c.execute('ROLLBACK')"
)


@dataclass
class Annotator:
    """One person and the outbox of the page: answers that wait, and when each was given and acknowledged."""

    name: str
    given: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)  # the status of each reply but 200
    waiting: list[dict[str, object]] = field(default_factory=list)

    def answer(self, ids: list[int], until: float) -> None:
        """Answer once a second."""
        for number, image_id in enumerate(ids):
            if time.monotonic() >= until:
                return
            op_id = f"locked-{self.name}-{number:06d}"
            entry = {"image_id": image_id, "value": "class", "class_index": number % 10, "source": "human"}
            self.given[op_id] = time.monotonic()
            self.waiting.append({**entry, "op_id": op_id})
            time.sleep(1)

    def send(self, base: str, until: float) -> None:
        """Send what waits until everything is acknowledged."""
        with httpx.Client(base_url=base, timeout=120) as client:
            client.post("/log-in", data={"name": self.name, "password": PASSWORD})
            while time.monotonic() < until or self.waiting:
                batch = list(self.waiting)
                if not batch:
                    time.sleep(0.05)
                    continue
                reply = client.post("/data/labels", json={"entries": batch})
                if reply.status_code != 200:
                    self.refused.append(reply.status_code)
                    time.sleep(1)
                    continue
                del self.waiting[: len(batch)]
                self.acknowledged |= dict.fromkeys((str(each["op_id"]) for each in batch), time.monotonic())


def report(people: list[Annotator], root: Path) -> bool:
    """Print all results; returns whether nothing was lost."""
    workspace = Workspace.open(root)
    rows = workspace.db.query("SELECT op_id FROM labels WHERE op_id LIKE 'locked-%'")
    problems = verify_chain(workspace.db)
    workspace.db.close()
    saved = {row["op_id"] for row in rows}
    given = {each for person in people for each in person.given}
    waits = [person.acknowledged[each] - at for person in people for each, at in person.given.items()]
    replies = [each for person in people for each in person.refused]
    print(f"{len(given)} answers, {len(given & saved)} saved, {len(rows) - len(saved)} saved twice")
    print(
        f"longest wait for the acknowledgment {max(waits):.1f} s; replies that were not 200: {replies or 'none'}"
    )
    print(f"label log: {'the hash chain is intact' if not problems else problems[0]}")
    return given == saved and not problems


@click.command()
@click.option("--seconds", default=30.0, show_default=True, help="How long the database is locked.")
def main(seconds: float) -> None:
    """Run and print."""
    people = [Annotator(f"annotator-{number}") for number in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "work"
        ids = prepared(root, [each.name for each in people])
        command = [sys.executable, "-m", "synthaug_app", str(root), "--port", "0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as app:
            try:
                assert app.stderr is not None  # noqa: S101 - asked for above
                url = urlsplit(next(line for line in app.stderr if line.startswith(READY)).split()[4])
                until = time.monotonic() + BEFORE + seconds + AFTER
                threads = []
                for number, each in enumerate(people):
                    threads.append(threading.Thread(target=each.answer, args=(ids[number::3], until)))
                    threads.append(
                        threading.Thread(target=each.send, args=(f"{url.scheme}://{url.netloc}", until))
                    )
                for thread in threads:
                    thread.start()
                time.sleep(BEFORE)
                subprocess.run([sys.executable, "-c", HOLD, root / "synthaug.db", str(seconds)], check=True)
                for thread in threads:
                    thread.join()
            finally:
                app.terminate()
        sys.exit(0 if report(people, root) else 1)


if __name__ == "__main__":
    main()
