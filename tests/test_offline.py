"""The whole loop and the app reach no machine but this one: every socket of a process of its own is watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LONGEST = 600  # seconds; what waits for ever is no pass

WATCH = """
import ipaddress, json, sys

beyond = []

def is_here(host):
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if not is_here(host):
        beyond.append(f"{event} {arguments[1:] if event == 'socket.connect' else arguments}")
        raise PermissionError(f"a socket beyond loopback: {host}")

sys.addaudithook(watch)
"""

LOOP = """
from synthaug.cli import main

def run(*arguments):
    try:
        main(list(arguments))
    except SystemExit as end:
        assert end.code in (0, None), (arguments, end.code)

run("init", "w", "--preset", "digits")
run("import", "digits")
run("view", "few", "--keep", "8=5")
run("train", "--view", "few", "--epochs", "1", "--name", "first")
run("generate", "--template", "a <STROKE> handwritten digit eight", "--label", "8", "-n", "4", "--steps", "2",
    "--generator", "digits")
run("predict", "--model", "first")
run("view", "more", "--base", "few", "--add-synthetic", "8=4")
run("export", "out", "--view", "more", "--format", "parquet")
run("verify")
"""

APP = """
import threading, urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
import uvicorn
from synthaug_app.accounts.access import access
from synthaug_app.server import address, bound_socket, create_app
from synthaug.workspace import Workspace

ready = threading.Event()

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        ready.set()

browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
with bound_socket("127.0.0.1", 0) as listener:
    how = access("127.0.0.1")
    app = create_app(Workspace.create(Path("w"), [], "digits"), how, listener.getsockname()[1])
    server = Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert ready.wait(120)
    assert browser.open(address(listener, how.start_token)).status == 200
    for page in ("/", "/generate", "/label", "/train", "/data/queue"):
        assert browser.open(address(listener) + page).status == 200
    server.should_exit = True
    thread.join()
"""

OUTSIDE = """
import socket

try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except PermissionError:
    pass
"""


def sockets_beyond_loopback(script: str, folder: Path) -> list[str]:
    """What a script tried to reach on other machines; nothing keeps its libraries from trying."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "GRADIO_"))}
    environment = {**kept, "SYNTHAUG_WORKSPACE": "w", "HF_HOME": str(folder / "hub")}
    program = f"{WATCH}\n{script}\nprint(json.dumps(beyond))"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert ended.returncode == 0, ended.stderr
    found: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "script", [pytest.param(LOOP, marks=pytest.mark.long, id="the loop"), pytest.param(APP, id="the app")]
)
def test_no_socket_beyond_loopback(script: str, tmp_path: Path) -> None:
    assert sockets_beyond_loopback(script, tmp_path) == []


def test_a_socket_beyond_loopback_is_seen(tmp_path: Path) -> None:
    (seen,) = sockets_beyond_loopback(OUTSIDE, tmp_path)
    assert "192.0.2.1" in seen
