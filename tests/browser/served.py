"""The app in processes of their own, forked from one that has already imported Gradio: that takes four seconds."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

import httpx
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

PATIENCE = 120_000
A_JOB = 600_000
"""Milliseconds that a test waits for the page, and for a job. Waits that succeed are short on any machine."""
READY = "synthaug is ready at "
BROWSERS: set[BrowserContext] = set()
SESSIONS: dict[str, dict[str, Any]] = {}
"""Open browser profiles, and the cookies of the apps that were started, by name: each profile is logged in to all."""

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.browser.preloaded"])


class App:
    """One process like that of ``python -m synthaug_app``; stop it and start it again on the same port."""

    def __init__(self, root: Path, host: str = "127.0.0.1") -> None:
        self.root = root
        self.host = host
        self.port = 0
        self._process: ForkServerProcess | None = None
        self._stderr: TextIO | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it says that it is ready."""
        arguments = [str(self.root), "--port", str(self.port), "--host", self.host]
        ours, its = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_serve, args=(arguments, dict(os.environ), its), daemon=False)
        self._process.start()
        its.close()
        self._stderr = os.fdopen(os.dup(ours.fileno()), encoding="utf-8")
        ours.close()
        seen = []
        for line in self._stderr:
            seen.append(line)
            if line.startswith(READY):
                shown = line.removeprefix(READY).split()[0]
                self.port = urlsplit(shown).port or 0
                if "token=" in shown:
                    log_in(shown)
                return
        pytest.fail(f"the app did not start: {''.join(seen)}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone."""
        if self._process is None:
            return
        assert self._process.pid is not None
        assert self._stderr is not None
        os.kill(self._process.pid, how)
        self._process.join(PATIENCE / 1000)
        assert self._process.exitcode is not None, "the app did not end"
        self._stderr.close()
        self._process = None


def _serve(arguments: list[str], environment: Mapping[str, str], stderr: Connection) -> None:
    """Run the app's command as if it had been started with this environment and this standard error."""
    from synthaug_app.__main__ import main

    os.environ.clear()
    os.environ.update(environment)
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    main(arguments)


@contextmanager
def running(root: Path, host: str = "127.0.0.1") -> Iterator[App]:
    """The app on a workspace, for as long as the block lasts."""
    app = App(root, host)
    app.start()
    try:
        yield app
    finally:
        app.stop()


def log_in(address: str) -> None:
    """Open the address that the app printed, and hand its cookie to every browser profile."""
    answer = httpx.get(address)
    (cookie,) = answer.cookies.jar
    SESSIONS[cookie.name] = {"name": cookie.name, "value": cookie.value, "domain": "127.0.0.1", "path": "/"}
    for profile in BROWSERS:
        profile.add_cookies([SESSIONS[cookie.name]])  # type: ignore[list-item]
