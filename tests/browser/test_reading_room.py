"""The landmark model, an image side by side, locked landmarks and what is remembered, with real pointers and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from playwright.sync_api import expect

from synthaug.stages.landmark_files import export_landmarks
from synthaug.stages.landmark_scheme import current_scheme, use_scheme
from synthaug.store import catalog, jobs, labels, landmarks, models
from synthaug.workspace import Workspace
from tests.landmarks.made import HEIGHT, PLACES, WIDTH, hip_workspace, place

from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TRAIN = 5  # films 1 .. 5 of one dog; 6 is a test image
TEST = 6
DEGREES: dict[str, Any] = {"images": 2, "mean_absolute_error": 4.5, "bias": 1.5, "low": -8.0, "high": 11.0}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Six films, all with landmarks but the fifth, and a landmark model with its figures."""
    workspace = hip_workspace(tmp_path_factory.mktemp("room") / "work")
    for number in range(1, 7):
        pixels = np.full((HEIGHT, WIDTH, 3), 20 * number, np.uint8)
        pixels[80:120, 100:140] = 255
        image, _ = catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(pixels, {}),
            size=(WIDTH, HEIGHT),
            split="test" if number == TEST else "train",
            origin="real",
            source=f"films/rex_{2015 + number}.dcm",
        )
        if number != TRAIN:
            place(workspace, image, f"operation-{number}")
    plant_model(workspace)
    workspace.db.close()
    with running(workspace.root) as started:
        yield started


def plant_model(workspace: Workspace) -> None:
    """A model that was measured on two images: 9 degrees off on the third, 2 on the second."""
    rows = [
        {"error": error, "true": {"left": 100.0, "right": 90.0}, "read": {"left": 100 + error, "right": 91.0}}
        for error in (9.0, 2.0)
    ]
    hashes = [image.sha256 for image in catalog.images_by_id(workspace.db, [3, 2])]
    figures = {
        "kind": "landmarks",
        "measured_on": "held out",
        "images": 2,
        "train_images": 3,
        "point_error": 2.5,
        "accuracy": 1.0,
        "scheme": "hip",
        "doubt": "",
        "image_size": 96,
        "depth": 8,
        "epochs": 1,
        "angles": {name: {**DEGREES, "pearson": 0.9, "spearman": None} for name in ("left", "right", "all")},
        "failures": [{"sha256": sha256, **row} for sha256, row in zip(hashes, rows, strict=True)],
    }
    plain: dict[str, Any] = {"recipe": "landmarks", "revision": "0" * 64, "seed": 0, "view_id": None}
    model = models.add(
        workspace.db, name="landmarks-1", file="none", metrics=figures, environment={}, **plain
    )
    landmarks.add_predictions(workspace.db, model.id, {TRAIN: (PLACES, 3.0)})


def open_desk(page: Page, app: App, number: int = 1) -> None:
    """The queue of real images from the first to the last; go to one of them."""
    page.goto(f"{app.url}/label?scope=real&order=newest")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    page.keyboard.press("Control+g")
    page.keyboard.type(str(TEST + 1 - number))
    page.keyboard.press("Enter")
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", f"Image {number}")


def box(of: Locator) -> dict[str, float]:
    found = of.bounding_box()
    assert found is not None
    return dict(found)


def drag(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by[0] / 2, start[1] + by[1] / 2)
    page.mouse.move(start[0] + by[0], start[1] + by[1])
    page.mouse.up()


def spot(page: Page, canvas: str) -> tuple[float, float, float]:
    """Where the white square is in a canvas, in CSS pixels: middle and width."""
    page.evaluate("() => new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))")
    found: list[float] = page.evaluate(
        """name => {
            const canvas = document.querySelector(name);
            const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const xs = [], ys = [];
            for (let y = 0; y < height; y++) for (let x = 0; x < width; x++)
                if (data[4 * (y * width + x)] > 200) { xs.push(x); ys.push(y); }
            const mean = all => all.reduce((sum, each) => sum + each, 0) / all.length;
            return [mean(xs), mean(ys), Math.max(...xs) - Math.min(...xs)];
        }""",
        canvas,
    )
    return found[0], found[1], found[2]


def test_an_image_side_by_side_is_zoomed_and_moved_along(page: Page, app: App) -> None:
    page.set_viewport_size({"width": 1024, "height": 800})
    open_desk(page, app, 3)
    page.locator("[data-lm-hide]").click()
    page.keyboard.press("/")
    choice, other = page.locator("[data-beside-choice]"), page.locator("[data-beside-frame] canvas")
    expect(other).to_have_attribute("aria-label", "Image 2")
    assert choice.locator("option:checked").inner_text() == "Prior: rex_2017.dcm"
    stage = box(page.locator(".ld-stage"))
    for part in (choice, page.locator("[data-beside-close]"), page.locator("[data-tool=beside]"), other):
        inside = box(part)
        assert inside["x"] >= stage["x"]
        assert inside["x"] + inside["width"] <= stage["x"] + stage["width"]
    frame = box(other)
    scale = page.locator("[data-scale]").text_content() or ""
    page.mouse.move(frame["x"] + 100, frame["y"] + 150)
    page.mouse.wheel(0, -400)  # over the other one
    expect(page.locator("[data-scale]")).not_to_have_text(scale)
    drag(page, (frame["x"] + 100, frame["y"] + 150), (30, 20))
    main = ".ld-frame canvas", "[data-beside-frame] canvas"
    assert spot(page, main[0]) == pytest.approx(spot(page, main[1]), abs=1.5)
    before = spot(page, main[1])
    page.keyboard.press("Alt+ArrowRight")
    moved = spot(page, main[1])
    assert moved[0] - before[0] == pytest.approx(-60, abs=2)
    page.locator("[data-beside-number]").fill("5")
    page.keyboard.press("Enter")
    expect(other).to_have_attribute("aria-label", "Image 5")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", "Image 2")
    expect(other).to_have_attribute("aria-label", "Image 5")  # what was typed stays
    page.keyboard.press("/")
    expect(page.locator("[data-beside]")).to_be_hidden()


def test_a_landmark_model_is_trained_and_read_in_the_browser(page: Page, app: App) -> None:
    open_desk(page, app, TRAIN)
    expect(page.locator("[data-lm-origin]")).to_have_text("Proposed ± 3.0 px")
    words = page.locator(".lm-model [data-lm-model-words]")
    expect(words).to_have_text("landmarks-1 is up to date")
    page.keyboard.press("Enter")  # the proposal is right
    expect(words).to_have_text("landmarks-1: 1 new image since")
    page.locator("[data-lm-report]").click()
    report = page.locator("[data-lm-report-dialog]")
    expect(report.locator("tbody tr").last).to_contain_text("All angles")
    expect(report.locator("tbody tr").first).to_contain_text("4.5°")
    expect(report.locator("circle.lm-dot")).to_have_count(4)
    expect(report.locator(".lm-failure").first).to_contain_text("9.0° off")
    report.locator(".lm-failure").first.click()
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", "Image 3")
    page.locator(".lm-model [data-lm-train]").click()
    expect(page.locator(".lm-model [data-lm-train]")).to_be_disabled()
    expect(words).to_contain_text("raining")
    workspace = Workspace.open(app.root)
    (job,) = jobs.latest(workspace.db, 1, ("train-landmarks",))
    jobs.request_cancel(workspace.db, job.id)
    workspace.db.close()
    assert job.state in ("queued", "running")


def test_locked_landmarks_a_scheme_from_a_file_and_a_filter_that_stays(
    page: Page, app: App, tmp_path: Path
) -> None:
    open_desk(page, app, TEST)
    mark = box(page.locator(".lm-mark[data-name=left_rim] .lm-hit"))
    drag(page, (mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2), (-40, 10))
    page.keyboard.press("Enter")  # locked: nothing is sent
    expect(page.locator("[data-live]")).to_contain_text("locked")
    page.locator("[data-lm-correct]").click()
    page.locator("[data-correction=landmarks] [name=reason]").fill("the rim was missed")
    page.keyboard.press("Enter")
    expect(page.locator("[data-correction=landmarks]")).not_to_be_visible()
    workspace = Workspace.open(app.root)
    last = labels.history(workspace.db, TEST)[-1]
    moved = landmarks.current(workspace.db, [TEST])[TEST].landmarks.points
    assert last.reason == "the rim was missed"
    assert moved["left_rim"][0] < PLACES["left_rim"][0] - 5
    assert moved["right_rim"] == PLACES["right_rim"]
    scheme = current_scheme(workspace)

    wrong = tmp_path / "wrong.toml"
    wrong.write_text('name = "spine"\ntitle = "Cobb"\n')
    page.locator("[data-lm-setup]").click()
    page.locator("[data-lm-toml]").set_input_files(wrong)
    expect(page.locator("[data-lm-problem]")).to_contain_text(
        "wrong.toml cannot be used: it has no landmarks"
    )
    page.keyboard.press("Escape")
    assert current_scheme(workspace) == scheme
    workspace.db.close()

    page.locator("[data-filter-title]").click()
    page.locator("[data-filter] [name=class_index]").select_option("1")
    page.locator("[data-filter] [name=from]").fill("20")
    page.keyboard.press("Tab")
    expect(page.locator("[data-filter-title]")).to_have_text("Filter: 2 conditions")
    page.reload()
    expect(page.locator("[data-filter-title]")).to_have_text("Filter: 2 conditions")
    expect(page.locator("[data-filter] [name=from]")).to_have_value("20")


def test_landmarks_are_saved_as_the_command_line_writes_them(page: Page, app: App, tmp_path: Path) -> None:
    open_desk(page, app)
    page.locator("[data-lm-setup]").click()
    workspace = Workspace.open(app.root)
    for link, name in (("Table (CSV)", "landmarks.csv"), ("COCO keypoints (JSON)", "landmarks.json")):
        with page.expect_download() as saved:
            page.get_by_role("link", name=link).click()
        export_landmarks(workspace, tmp_path / name)
        assert saved.value.suggested_filename == name
        assert saved.value.path().read_bytes() == (tmp_path / name).read_bytes()
    captions, why_not = page.locator("[data-lm-captions]"), page.locator("[data-lm-no-captions]")
    expect(captions).to_be_enabled()
    expect(why_not).to_be_hidden()
    use_scheme(workspace, "cephalometry", no_class=True)
    page.reload()
    page.locator("[data-lm-setup]").click()
    expect(why_not).to_have_text("This scheme has no caption format, so no angles can be read from captions.")
    expect(captions).to_be_disabled()
    use_scheme(workspace, "hip")
    workspace.db.close()
