"""Starting the app: what stands in the way is said in words, with the way out."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from synthaug_app.accounts.access import access
from synthaug_app.components import markup
from synthaug_app.server import QUEUE_SECONDS, address, bound_socket, create_app, serve, start_text

from synthaug.errors import UserError, WorkspaceError
from synthaug.stages import accounts
from synthaug.workspace import Workspace

from .conftest import gradio_app


def test_a_port_in_use_is_named_with_another_to_take() -> None:
    with bound_socket("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {port} .* in use.*--port {port + 1}"):
            bound_socket("127.0.0.1", port)


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UserError, match="0 to 65535"):
        bound_socket("127.0.0.1", 70_000)


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(UserError, match="cannot listen"):
        bound_socket("192.0.2.1", 0)


def test_an_address_can_be_opened() -> None:
    with bound_socket("127.0.0.1", 0) as listener:
        assert address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_is_bracketed() -> None:
    with bound_socket("::1", 0) as listener:
        assert address(listener).startswith("http://[::1]:")


async def sends_at_once(listener: socket.socket) -> bool:
    """Whether what the app writes to a connection leaves without waiting for the other side."""
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: accepted.put_nowait(writer), sock=listener)
    _, client = await asyncio.open_connection(*listener.getsockname()[:2])
    writer = await accepted.get()
    set_ = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    for each in (client, writer, server):
        each.close()
    return bool(set_)


def test_small_answers_are_sent_at_once() -> None:
    # In a thread of its own: Playwright's loop may run in this one.
    with bound_socket("127.0.0.1", 0) as listener, ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, sends_at_once(listener)).result()


def test_a_second_app_on_a_workspace_is_told_who_has_it(workspace: Workspace) -> None:
    with workspace.lock("serve"), pytest.raises(WorkspaceError, match=r"in use by synthaug serve \(process"):
        serve(workspace.root, port=0)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - refused
def test_other_machines_are_let_in_only_where_an_owner_has_an_account(
    workspace: Workspace, host: str
) -> None:
    accounts.add(workspace, "cleo", "annotator", "correct horse battery")
    with pytest.raises(UserError, match="accounts add NAME --role owner"):
        serve(workspace.root, host, port=0)


def test_the_start_says_who_gets_in() -> None:
    with bound_socket("127.0.0.1", 0) as listener:
        here = access("127.0.0.1")
        assert f"/?token={here.start_token} " in start_text(listener, here)
        everywhere = start_text(listener, access("0.0.0.0"))  # noqa: S104 - not bound
        assert "token" not in everywhere
        assert "log in with an account" in everywhere


def test_a_missing_workspace_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "synthaug_app", str(tmp_path / "nothing"), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: there is no workspace at")
    assert len(ended.stderr.splitlines()) == 1


def test_the_app_starts_without_torch_and_writes_no_type_stubs(workspace: Workspace) -> None:
    """Loading torch takes as long as all the rest, and only jobs compute with it, in a process of their own."""
    stub = Path(str(markup.__file__)).with_suffix(".pyi")
    stub.unlink(missing_ok=True)  # of a test that imported Gradio by itself
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from synthaug_app.accounts.access import access\nfrom synthaug_app.server import create_app\n"
        "from synthaug.workspace import Workspace\n"
        f"create_app(Workspace.open(Path({str(workspace.root)!r})), access('127.0.0.1'), 7860)\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert not stub.exists()


def test_gradio_rests_between_two_looks_at_its_queue(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(workspace, access("127.0.0.1"))
    queue, rests = gradio_app(app).get_blocks()._queue, []

    async def rest(seconds: float) -> None:
        rests.append(seconds)
        queue.stopped = True

    monkeypatch.setattr(asyncio, "sleep", rest)
    for loop in (queue.start_processing, queue.start_progress_updates):
        queue.stopped = False
        asyncio.run(loop())
    assert rests == [QUEUE_SECONDS] * 2
