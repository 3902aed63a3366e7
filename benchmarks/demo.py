"""Start-up time, and time and peak memory of the headless demo, each in its own process.

    python benchmarks/demo.py

Prints the time of ``synthaug --help`` (best of 5), the time and peak resident memory of ``synthaug demo --headless`` in
an empty directory, and the time until the app answers on the resulting workspace.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SYNTHAUG = [sys.executable, "-c", "from synthaug.cli import main; main()"]
PORT = 7869


def timed(*arguments: str) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run([*SYNTHAUG, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def seconds_to_answer(workspace: Path) -> float:
    """Seconds from starting the app to its first page."""
    started = time.perf_counter()
    command = [*SYNTHAUG, "serve", "--workspace", str(workspace), "--port", str(PORT)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as app:
        try:
            while app.poll() is None:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/") as page:
                        page.read()
                    return time.perf_counter() - started
                except urllib.error.URLError:
                    time.sleep(0.05)
        finally:
            app.terminate()
    raise RuntimeError("the app ended before it answered")


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp())
    try:
        print(f"cores                        {os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
        print(f"synthaug --help              {min(timed('--help') for _ in range(5)):8.2f} s")
        print(
            f"demo --headless              {timed('demo', '--headless', '-w', str(folder / 'demo')):8.1f} s"
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"its peak memory              {peak:8.2f} GiB")
        print(f"serve, until a page answers  {seconds_to_answer(folder / 'demo'):8.1f} s")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
