"""Landmarks in a browser, with real pointer, touch and key events: what is stored is where the picture shows it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from synthaug.landmarks.geometry import measure, start_places
from synthaug.landmarks.scheme import load_scheme
from synthaug.stages.landmark_scheme import current_scheme, use_scheme
from synthaug.store import catalog, labels, landmarks
from synthaug.store.label_chain import head
from synthaug.workspace import Workspace
from tests.made import add_untrained_model

from .served import SESSIONS, App, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT = 600, 400
SPOT = (150, 90)  # a white square of 8 px begins here: its middle is at (154, 94)
MIDDLE = (154.0, 94.0)
HIP = load_scheme("hip")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Five films with a white spot each, the fourth with a larger review copy, the fifth with a model's proposal."""
    workspace = Workspace.create(tmp_path_factory.mktemp("landmarks") / "work", (), "hip")
    use_scheme(workspace, "hip")
    for level in range(5):
        pixels = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
        pixels[SPOT[1] : SPOT[1] + 8, SPOT[0] : SPOT[0] + 8] = 255
        catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(
                pixels, {}, review=pixels.repeat(2, 0).repeat(2, 1) if level == 3 else None
            ),
            size=(WIDTH, HEIGHT),
            split="train",
            origin="real",
            source=f"film {level}",
        )
    model = add_untrained_model(workspace, name="angles-1")
    proposed = (start_places(HIP, WIDTH, HEIGHT), 2.0)
    landmarks.add_predictions(workspace.db, model.id, {5: proposed})
    workspace.db.close()
    with running(workspace.root) as started:
        yield started


def open_film(page: Page, app: App, number: int) -> None:
    page.goto(f"{app.url}/label?scope=real&order=newest")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    page.keyboard.press("Control+g")
    page.keyboard.type(str(6 - number))  # newest first
    page.keyboard.press("Enter")
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", f"Image {number}")


def stored(app: App, image_id: int) -> Any:
    """The landmarks that count, and the class."""
    workspace = Workspace.open(app.root)
    found = landmarks.current(workspace.db, [image_id]).get(image_id)
    label = labels.current(workspace.db, [image_id]).get(image_id)
    workspace.db.close()
    return found, None if label is None else label.class_index


def entries(app: App) -> int:
    """How many lines the log has."""
    workspace = Workspace.open(app.root)
    count = head(workspace.db)[0]
    workspace.db.close()
    return count


def spot(page: Page) -> tuple[float, float]:
    """Where the middle of the white square is on the screen, found by its colour."""
    page.locator("[data-lm-hide]").click()
    page.evaluate("() => new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))")
    frame = page.locator(".ld-frame")
    picture = np.asarray(Image.open(io.BytesIO(frame.screenshot())).convert("L"))
    page.locator("[data-lm-hide]").click()
    rows, columns = np.nonzero(picture > 128)
    box = frame.bounding_box()
    assert box is not None
    return box["x"] + float(columns.mean()) + 0.5, box["y"] + float(rows.mean()) + 0.5


def steady_spot(page: Page) -> tuple[float, float]:
    """The same once it stays where it is: a film that has just been opened is fitted again when the panel has grown."""
    before = spot(page)
    while (now := spot(page)) != before:
        before = now
    return now


def middle(page: Page, name: str) -> tuple[float, float]:
    box = page.locator(f".lm-mark[data-name={name}] .lm-hit").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def zoom(page: Page, point: tuple[float, float], wheel: float) -> None:
    """Turn the wheel over a point, and wait until the picture is of another size."""
    before = page.locator("[data-scale]").inner_text()
    page.mouse.move(*point)
    page.mouse.wheel(0, wheel)
    expect(page.locator("[data-scale]")).not_to_have_text(before)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*((a + b) / 2 for a, b in zip(start, end, strict=True)))
    page.mouse.move(*end)
    page.mouse.up()


def test_a_drag_in_a_zoomed_and_turned_picture_is_stored_where_it_was_seen(page: Page, app: App) -> None:
    open_film(page, app, 1)
    zoom(page, spot(page), -300)
    page.locator("[data-tool=right]").click()
    page.locator("[data-tool=invert]").click()
    page.locator("[data-tool=invert]").click()
    zoom(page, middle(page, "left_head"), -100)  # over a handle too
    drag(page, middle(page, "left_rim"), spot(page))
    shown = page.locator("[data-angle=left]").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    found, class_index = stored(app, 1)
    places = start_places(HIP, WIDTH, HEIGHT) | {"left_rim": found.landmarks.points["left_rim"]}
    assert found.landmarks.points["left_rim"] == pytest.approx(MIDDLE, abs=0.8)
    assert found.landmarks.points == places
    expected = measure(HIP, places)
    assert found.landmarks.angles == pytest.approx(expected, abs=0.006)
    assert shown == f"{expected['left']:.1f}°"
    assert class_index == (0 if min(expected.values()) >= 105 else 1)
    open_film(page, app, 1)
    expect(page.locator("[data-angle=left]")).to_have_text(shown)
    expect(page.locator("[data-lm-origin]")).to_have_text(f"Placed by {found.annotator}")
    assert steady_spot(page) == pytest.approx(middle(page, "left_rim"), abs=1.5)


def test_keys_move_a_landmark_and_take_it_back(page: Page, app: App) -> None:
    open_film(page, app, 2)
    before, _ = stored(app, 2)
    page.keyboard.press("Enter")  # where landmarks only begin is no answer
    expect(page.locator("[data-live]")).to_contain_text("rag")
    page.locator("[data-tool=right]").click()  # the picture's left is above now
    page.locator(".lm-mark[data-name=left_head]").focus()
    x, y, radius = json.loads(page.evaluate(PLACE))
    for keys in ("ArrowUp", "Shift+ArrowRight", "z", "Shift+ArrowUp", "]", "]", "["):
        page.keyboard.press(keys)
    expect(page.locator(".lm-mark[data-name=left_head]")).to_have_attribute(
        "aria-label", f"Left femoral head: {round(x - 11)}, {round(y)}, radius {round(radius + 1)}"
    )
    page.keyboard.press("2")  # the person's class, whatever the angles say
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    found, class_index = stored(app, 2)
    assert before is None
    assert found.landmarks.points["left_head"] == pytest.approx((x - 11, y, radius + 1), abs=0.02)
    assert class_index == 1
    page.keyboard.press("z")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert stored(app, 2) == (None, None)
    expect(page.locator("[data-lm-origin]")).to_have_text("Placed by you")  # to be mended, not begun again


STEP = """() => {
    const mark = document.querySelector('.lm-mark[data-name=left_rim]');
    mark.focus();
    const before = mark.querySelector('.lm-hit').getBoundingClientRect().x;
    const key = { key: 'ArrowRight', shiftKey: true, bubbles: true, composed: true };
    mark.dispatchEvent(new KeyboardEvent('keydown', key));
    return mark.querySelector('.lm-hit').getBoundingClientRect().x - before;
}"""


def test_a_landmark_is_where_it_was_put_at_once_for_those_who_want_less_motion(page: Page, app: App) -> None:
    open_film(page, app, 2)
    assert page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert page.evaluate(STEP) > 5


def test_accepted_landmarks_of_a_model_are_recorded_as_accepted(page: Page, app: App) -> None:
    open_film(page, app, 5)
    expect(page.locator("[data-lm-origin]")).to_have_text("Proposed ± 2.0 px")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    workspace = Workspace.open(app.root)
    (entry,) = labels.history(workspace.db, 5)
    workspace.db.close()
    assert (entry.source, entry.model_id) == ("accepted", 1)
    assert stored(app, 5)[0].landmarks.points == start_places(HIP, WIDTH, HEIGHT)


def place_of(page: Page, name: str) -> list[int]:
    """The place of a landmark in the picture, rounded to pixels, as it is read out."""
    label = page.locator(f".lm-mark[data-name={name}]").get_attribute("aria-label") or ""
    return [int(number) for number in re.findall(r"\d+", label)]


def test_moves_are_repeated_before_answers_and_by_the_key_that_a_person_chose(page: Page, app: App) -> None:
    open_film(page, app, 4)
    page.keyboard.press("1")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    page.keyboard.press("z")
    expect(page.locator("[data-current]")).to_have_text("not labeled yet")
    page.locator(".lm-mark[data-name=left_rim]").focus()
    x, y = place_of(page, "left_rim")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("z")
    assert place_of(page, "left_rim") == [x, y]
    page.keyboard.press("Shift+Z")
    assert place_of(page, "left_rim") == [x + 1, y]
    expect(page.locator("[data-current]")).to_have_text("not labeled yet")
    page.keyboard.press("z")
    page.keyboard.press("ArrowDown")  # another move: the first one cannot be repeated any more
    page.keyboard.press("Shift+Z")  # so this repeats the answer
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", "Image 3")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert stored(app, 4)[1] == 0
    page.keyboard.press("z")
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", "Image 4")

    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key of Undo").click()
    page.keyboard.press("q")
    page.keyboard.press("Escape")
    expect(page.locator("[data-do=redo] kbd")).to_have_text("⇧Q")
    page.locator(".lm-mark[data-name=left_rim]").focus()
    x, y = place_of(page, "left_rim")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("z")  # means nothing now
    assert place_of(page, "left_rim") == [x + 1, y]
    page.keyboard.press("q")
    assert place_of(page, "left_rim") == [x, y]
    page.keyboard.press("Shift+Q")
    assert place_of(page, "left_rim") == [x + 1, y]
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert stored(app, 4) == (None, None)


PLACE = """() => {
    const [x, y, radius] = document.querySelector('.lm-mark[data-name=left_head]')
        .getAttribute('aria-label').match(/\\d+/g).map(Number);
    return JSON.stringify([x, y, radius]);
}"""


def test_a_finger_widens_a_circle_and_an_owner_changes_the_limit(page: Page, app: App) -> None:
    open_film(page, app, 3)
    ring = page.locator(".lm-mark[data-name=right_head] .lm-rim").bounding_box()
    assert ring is not None
    x, y = ring["x"] + ring["width"], ring["y"] + ring["height"] / 2
    scale = ring["width"] / 2 / (0.075 * WIDTH)
    touch = page.context.new_cdp_session(page)
    for kind, shift in (("touchStart", 0), ("touchMove", 10), ("touchMove", 20), ("touchEnd", None)):
        points = [] if shift is None else [{"x": x + shift, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    wider = page.locator(".lm-mark[data-name=right_head] .lm-rim").bounding_box()
    assert wider is not None
    assert wider["width"] == pytest.approx(ring["width"] + 40, abs=2)
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    radius = stored(app, 3)[0].landmarks.points["right_head"][2]
    assert radius == pytest.approx(0.075 * WIDTH + 20 / scale, abs=1)
    said = entries(app)
    page.locator("[data-lm-setup]").click()
    page.locator("[data-lm-rows] input").fill("90")
    page.locator("[data-lm-cancel]").focus()
    page.keyboard.press("x")  # no key of the desk while the dialog is open
    with page.expect_navigation():
        page.locator("[data-lm-dialog] .primary").click()
    open_film(page, app, 4)
    workspace = Workspace.open(app.root)
    scheme = current_scheme(workspace)
    workspace.db.close()
    assert scheme is not None
    assert scheme.classes is not None
    assert scheme.classes.thresholds == (90.0,)
    assert entries(app) == said
    drag(page, middle(page, "left_rim"), spot(page))  # in the picture of 1200 px of an image of 600
    expect(page.locator("[data-lm-why]")).to_contain_text("90°")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("All saved")
    assert stored(app, 4)[0].landmarks.points["left_rim"] == pytest.approx(MIDDLE, abs=0.8)


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    """A tab of a tablet that is held upright."""
    context = browser.new_context(
        viewport={"width": 820, "height": 1180}, has_touch=True, reduced_motion="reduce"
    )
    context.add_cookies(list(SESSIONS.values()))
    yield context.new_page()
    context.close()


def fingers(page: Page, *steps: list[tuple[float, float]]) -> None:
    """Put fingers down, move them through the steps, and lift them."""
    touch = page.context.new_cdp_session(page)
    for number, points in enumerate(steps):
        places = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        kind = "touchMove" if number else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def scale(page: Page) -> int:
    """The enlargement of the picture, in percent."""
    return int((page.locator("[data-scale]").text_content() or "").rstrip("%"))


LOW_BUTTONS = """() => [...document.querySelectorAll('.ld :is(button, select, summary)')]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 48)
    .map((each) => each.outerHTML)"""


def test_on_a_tablet_the_picture_is_above_large_buttons_and_fingers_move_points(
    tablet: Page, app: App
) -> None:
    open_film(tablet, app, 5)
    stage, panel = tablet.locator(".ld-stage").bounding_box(), tablet.locator(".ld-side").bounding_box()
    assert stage is not None
    assert panel is not None
    assert stage["width"] == panel["width"] == 820
    assert stage["y"] + stage["height"] <= panel["y"]
    assert tablet.evaluate(LOW_BUTTONS) == []

    mark = tablet.locator(".lm-mark[data-name=left_rim]")
    x, y = place_of(tablet, "left_rim")
    words_before = mark.get_attribute("aria-label") or ""
    left, top = middle(tablet, "left_rim")
    fingers(tablet, [(left, top)], [(left - 20, top + 15)], [(left - 40, top + 30)])
    assert middle(tablet, "left_rim") == pytest.approx((left - 40, top + 30), abs=1)
    by = 100 / scale(tablet)  # pixels of the image
    moved = pytest.approx([x - 40 * by, y + 30 * by], abs=1.5)
    assert place_of(tablet, "left_rim") == moved
    words_after = mark.get_attribute("aria-label") or ""
    tablet.locator(".ld [data-do=undo]").tap()
    expect(mark).to_have_attribute("aria-label", words_before)
    tablet.locator(".ld [data-do=redo]").tap()
    expect(mark).to_have_attribute("aria-label", words_after)

    tablet.evaluate("scrollTo(0, 0)")
    before = scale(tablet)
    a, b = 400.0, stage["y"] + 120
    fingers(tablet, [(a - 60, b), (a + 60, b)], [(a - 90, b), (a + 90, b)], [(a - 120, b), (a + 120, b)])
    tablet.wait_for_function(
        "was => parseInt(document.querySelector('[data-scale]').textContent) !== was", arg=before
    )
    assert scale(tablet) == pytest.approx(2 * before, rel=0.02)
    assert tablet.evaluate("visualViewport.scale") == 1
    tablet.locator(".lm-panel .ld-accept").tap()
    expect(tablet.locator("[data-saved]")).to_have_text("All saved")
    assert stored(app, 5)[0].landmarks.points["left_rim"] == moved

    tablet.set_viewport_size({"width": 1024, "height": 768})  # on its side
    assert tablet.evaluate(LOW_BUTTONS) == []
