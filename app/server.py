"""The server: our own routes, Gradio's pages behind them, and the one worker of the workspace."""

from __future__ import annotations

import errno
import logging
import os
import socket
import warnings
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from synthaug.errors import UserError

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from synthaug.workspace import Workspace

    from .context import AppContext

logger = logging.getLogger(__name__)

STOP_SECONDS = 2  # open event streams are cut after this long


def create_app(workspace: Workspace, host: str = "127.0.0.1", port: int = 7860) -> FastAPI:
    """The whole app of an open workspace as ASGI; it starts no worker (:func:`serve` does)."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is first imported

    import gradio as gr
    from fastapi import FastAPI

    from synthaug.running.jobs import JobQueue

    from .context import AppContext
    from .routes import add_routes
    from .security import OriginGuard, allowed_hosts
    from .theme import head, theme

    context = AppContext(workspace, JobQueue(workspace))
    app = FastAPI(title="synthaug", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(OriginGuard, hosts=allowed_hosts(host))
    add_routes(app, context)
    pages = build_pages(context)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="SSR mode")  # several pages: Gradio says so unasked
        gr.mount_gradio_app(
            app,
            pages,
            "/",
            server_name=host,
            server_port=port,
            theme=theme(),
            head=head(),
            favicon_path=str(Path(__file__).parent / "favicon.svg"),
            footer_links=[],
            run_history=False,
        )
    return app


def build_pages(context: AppContext) -> gr.Blocks:
    """Every page inside the same frame: header above, one column below."""
    import gradio as gr
    from gradio.components.navbar import Navbar

    from .pages import data, explore, finetune, generate, label, train
    from .shell import PAGES, header

    builders: dict[str, Callable[[AppContext], None]] = {
        "": data.page,
        "generate": generate.page,
        "finetune": finetune.page,
        "label": label.page,
        "explore": explore.page,
        "train": train.page,
    }
    name = context.workspace.name
    demo = gr.Blocks(title=f"synthaug · {name}", fill_width=True, analytics_enabled=False)
    for title, path in PAGES:
        with demo.route(title, path) if path else demo:
            Navbar(visible=False)
            header(name, path)
            with gr.Column(elem_classes=["sa-body", f"sa-page-{path or 'data'}"]):
                builders[path](context)
    return demo


def serve(
    workspace_path: Path, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False
) -> None:
    """Serve a workspace until stopped. Raises WorkspaceError if another app has it, UserError on a taken port."""
    from synthaug.running.jobs import Worker
    from synthaug.stages.handlers import HANDLERS
    from synthaug.workspace import Workspace

    workspace = Workspace.open(workspace_path)
    with bound_socket(host, port) as listener, workspace.lock("serve"):
        app = create_app(workspace, host, listener.getsockname()[1])
        worker = Worker(workspace, HANDLERS)
        worker.start()
        try:
            _run(app, listener, open_browser)
        finally:
            worker.stop(timeout=STOP_SECONDS)


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket on the address, taken before anything slow begins. Port 0: any free one. Raises UserError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise UserError(_explain(error, host, port)) from error
    return listener


def address(listener: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explain(error: OSError | OverflowError, host: str, port: int) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} does not exist; allowed are 0 to 65535"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop what runs there or choose another: --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"port {port} needs the administrator's rights; choose one from 1024 up: --port 7860"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"


def _run(app: FastAPI, listener: socket.socket, open_browser: bool) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            logger.warning("synthaug is ready at %s (stop with Ctrl+C)", address(listener))
            if open_browser:
                webbrowser.open(address(listener))

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_SECONDS, lifespan="on"
    )
    Server(config).run(sockets=[listener])
