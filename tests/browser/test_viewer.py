"""The viewer in a browser, with real wheel, pointer and key events: what is on the screen against the formula."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from synthaug.grayscale import shares
from synthaug.records import Display, GrayImage, Window
from synthaug.store import catalog, gray_images
from synthaug.store.gray_images import GrayRecord
from synthaug.workspace import Workspace

from .conftest import FLAGS, POLICY, chromium
from .served import SESSIONS, App, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SOFTWARE_GL = "--enable-unsafe-swiftshader"
WIDTH, HEIGHT = 700, 420
LARGE = 1024
PLACES = {16: 1, 15: 2, 14: 3, 13: 4}  # of the real images in their queue
DISPLAY = Display((Window(9_000, 12_001), Window(30_000, 400)), 2.0, -1000.0, True)


def values(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """A film of 15 bits that holds every part of the window, and whose pixels all differ from their neighbours."""
    y, x = np.mgrid[:height, :width]
    return ((x * 37 + y * 11 + seed * 997) % 2**13).astype(np.uint16)


def shown(film: np.ndarray, window: Window = DISPLAY.windows[0], *, inverted: bool = True) -> np.ndarray:
    """What the formula says, (H, W) 0..255."""
    rescaled = film.astype(np.float64) * DISPLAY.slope + DISPLAY.intercept
    gray = np.floor(255 * shares(rescaled, window) + 0.5)
    return 255 - gray if inverted else gray


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """Two films of a series, a photo and a large film, in a workspace that holds small synthetic images too."""
    workspace = make_workspace(tmp_path_factory.mktemp("viewer") / "work", ["cat", "dog"], 12)
    photo = np.random.default_rng(5).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    add(workspace, GrayImage(values(0), 15, DISPLAY), "rex_1")
    add(workspace, GrayImage(values(1), 15, DISPLAY), "rex_2")
    add(workspace, photo, "photo")
    add(workspace, GrayImage(values(2, LARGE, LARGE), 15, DISPLAY), "ada_1")
    workspace.db.close()
    with running(workspace.root) as started:
        yield started


def add(workspace: Workspace, image: Any, source: str) -> None:
    gray = image.values if isinstance(image, GrayImage) else image
    sha256 = workspace.images.put(image, {})
    size = (gray.shape[1], gray.shape[0])
    image_id, _ = catalog.add_image(
        workspace.db, sha256=sha256, size=size, split="train", origin="real", source=source
    )
    if isinstance(image, GrayImage):
        gray_images.add(workspace.db, image_id, GrayRecord(15, {"modality": "CR", "view_position": "VD"}))


@pytest.fixture(params=["webgl", "canvas"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A tab of a browser with WebGL2, or of one without."""
    flag = SOFTWARE_GL if request.param == "webgl" else "--disable-3d-apis"
    launched = browser.browser_type.launch(executable_path=chromium(), args=[*FLAGS, flag])
    context = launched.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_cookies(list(SESSIONS.values()))
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if POLICY in said.text else None)
    has_gl = opened.evaluate("() => !!document.createElement('canvas').getContext('webgl2')")
    if request.param == "webgl" and not has_gl:
        pytest.skip("this Chromium has no WebGL2")
    assert has_gl == (request.param == "webgl")
    yield opened
    launched.close()
    assert errors == []


def open_film(page: Page, app: App, image_id: int = 14) -> None:
    """A real image, with the pointer beside it."""
    page.goto(f"{app.url}/label?scope=real")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    go_to(page, image_id)


def go_to(page: Page, image_id: int) -> None:
    page.keyboard.press("Control+g")  # wherever an earlier visit ended
    page.keyboard.type(str(PLACES[image_id]))
    page.keyboard.press("Enter")
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", f"Image {image_id}")
    expect(page.locator("[data-preset]")).to_contain_text("Full range" if image_id == 15 else "File 2")


def window(page: Page) -> list[float]:
    """Center and width."""
    return [float(page.locator(f"[data-{name}]").input_value()) for name in ("center", "width")]


def box(page: Page, part: str) -> dict[str, float]:
    found = page.locator(part).bounding_box()
    assert found is not None
    return dict(found)


def screen(page: Page) -> np.ndarray:
    """The red of the frame as it is on the screen, (H, W); what was asked for is painted first."""
    page.evaluate("() => new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))")
    picture = Image.open(io.BytesIO(page.locator(".ld-frame").screenshot()))
    return np.asarray(picture.convert("RGB"))[:, :, 0].astype(int)


def around_middle(screen: np.ndarray, film: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of the screen that a film at 1:1 covers, and the same part of the film."""
    height, width = (min(a, b) for a, b in zip(screen.shape, film.shape, strict=True))
    parts = []
    for each in (screen, film):
        top, left = (each.shape[0] - height) // 2, (each.shape[1] - width) // 2
        parts.append(each[top : top + height, left : left + width])
    return parts[0], parts[1]


def differences(page: Page, film: np.ndarray) -> float:
    """The largest difference from the formula at 1:1, over shifts of half a pixel: the middle may lie between two."""
    on_screen, expected = around_middle(screen(page), film)
    inner = on_screen[2:-2, 2:-2]
    shifts = [(dy, dx) for dy in range(5) for dx in range(5)]
    height, width = inner.shape
    return min(float(np.abs(inner - expected[y : y + height, x : x + width]).max()) for y, x in shifts)


def at_actual_size(page: Page) -> None:
    """1:1, put so that pixels of the film and of the screen coincide."""
    page.locator("[data-tool=actual]").click()
    expect(page.locator("[data-scale]")).to_have_text("100%")
    page.evaluate(
        """() => {
            const frame = document.querySelector('.ld-frame');
            frame.style.cssText = 'flex: none; width: 800px; height: 500px';
        }"""
    )


def test_at_actual_size_every_pixel_is_what_the_formula_says(page: Page, app: App) -> None:
    open_film(page, app)
    at_actual_size(page)
    assert differences(page, shown(values(1))) <= 1


def test_numbers_and_presets_set_the_window(page: Page, app: App) -> None:
    open_film(page, app)
    at_actual_size(page)
    page.locator("[data-center]").fill("4000")
    page.locator("[data-width]").fill("3000")
    page.keyboard.press("Enter")
    expect(page.locator("[data-preset]")).to_have_value("own")
    assert differences(page, shown(values(1), Window(4000, 3000))) <= 1
    page.locator("[data-preset]").select_option(label="Full range")
    full = Window((2**15 - 1) * 2 / 2 - 1000, (2**15 - 1) * 2, "LINEAR_EXACT")
    assert differences(page, shown(values(1), full)) <= 1
    page.locator("[data-preset]").select_option(label="File")
    page.keyboard.press("*")
    assert differences(page, shown(values(1), inverted=False)) <= 1


def test_a_right_drag_moves_the_window_and_it_is_remembered(page: Page, app: App) -> None:
    open_film(page, app)
    before = window(page)
    page.mouse.move(500, 400)
    page.mouse.down(button="right")
    page.mouse.move(540, 370, steps=4)
    page.mouse.up(button="right")
    after = window(page)
    assert after[1] > before[1]  # to the right: wider
    assert after[0] > before[0]  # upwards: brighter, and high values of this film are dark
    page.keyboard.press("ArrowRight")  # the prior
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", "Image 13")
    assert window(page) == after
    open_film(page, app)
    assert float(page.locator("[data-center]").input_value()) == after[0]
    page.locator("[data-preset]").select_option(label="File")
    open_film(page, app)
    assert float(page.locator("[data-center]").input_value()) == before[0]


def test_a_series_keeps_its_window_and_another_takes_the_last_of_its_kind(page: Page, app: App) -> None:
    open_film(page, app)
    page.locator("[data-center]").fill("4000")
    page.keyboard.press("Enter")
    rex = window(page)
    go_to(page, 16)
    assert window(page) == rex  # nothing was set for this series yet
    page.locator("[data-center]").fill("7000")
    page.keyboard.press("Enter")
    ada = window(page)
    go_to(page, 13)
    assert window(page) == rex
    go_to(page, 16)
    assert window(page) == ada
    page.locator("[data-preset]").select_option(label="File")
    open_film(page, app, 16)
    expect(page.locator("[data-preset]")).to_have_value("0")
    go_to(page, 14)
    assert window(page) == rex


def test_a_film_takes_all_that_a_narrow_panel_leaves_of_the_window(page: Page, app: App) -> None:
    open_film(page, app, 16)
    stage, panel = box(page, ".ld-stage"), box(page, ".ld-side")
    assert stage["width"] * stage["height"] >= 0.6 * 1440 * 900
    assert 320 <= panel["width"] <= 360
    film = screen(page).max(axis=0) > 0
    assert film.sum() >= 700  # columns of the square film
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        1440,
        900,
    ]
    page.set_viewport_size({"width": 2200, "height": 1200})
    wide = box(page, ".ld-stage")
    assert wide["x"] == 0
    assert wide["width"] + panel["width"] == 2200
    assert (screen(page).max(axis=0) > 0).sum() >= 1000


def test_picture_and_panel_fill_the_window_until_escape(page: Page, app: App) -> None:
    open_film(page, app, 16)
    before = box(page, ".ld-stage")
    page.keyboard.press("%")
    expect(page.locator("[data-tool=fill]")).to_have_attribute("aria-pressed", "true")
    assert box(page, ".ld-main") == {"x": 0, "y": 0, "width": 1440, "height": 900}
    assert box(page, ".ld-stage")["height"] == 900
    page.keyboard.press("ArrowRight")  # keys answer as ever
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", "Image 15")
    page.keyboard.press("?")
    page.get_by_role("button", name="Close", exact=True).last.click()
    page.keyboard.press("Escape")
    assert box(page, ".ld-stage") == before
    page.locator("[data-tool=fill]").click()
    assert box(page, ".ld-stage")["height"] == 900
    page.locator("[data-tool=fill]").click()
    page.locator("[data-do=help]").click()  # within reach again
    expect(page.locator("[data-dialog]")).to_be_visible()


def test_the_wheel_zooms_to_the_pointer_and_a_drag_moves_the_film(page: Page, app: App) -> None:
    open_film(page, app)
    frame = box(page, ".ld-frame")
    x, y = int(frame["x"]) + 300, int(frame["y"]) + 200
    page.mouse.move(x, y)
    before = screen(page)[200, 300]
    for _ in range(12):
        page.mouse.wheel(0, -100)
    zoomed = screen(page)
    block = zoomed[199:202, 299:302]
    assert np.abs(block - before).min() <= 12  # the pixel under the pointer is still there, now a square
    page.mouse.down()
    page.mouse.move(x + 60, y + 25, steps=3)
    page.mouse.up()
    moved = screen(page)
    assert np.array_equal(moved[100:300, 160:500], zoomed[75:275, 100:440])
    page.keyboard.press(",")
    assert np.abs(screen(page)[200, 300] - before) <= 1


def test_a_quarter_turn_turns_every_pixel(page: Page, app: App) -> None:
    open_film(page, app)
    page.keyboard.press("Shift+ArrowRight")
    at_actual_size(page)
    assert differences(page, np.rot90(shown(values(1)), -1)) <= 1
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    assert differences(page, np.rot90(shown(values(1)))) <= 1


def test_the_magnifier_enlarges_what_is_under_the_pointer(page: Page, app: App) -> None:
    open_film(page, app)
    plain = screen(page)
    page.keyboard.press("#")
    page.locator(".ld-frame").hover(position={"x": 400, "y": 250})
    lens = screen(page)
    changed = np.argwhere(lens != plain)
    assert np.abs(changed - [250, 400]).max() <= 111
    assert len(changed) > 10_000
    page.keyboard.press("#")
    assert np.array_equal(screen(page), plain)


def test_a_photo_is_shown_as_it_is_and_through_a_window(page: Page, app: App) -> None:
    open_film(page, app, 15)
    photo = np.random.default_rng(5).integers(0, 256, (400, 600, 3), dtype=np.uint8)[:, :, 0].astype(int)
    at_actual_size(page)
    assert differences(page, photo) <= 1
    page.keyboard.press("*")
    assert differences(page, 255 - photo) <= 1


def test_keys_still_answer_and_the_viewer_takes_none_of_them(page: Page, app: App) -> None:
    open_film(page, app)
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("[data-place]")).to_have_text("Image 3 of 4 in the queue")
    page.keyboard.press("1")
    expect(page.locator("[data-place]")).to_have_text("Image 4 of 4 in the queue")
    page.keyboard.press("z")
    expect(page.locator("[data-saved]")).to_have_text("All saved")


def test_a_small_image_looks_as_ever(page: Page, app: App) -> None:
    page.goto(f"{app.url}/label?scope=synthetic")
    expect(page.locator(".ld-frame img.pixelated")).to_be_visible()
    expect(page.locator(".vw-tools")).to_be_hidden()
    square = box(page, ".ld-frame img.pixelated")
    assert square["width"] == square["height"] >= 384
    assert square["width"] % 32 == 0  # pixels of equal size
