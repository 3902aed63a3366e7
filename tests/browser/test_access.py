"""Every page stands still while it is loaded, and the plot can be used without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .conftest import App
from .planted import Planted, open_map, selected

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_SHIFT = 0.1  # cumulative layout shift of a page that counts as good (web.dev)
READY = {
    "": ".sa-page-data h2",
    "generate": "#start:enabled",
    "finetune": "#tuning .sa-empty, #tuning .sa-tuning",
    "label": ".ld-frame img",
    "explore": ".sa-scatter[data-painted]",
    "train": ".sa-train-form h2",
    "runs": ".sa-runs-page:not([data-state=loading])",
}
WATCH = """
  window.shifted = 0;
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.shifted += entry.value;
      const at = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
      const moved = entry.sources.map(({ node, previousRect, currentRect }) =>
        `${node?.className || node?.nodeName}: ${at(previousRect)} > ${at(currentRect)}`);
      window.shifts.push(`${entry.value.toFixed(3)} ${moved.join(", ")}`);
    }
  }).observe({ type: "layout-shift", buffered: true });
"""


def test_no_page_shifts_while_it_is_loaded(page: Page, map_app: App) -> None:
    page.add_init_script(WATCH)
    shifts = {}
    for path, ready in READY.items():
        page.goto(f"{map_app.url}/{path}")
        expect(page.locator(ready).first).to_be_visible()
        page.wait_for_function("[...document.images].every((image) => image.complete)")
        page.evaluate("() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))")
        shifts[path] = page.evaluate("[window.shifted, window.shifts]")
    bad = {path: each for path, each in shifts.items() if each[0] >= MOST_SHIFT}
    assert not bad, bad


def test_the_plot_is_used_by_keys_alone(page: Page, map_app: App, planted: Planted) -> None:
    open_map(page, map_app)
    plot = page.locator(".sa-scatter [data-part=overlay]")
    plot.focus()
    page.keyboard.press("+")
    page.keyboard.press("0")
    page.keyboard.press("v")
    everything = {*planted.real, *planted.test, *planted.synthetic}
    assert selected(page) == everything
    page.keyboard.press("Escape")
    assert selected(page) == set()
    image = planted.real[0]
    x, y = page.evaluate("id => document.querySelector('.sa-scatter').scatter.locate(id)", image)
    box = plot.bounding_box()
    assert box is not None
    at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    for key, forward, step in (("ArrowRight", x - at[0], 8), ("ArrowDown", y - at[1], 8)):
        name = key if forward > 0 else {"ArrowRight": "ArrowLeft", "ArrowDown": "ArrowUp"}[key]
        for _ in range(round(abs(forward) / step)):
            page.keyboard.press(f"Shift+{name}")
    expect(page.locator("[data-part=spoken]")).to_contain_text("image ")
    said = page.locator("[data-part=spoken]").inner_text()
    near = int(said.split(",")[0].removeprefix("image "))
    page.keyboard.press("Space")
    assert selected(page) == {near}
    page.keyboard.press("Enter")
    expect(page.locator(".sa-inspector h2")).to_have_text(f"Image {near}")
