"""Drawing a million points: our canvas and regl-scatterplot (WebGL), side by side in software rendering.

    python benchmarks/renderers.py [--points 1000000] [--frames 60]

The claim: without a graphics card our canvas pans faster, so the map needs no WebGL and no vendored library.
regl-scatterplot and esbuild are installed with npm into a temporary folder. Both draw the same clusters in ten colours
on 800 x 500 pixels. First paint: from the coordinates at hand to the second frame after drawing. Panning: frames a
second while the view moves with every frame.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import platform
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import synthaug_app
from playwright.sync_api import sync_playwright

VERSION = "1.16.0"
PACKAGES = [f"regl-scatterplot@{VERSION}", "regl", "pub-sub-es", "esbuild"]
FLAGS = ["--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PAGE = """<!doctype html><style>:root { --sa-class-0: #2b6cb0; --sa-class-1: #c2560c; --sa-class-2: #187840;
--sa-class-3: #b3261e; --sa-class-4: #6b4fa0; --sa-class-5: #7a5230; --sa-class-6: #b03a7a; --sa-class-7: #555555;
--sa-class-8: #8a8a00; --sa-class-9: #00808a; --sa-muted: #5f6b67; --sa-surface: #ffffff; }
canvas { position: absolute; width: 800px; height: 500px; }</style>
<canvas id="points" width="800" height="500"></canvas><canvas id="overlay" width="800" height="500"></canvas>
<script type="module">
import { run } from "./NAME.js";
window.run = run;
</script>
"""
SHARED = """
export const frame = () => new Promise((then) => requestAnimationFrame(then));
export function clusters(n) {
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const centres = Array.from({ length: 10 }, () => [random() * 1.4 - 0.7, random() * 1.4 - 0.7]);
  const [x, y, kind] = [new Float32Array(n), new Float32Array(n), new Uint8Array(n)];
  for (let i = 0; i < n; i++) {
    kind[i] = Math.floor(random() * 10);
    x[i] = centres[kind[i]][0] + (random() + random() + random() - 1.5) * 0.3;
    y[i] = centres[kind[i]][1] + (random() + random() + random() - 1.5) * 0.3;
  }
  return { x, y, kind };
}
export async function measure(frames, draw, pan) {
  const began = performance.now();
  await draw();
  await frame();
  await frame();
  const first = performance.now() - began;
  const from = performance.now();
  for (let i = 1; i <= frames; i++) {
    pan(Math.sin(i / 6), Math.cos(i / 6));
    await frame();
  }
  await frame();
  return { first, fps: (1000 * (frames + 1)) / (performance.now() - from) };
}
"""
OURS = """
import { Camera } from "./app/components/scatter/camera.js";
import { PlotModel } from "./app/components/scatter/model.js";
import { Painter } from "./app/components/scatter/painter.js";
import { clusters, measure } from "./shared.js";
export function run(n, frames) {
  const { x, y, kind } = clusters(n);
  const [points, overlay] = ["points", "overlay"].map((id) => document.getElementById(id));
  const pca = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) pca.set([x[i], y[i]], 2 * i);
  const empty = { predicted: kind, state: new Uint8Array(n), label: kind, prompted: kind, origin: new Uint8Array(n) };
  const columns = { ids: new Uint32Array(n), pca, umap: pca, ...empty };
  const header = { n, classes: Array.from({ length: 10 }, (_, i) => String(i)) };
  const camera = new Camera();
  const painter = new Painter(document.documentElement, points, overlay, camera);
  let model;
  const draw = () => {
    model = new PlotModel({ header, columns }, "class", "pca");
    camera.resize(800, 500, model.box);
    painter.resize();
    painter.restyle(model);
    painter.paint(model, model.xy, -1);
  };
  return measure(frames, draw, (dx, dy) => {
    camera.view = { ...camera.view, x: dx * 0.1, y: dy * 0.1 };
    painter.paint(model, model.xy, -1, true);
  });
}
"""
THEIRS = """
import createScatterplot from "regl-scatterplot";
import { clusters, measure } from "./shared.js";
const COLOURS = ["#2b6cb0", "#c2560c", "#187840", "#b3261e", "#6b4fa0", "#7a5230", "#b03a7a", "#555555", "#8a8a00",
  "#00808a"];
export function run(n, frames) {
  const { x, y, kind } = clusters(n);
  const canvas = document.getElementById("points");
  document.getElementById("overlay").remove();
  const plot = createScatterplot({ canvas, width: 800, height: 500, pointSize: 2, opacity: 0.45, colorBy: "valueA",
    pointColor: COLOURS });
  return measure(frames, () => plot.draw({ x, y, z: kind }), (dx, dy) => {
    plot.view(new Float32Array([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, dx * 0.1, dy * 0.1, 0, 1]), { preventEvent: true });
  });
}
"""


def build(folder: Path) -> None:
    """Both pages with their modules; regl-scatterplot as one bundle."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed for regl-scatterplot; install Node.js")
    (folder / "package.json").write_text("{}")
    subprocess.run([npm, "install", "--silent", *PACKAGES], cwd=folder, check=True)
    shutil.copytree(Path(synthaug_app.__file__).parent, folder / "app")
    (folder / "shared.js").write_text(SHARED)
    (folder / "ours.js").write_text(OURS)
    (folder / "theirs.src.js").write_text(THEIRS)
    command = [
        "node_modules/.bin/esbuild",
        "theirs.src.js",
        "--bundle",
        "--format=esm",
        "--outfile=theirs.js",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for name in ("ours", "theirs"):
        (folder / f"{name}.html").write_text(PAGE.replace("NAME", name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--frames", type=int, default=60, metavar="N")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{options.points:,} points; {os.cpu_count()} cores, load {load:.1f}, {platform.platform()}")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        build(Path(name))
        handler = functools.partial(QuietHandler, directory=name)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for page_name, title in (("ours", "our canvas"), ("theirs", f"regl-scatterplot {VERSION}")):
            page = browser.new_page(viewport={"width": 900, "height": 600})
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/{page_name}.html")
            page.wait_for_function("Boolean(window.run)")
            got = page.evaluate(f"run({options.points}, {options.frames})")
            print(
                f"{title:<26} first paint {got['first']:7.0f} ms   panning {got['fps']:5.1f} frames a second"
            )
            page.close()
        browser.close()
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves the folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    main()
