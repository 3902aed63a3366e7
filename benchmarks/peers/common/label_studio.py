"""Label Studio on this machine: its server with a project of images, and a reader who labels them by keys.

It runs in Label Studio's own environment, so it uses nothing of synthaug.
"""

from __future__ import annotations

import atexit
import base64
import http.client
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

READER = ("reader@example.org", "a password of a benchmark")
CLASSES = range(10)
IMAGE = "img[alt=image]"
START_SECONDS = 300
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
QUIET = {
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "FRONTEND_SENTRY_DSN": "",
    "SENTRY_DSN": "",
}
POST = """async ([path, body]) => {
    const token = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "";
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    const answer = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
}"""
MEASURE = """selector => {
    window.times = [];
    let pressed = 0;
    let shown = document.querySelector(selector).src;
    document.addEventListener("keydown", event => { if (event.key === "Enter") pressed = event.timeStamp; }, true);
    new MutationObserver(() => {
        const [image, start] = [document.querySelector(selector), pressed];
        if (!image?.src || image.src === shown || !start) return;
        shown = image.src;
        image.decode().then(() => requestAnimationFrame(() => requestAnimationFrame(() => {
            window.times.push(performance.now() - start);
        })));
    }).observe(document.body, { attributes: true, attributeFilter: ["src"], childList: true, subtree: true });
}"""


class LabelStudio:
    """A server that ends with this process, and a browser in which the reader has logged in."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"
        program = str(Path(sys.executable).with_name("label-studio"))
        options = ["--no-browser", "--port", port, "--data-dir", str(data), "--log-level", "ERROR"]
        person = ["--username", READER[0], "--password", READER[1]]
        self.server = subprocess.Popen(
            [program, "start", *options, *person],
            env={**os.environ, **QUIET, "LABEL_STUDIO_BASE_DATA_DIR": str(data)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self.server.terminate)
        self.wait()
        self.page = self.log_in()

    def wait(self) -> None:
        """Until the server answers. Raises RuntimeError where it ends or takes five minutes."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.server.poll() is None:
            answer = http.client.HTTPConnection(self.address, timeout=5)
            try:
                answer.request("GET", "/health")
                answer.getresponse()
                return
            except OSError:
                time.sleep(0.5)
            finally:
                answer.close()
        raise RuntimeError("Label Studio did not start")

    def log_in(self) -> Page:
        """A page of a browser that stays open with this process."""
        from playwright.sync_api import sync_playwright

        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        page.goto(f"{self.url}/user/login")
        page.fill("input[name=email]", READER[0])
        page.fill("input[name=password]", READER[1])
        page.click("button[type=submit]")
        page.wait_for_url(re.compile("^(?!.*login)"))
        return page

    def ask(self, path: str, body: Any = None) -> Any:
        """What its API answers, to a POST of ``body`` if there is one."""
        return self.page.evaluate(POST, [path, body])

    def project(self, images: int) -> int:
        """A new project of images of noise, 32 px, with one key for each of ten classes."""
        choices = "".join(f'<Choice value="class {key}" hotkey="{key}"/>' for key in CLASSES)
        view = f'<Image name="image" value="$image"/><Choices name="class" toName="image">{choices}</Choices>'
        created = self.ask("/api/projects/", {"title": "noise", "label_config": f"<View>{view}</View>"})
        self.ask(
            f"/api/projects/{created['id']}/import", [{"image": noise(number)} for number in range(images)]
        )
        return int(created["id"])

    def labeled(self, project: int) -> int:
        """How many images have a class in its database."""
        exported = self.ask(f"/api/projects/{project}/export?exportType=JSON_MIN")
        return sum("class" in image for image in exported)

    def label(self, project: int, labels: int) -> list[float]:
        """Choose a class and submit, each after the next image was painted: milliseconds from Ctrl+Enter."""
        self.page.goto(f"{self.url}/projects/{project}/data?labeling=1")
        self.page.wait_for_function(
            "selector => document.querySelector(selector)?.naturalWidth > 0", arg=IMAGE
        )
        self.page.evaluate(MEASURE, IMAGE)
        for number in range(labels):
            self.page.keyboard.press(str(number % len(CLASSES)))
            self.page.keyboard.press("Control+Enter")
            self.page.wait_for_function("count => window.times.length >= count", arg=number + 1)
        times: list[float] = self.page.evaluate("window.times")
        return times[:labels]


def noise(seed: int) -> str:
    """A PNG of 32 px as a data address."""
    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
