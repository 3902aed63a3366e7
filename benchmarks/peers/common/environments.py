"""Environments of peers: one virtual environment per set of pinned packages, made by uv once and kept.

They are in the folder that SYNTHAUG_PEERS names, or in build/peers. uv and npm use the registries that they are set to.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WAIT_SECONDS = 900


def folder() -> Path:
    """Where environments and logs of peers are."""
    return Path(os.environ.get("SYNTHAUG_PEERS") or ROOT / "build" / "peers").resolve()


def python_for(packages: tuple[str, ...]) -> Path:
    """The interpreter of an environment with exactly these packages and what they need."""
    if not packages:
        return Path(sys.executable)
    place = folder() / called(packages)
    python = place / "bin" / "python"
    if not (place / ".done").exists():
        shutil.rmtree(place, ignore_errors=True)
        uv = uv_program()
        run([uv, "venv", "--quiet", "--python", sys.executable, str(place)])
        run([uv, "pip", "install", "--quiet", "--python", str(python), *packages])
        (place / ".done").touch()
    return python


def node_packages(*packages: str) -> Path:
    """A folder in whose ``node_modules`` these npm packages are."""
    place = folder() / called(packages)
    if not (place / ".done").exists():
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("npm is not installed; install Node.js")
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "package.json").write_text("{}", encoding="utf-8")
        run([npm, "install", "--silent", "--no-audit", "--no-fund", *packages], place)
        (place / ".done").touch()
    return place


def called(packages: tuple[str, ...]) -> str:
    """A folder's name: the first package, and a hash of them all and the Python version."""
    name = re.sub(r"[^a-z0-9.-]+", "-", packages[0].lower()).strip("-")
    everything = " ".join((*packages, *map(str, sys.version_info[:2])))
    return f"{name}-{hashlib.sha256(everything.encode()).hexdigest()[:8]}"


def uv_program() -> str:
    """The uv that ``make`` installs, or the one on the path."""
    own = ROOT / ".tools" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv")
    if found is None:
        raise RuntimeError("uv was not found; run `make setup`, or install it")
    return found


def run(command: list[str], place: Path = ROOT) -> None:
    """Run a command; RuntimeError with its last line if it fails."""
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=WAIT_SECONDS)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise RuntimeError(f"{Path(command[0]).name} {command[1]} failed: {said[-1]}")
