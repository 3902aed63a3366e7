"""Every page stands still while it is loaded, and the plot can be used without a mouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .planted import COUNT, MOST_SHOWN, Planted, open_map, selected
from .served import App

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
    slow = page.context.new_cdp_session(page)  # the slower the computer, the later a page's parts are mounted
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
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
    expect(page.locator("[data-part=spoken]")).to_have_text(re.compile(r"^image \d+,"))
    said = page.locator("[data-part=spoken]").inner_text()
    near = int(said.split(",")[0].removeprefix("image "))
    page.keyboard.press("Space")
    assert selected(page) == {near}
    page.keyboard.press("Enter")
    expect(page.locator(".sa-inspector h2")).to_have_text(f"Image {near}")


def test_the_grid_is_one_stop_of_the_tab_key_and_is_used_by_keys_alone(page: Page, map_app: App) -> None:
    open_map(page, map_app)
    grid = page.get_by_role("listbox", name="Images")
    focused = grid.locator("[role=option]:focus")
    expect(grid.get_by_role("option").first).to_be_visible()
    page.get_by_label("Sort").focus()
    page.keyboard.press("Tab")
    expect(focused).to_have_attribute("aria-posinset", "1")
    page.keyboard.press("Tab")
    expect(focused).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(focused).to_have_attribute("aria-posinset", "1")

    tops = [tile.bounding_box() for tile in grid.get_by_role("option").all()]
    across = sum(box is not None and tops[0] is not None and box["y"] == tops[0]["y"] for box in tops)
    for key, place in (
        ("ArrowRight", 2),
        ("ArrowDown", 2 + across),
        ("ArrowLeft", 1 + across),
        ("End", min(COUNT, MOST_SHOWN)),
        ("ArrowUp", min(COUNT, MOST_SHOWN) - across),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        expect(focused).to_have_attribute("aria-posinset", str(place))
        expect(focused).to_be_in_viewport()
    expect(focused).to_have_attribute("aria-setsize", str(min(COUNT, MOST_SHOWN)))

    page.keyboard.press("Space")
    expect(focused).to_have_attribute("aria-selected", "true")
    expect(page.locator(".sa-grid [data-part=marked]")).to_have_text("1 marked")
    names = [str(tile.get_attribute("aria-label")).split(",")[0] for tile in grid.get_by_role("option").all()]
    page.keyboard.press("Enter")
    title = page.locator(".sa-inspector h2")
    expect(title).to_have_text(names[0].capitalize())
    page.keyboard.press("ArrowRight")  # of the inspector, while it is open
    expect(title).to_have_text(names[1].capitalize())
    page.keyboard.press("Escape")
    expect(title).to_have_count(0)
    expect(focused).to_have_attribute("aria-posinset", "2")  # the image that was looked at last
