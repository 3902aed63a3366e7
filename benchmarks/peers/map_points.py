"""The map's first paint and lasso at 100,000 and 1,000,000 points, beside other renderers in the same Chromium.

    python -m benchmarks.peers.map_points

Every side gets the same clusters in ten colours as arrays and draws 800 x 500 pixels. First paint: from the arrays to
the second frame after drawing. Lasso: the same circle drawn with the mouse, from its release to the second frame after
the points inside were selected. There is no graphics card; WebGL is SwiftShader's. Embedding Atlas draws with WebGPU
only and LightlyStudio with Embedding Atlas, so both need what Chromium offers them here.
"""

from __future__ import annotations

import functools
import http.server
import math
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import renderers

from .common.claim import Action, Claim, Row, Side
from .common.environments import node_packages
from .common.turns import main

PACKAGES = ("regl-scatterplot@1.16.0", "regl", "pub-sub-es", "esbuild", "plotly.js-dist-min@4.1.2")
MODULES = Path(__file__).with_name("map_modules.js")
FIRST = (
    "without a GPU, the browser fills the canvas on the same two cores that run the page. On a processor about twice "
    "as fast this took 59 ms, 1.8 times the floor."
)
LASSO = (
    'the circles hold different numbers of points (see "selected" in the results), as each side scales the data in its '
    "own way."
)
NAMES = ("ours", "regl", "plotly")


def prepare(data: Path) -> None:
    """A page a renderer, each with one bundle of its modules."""
    import synthaug_app

    node = node_packages(*PACKAGES)
    (data / "node_modules").symlink_to(node / "node_modules")
    shutil.copytree(Path(synthaug_app.__file__).parent, data / "app")
    (data / "shared.js").write_text(renderers.SHARED, encoding="utf-8")
    parts = MODULES.read_text(encoding="utf-8").split("//// ")[1:]
    for part in parts:
        name, source = part.split("\n", 1)
        (data / f"{name.strip()}.js").write_text(source, encoding="utf-8")
    for name in NAMES:
        bundle = [str(node / "node_modules" / ".bin" / "esbuild"), f"{name}.js", "--bundle", "--format=esm"]
        subprocess.run([*bundle, f"--outfile={name}.bundle.js"], cwd=data, check=True, capture_output=True)
        page = renderers.PAGE.replace("NAME", f"{name}.bundle").replace(
            "canvas {", "body { margin: 0; } canvas {"
        )
        (data / f"{name}.html").write_text(page, encoding="utf-8")


def browser_at(data: Path) -> tuple[Any, str]:
    """A Chromium that stays open with its process, and the address of the pages."""
    from playwright.sync_api import sync_playwright

    handler = functools.partial(renderers.QuietHandler, directory=str(data))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    playwright = sync_playwright().start()
    program = shutil.which("chromium") or playwright.chromium.executable_path
    browser = playwright.chromium.launch(executable_path=program, args=renderers.FLAGS)
    return browser, f"http://127.0.0.1:{server.server_address[1]}"


def renderer(name: str, points: int) -> Callable[[Path], Action]:
    """A side that paints and selects in a fresh page each round."""

    def setup(data: Path) -> Action:
        browser, address = browser_at(data)

        def work() -> dict[str, float]:
            page = browser.new_page(viewport={"width": 900, "height": 600})
            page.set_default_timeout(120_000)
            page.goto(f"{address}/{name}.html")
            page.wait_for_function("Boolean(window.run)")
            first = page.evaluate(f"run({points})")
            page.mouse.move(520, 250)
            page.mouse.down()
            for step in range(1, 60):
                angle = 2 * math.pi * step / 60
                page.mouse.move(400 + 120 * math.cos(angle), 250 + 120 * math.sin(angle))
            page.mouse.up()
            page.wait_for_function("window.lassoed")
            found: dict[str, float] = page.evaluate("window.lassoed")
            page.close()
            return {"first_ms": first, "lasso_ms": found["ms"], "selected": found["count"]}

        return work

    return setup


def embedding_atlas(data: Path) -> Action:
    """Embedding Atlas where Chromium offers WebGPU with half precision; else it paints no point."""
    browser, address = browser_at(data)
    page = browser.new_page()
    page.goto(f"{address}/ours.html")
    offered = page.evaluate(
        "async () => { const adapter = await navigator.gpu?.requestAdapter();"
        " return adapter ? [...adapter.features] : null; }"
    )
    if offered is None or "shader-f16" not in offered:
        has = "no WebGPU adapter" if offered is None else "WebGPU without shader-f16"
        raise RuntimeError(f"it draws with WebGPU and shader-f16 only; this Chromium offers {has}")
    raise RuntimeError("WebGPU is there: this claim does not drive Embedding Atlas yet")


def frames(_: Path) -> Action:
    """Two frames of a screen of 60 Hz."""
    return lambda: {"first_ms": 2000 / 60, "lasso_ms": 2000 / 60}


def claim(points: int) -> Claim:
    """The claim for this many points."""
    return Claim(
        f"map {points}",
        f"The map with {points:,} points",
        (
            Side("synthaug", renderer("ours", points), role="ours"),
            Side("regl-scatterplot", renderer("regl", points)),
            Side("Plotly scattergl", renderer("plotly", points)),
            Side("Embedding Atlas", embedding_atlas),
            Side("floor", frames, role="floor"),
        ),
        (
            Row("first_ms", f"First paint of {points:,} points", "ms", why=FIRST),
            Row("lasso_ms", f"Lasso among {points:,} points", "ms", why=LASSO),
        ),
        floor="two frames at 60 a second",
        notes=f"Versions: {', '.join(PACKAGES)}. LightlyStudio draws its map with Embedding Atlas.",
        prepare=prepare,
        rounds=3,
    )


if __name__ == "__main__":
    main(claim(100_000), claim(1_000_000))
