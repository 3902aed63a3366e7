"""The server: the app's own routes, Gradio's pages, and the process that runs the jobs of the workspace."""

from __future__ import annotations

import errno
import logging
import os
import socket
import warnings
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from synthaug.errors import UserError

from .accounts.access import EVERY_INTERFACE
from .type_stubs import no_type_stubs

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from synthaug.workspace import Workspace

    from .accounts.access import Access
    from .context import AppContext

logger = logging.getLogger(__name__)

QUEUE_SECONDS = 0.02
"""Between two looks of Gradio at its queue of events. Its thousand looks a second keep a tenth of a core busy."""
STOP_SECONDS = 2  # time after which open event streams are closed when the server stops


def create_app(workspace: Workspace, access: Access, port: int = 7860) -> FastAPI:
    """The ASGI app for an open workspace. It does not start the worker process, which :func:`serve` does."""
    import_gradio()
    from fastapi import FastAPI

    from .context import AppContext
    from .fresh_classes import FreshClasses

    context = AppContext.of(workspace)
    app = FastAPI(title="synthaug", docs_url=None, redoc_url=None, openapi_url=None)
    add_own_routes(app, context, access)
    pages = build_pages(context)
    functions = {index: str(each.api_name) for index, each in pages.fns.items()}
    app.add_middleware(FreshClasses, workspace=workspace, pages=pages, build=lambda: build_pages(context))
    guard(app, context, access, functions)
    _mount(pages, app, port)
    return app


def import_gradio() -> None:
    """Import it before everything that needs it."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is first imported
    with no_type_stubs():
        from .components import markup  # noqa: F401 - imports gradio, and has a component of our own


def _mount(pages: gr.Blocks, app: FastAPI, port: int) -> None:
    """Let the app serve Gradio's pages, below our own routes."""
    import gradio as gr

    from .page_template import OurPage, adapt_page_template
    from .shell import PAGES
    from .theme import head, theme

    adapt_page_template({path: OurPage(title, module_urls(pages, path)) for title, path in PAGES})
    with warnings.catch_warnings():
        # Gradio always warns if there are several pages.
        warnings.filterwarnings("ignore", message="SSR mode")
        gr.mount_gradio_app(
            app,
            pages,
            "/",
            server_port=port,
            theme=theme(),
            head=head(),
            favicon_path=str(Path(__file__).parent / "favicon.svg"),
            footer_links=[],
            run_history=False,
        )
    queue = pages._queue  # nothing public sets it; Gradio itself does so on Windows
    queue.sleep_when_free = queue.progress_update_sleep_when_free = QUEUE_SECONDS


def add_own_routes(app: FastAPI, context: AppContext, access: Access) -> None:
    """Add the app's own routes, which must be declared before Gradio is mounted at "/"."""
    from .accounts.attempts import Attempts
    from .accounts.log_in import log_in_router
    from .routes import add_routes

    app.include_router(log_in_router(context.workspace, access, Attempts()))
    add_routes(app, context)


def guard(app: FastAPI, context: AppContext, access: Access, functions: Mapping[int, str]) -> None:
    """Add the middleware that every request passes through; the last one added runs first."""
    from .accounts.gate import Gate
    from .bodies import Bodies
    from .headers import SecurityHeaders
    from .security import OriginGuard

    app.add_middleware(Gate, workspace=context.workspace, access=access, functions=functions)
    app.add_middleware(Bodies)
    app.add_middleware(OriginGuard, access=access)
    app.add_middleware(SecurityHeaders)


def build_pages(context: AppContext) -> gr.Blocks:
    """All pages, each with the header and one column below it."""
    import gradio as gr
    from gradio.components.navbar import Navbar

    from .pages import data, explore, finetune, generate, label, runs, train
    from .shell import PAGES, header

    builders: dict[str, Callable[[AppContext], None]] = {
        "": data.page,
        "generate": generate.page,
        "finetune": finetune.page,
        "label": label.page,
        "explore": explore.page,
        "train": train.page,
        "runs": runs.page,
    }
    name = context.workspace.name
    demo = gr.Blocks(title=f"{name} · synthaug", fill_width=True, analytics_enabled=False)
    for title, path in PAGES:
        if path:
            demo.route(title, path)
    with demo:  # once: at the end of each block Gradio builds its whole web app, in a fifth of a second
        for _, path in PAGES:
            demo.current_page = path
            Navbar(visible=False)
            header(name, path)
            with gr.Column(elem_classes=["sa-body", f"sa-page-{path or 'data'}"]):
                builders[path](context)
    return demo


def module_urls(pages: gr.Blocks, path: str) -> list[str]:
    """The URLs of the modules that a page asks for; those that others import come last."""
    from .modules import module_url, mounted_by, with_imports

    scripts = [getattr(each, "js_on_load", None) for each in pages.blocks.values() if each.page == path]
    mounted = [module for script in scripts if (module := mounted_by(script))]
    needed = with_imports(["static/shell.js", *mounted, "components/inspector/inspector.js"])
    return [module_url(each) for each in needed]


def serve(
    workspace_path: Path,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    allow_hosts: Sequence[str] = (),
) -> None:
    """Serve a workspace until stopped.

    Raises WorkspaceError if another process uses the workspace, and UserError if the port is in use, or if other
    machines can reach the app and no owner has an account.
    """
    from synthaug.running.job_process import JobProcess
    from synthaug.stages.job_process import MODULE
    from synthaug.stages.uploads import remove_abandoned
    from synthaug.workspace import Workspace

    from .accounts.access import access
    from .heaps import share_heaps
    from .warm_up import warm_up

    share_heaps()
    workspace = Workspace.open(workspace_path)
    how = access(host, allow_hosts)
    require_owner(workspace, how, host)
    with bound_socket(host, port) as listener, workspace.lock("serve") as lock:
        app = create_app(workspace, how, listener.getsockname()[1])
        remove_abandoned(workspace)
        worker = JobProcess(workspace, MODULE, lock)
        worker.start()
        warm_up(workspace)
        try:
            _run(app, listener, how, open_browser)
        finally:
            worker.stop()


def require_owner(workspace: Workspace, how: Access, host: str) -> None:
    """Raises UserError if other machines can reach the app and no owner has an account."""
    from synthaug.stages.accounts import has_owner

    if how.start_token is None and not has_owner(workspace):
        raise UserError(
            f"other machines can reach {host}, but no owner has an account in this workspace; add one with: "
            f"synthaug accounts add NAME --role owner --workspace {workspace.root}"
        )


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes any free port. Raises UserError.

    It is bound before the slow part of the start, so that a port in use is reported immediately.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) only over sockets that name TCP; over others, each answer whose body follows
    # its head waits 40 ms for the browser to acknowledge the head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise UserError(_explain(error, host, port)) from error
    return listener


def address(listener: socket.socket, start_token: str | None = None) -> str:
    """The URL to open in a browser, with the start token if there is one."""
    host, port = listener.getsockname()[:2]
    shown = socket.gethostname() if host in EVERY_INTERFACE else host
    base = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
    return base if start_token is None else f"{base}/?{urlencode({'token': start_token})}"


def start_text(listener: socket.socket, how: Access) -> str:
    """The text to print when the app is ready."""
    ready = f"synthaug is ready at {address(listener, how.start_token)} (stop with Ctrl+C)"
    if how.start_token is not None:
        return f"{ready}\nAnyone who opens this address has the rights of the owner; keep it to yourself."
    return (
        f"{ready}\nOther machines can reach it, so everybody has to log in with an account (synthaug accounts list). "
        "HTTP is not encrypted: on a shared network, put a proxy with HTTPS in front."
    )


def _explain(error: OSError | OverflowError, host: str, port: int) -> str:
    if isinstance(error, OverflowError):
        return f"{port} is not a port; ports are 0 to 65535"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use; stop the program that uses it or choose another: --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"port {port} needs administrator rights; choose one of 1024 or above: --port 7860"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"


def _run(app: FastAPI, listener: socket.socket, how: Access, open_browser: bool) -> None:
    import uvicorn

    from .slow_clients import TimedProtocol

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            logger.warning("%s", start_text(listener, how))
            if open_browser:
                webbrowser.open(address(listener, how.start_token))

    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="none",
        log_level="error",  # do not log invalid HTTP requests
        access_log=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        lifespan="on",
        server_header=False,
    )
    Server(config).run(sockets=[listener])
