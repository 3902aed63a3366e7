"""The Explore page in a browser: what the loop encloses is what is selected, shown, and recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from synthaug.reading import explore
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.store import catalog, generations, labels, models
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace

from .conftest import picture
from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> ${document.title='owned'} {{value}}"
CLASSES = ["cat", HOSTILE, 'O\'Brien "the 2nd"', "a/b\\c"]
SYNTHETIC, REAL, TEST = 240, 60, 40
COUNT = SYNTHETIC + REAL + TEST
TEST_ORIGIN, SYNTHETIC_ORIGIN = 1, 2


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, make_workspace: Callable[..., Workspace]) -> Iterator[App]:
    """One app on a workspace with real and synthetic images that were given coordinates."""
    root = tmp_path_factory.mktemp("explore") / "work"
    workspace = make_workspace(root, CLASSES, SYNTHETIC)
    add_real(workspace)
    place(workspace)
    workspace.db.close()
    with running(root) as started:
        yield started


def add_real(workspace: Workspace) -> None:
    """Real images of both splits, labeled; the first synthetic image gets a hostile prompt."""
    db = workspace.db
    entries = []
    with db.transaction():
        for number in range(REAL + TEST):
            sha256 = workspace.images.put(picture(10_000 + number), {})
            split = "train" if number < REAL else "test"
            image, _ = catalog.add_image(
                db, sha256=sha256, size=(32, 32), split=split, origin="real", source=str(number)
            )
            entries.append(
                LabelEntry(image, "class", "import", "imported", f"import:{number}", number % len(CLASSES))
            )
        sha256 = workspace.images.put(picture(20_000), {})
        image, _ = catalog.add_image(
            db, sha256=sha256, size=(32, 32), split="train", origin="synthetic", source="job 1"
        )
        generations.add(db, Generation(1, SYNTHETIC, image, 1, HOSTILE, 0, {}, 0, "embedded", "r"))
    label.record(workspace, entries)


def place(workspace: Workspace) -> None:
    """Coordinates and ranks for every image."""
    rng = np.random.default_rng(3)
    ids = [image.id for image in catalog.find_images(workspace.db)]
    scores = [
        models.Score(image, tuple(pca), tuple(umap), 1.0, 0.5, rank, 1 - rank, None)
        for image, pca, umap, rank in zip(
            ids,
            rng.normal(size=(len(ids), 2)).tolist(),
            rng.uniform(-9, 4, size=(len(ids), 2)).tolist(),
            rng.random(len(ids)).tolist(),
            strict=True,
        )
    ]
    models.replace_scores(workspace.db, models.newest(workspace.db).id, scores)


@pytest.fixture
def since(app: App) -> int:
    """The last entry of the log before the test."""
    workspace = Workspace.open(app.root)
    row = workspace.db.one("SELECT coalesce(max(id), 0) AS id FROM labels")
    workspace.db.close()
    assert row is not None
    return int(row["id"])


@pytest.fixture
def points(app: App) -> Iterator[explore.Points]:
    """What the library says of every point."""
    workspace = Workspace.open(app.root)
    yield explore.points(workspace)
    workspace.db.close()


def open_plot(page: Page, app: App) -> None:
    """Open the page and wait for the points."""
    page.goto(f"{app.url}/explore")
    expect(page.locator(".sa-scatter")).to_have_attribute("data-painted", str(COUNT + 1))
    page.locator(".sa-scatter [data-part=overlay]").click(trial=True)  # waits until nothing moves any more


def on_screen(page: Page, ids: NDArray[np.uint32], places: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where every point lies on the page (n, 2): three located points give the affine map of all."""
    known = [0, len(ids) // 3, 2 * len(ids) // 3]
    located = page.evaluate(
        "ids => ids.map((id) => document.querySelector('.sa-scatter').scatter.locate(id))",
        [int(ids[i]) for i in known],
    )
    flat = np.column_stack([places.astype(np.float64), np.ones(len(ids))])
    return flat @ np.linalg.solve(flat[known], np.array(located))


def enclosed(places: NDArray[np.float64], polygon: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """Even-odd rule, edge by edge: a point is inside when a ray to the right crosses an odd number of edges."""
    crossings = np.zeros(len(places), int)
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        straddles = (y1 <= places[:, 1]) != (y2 <= places[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            at = x1 + (places[:, 1] - y1) / (y2 - y1) * (x2 - x1)
        crossings += straddles & (places[:, 0] < at)
    return crossings % 2 == 1


def draw(page: Page, polygon: list[tuple[float, float]]) -> None:
    """Drag the mouse along a loop."""
    page.mouse.move(*polygon[0])
    page.mouse.down()
    for corner in polygon[1:]:
        page.mouse.move(*corner)
    page.mouse.up()


def loop(page: Page, corners: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners given as shares of the plot, as whole pixels of the page."""
    box = page.locator(".sa-scatter [data-part=overlay]").bounding_box()
    assert box is not None
    return [(round(box["x"] + x * box["width"]), round(box["y"] + y * box["height"])) for x, y in corners]


def selected(page: Page) -> set[int]:
    """The ids that the plot says are selected."""
    return set(page.evaluate("document.querySelector('.sa-scatter').scatter.selectedIds()"))


def select_all(page: Page) -> None:
    """A loop around everything."""
    draw(page, loop(page, [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99)]))
    expect(page.locator(".sa-grid")).to_have_attribute("data-state", "filled")


def said(app: App, since: int) -> dict[int, tuple[str, int | None, str]]:
    """The current labels that were given later, by image."""
    workspace = Workspace.open(app.root)
    later = workspace.db.query("SELECT image_id FROM current_labels WHERE label_id > ?", [since])
    current = labels.current(workspace.db, [row["image_id"] for row in later])
    workspace.db.close()
    return {image: (each.value, each.class_index, each.source) for image, each in current.items()}


SHAPES = {
    "concave": [(0.25, 0.2), (0.75, 0.2), (0.55, 0.5), (0.75, 0.8), (0.25, 0.8), (0.45, 0.5)],
    "crossing itself": [(0.3, 0.2), (0.7, 0.8), (0.7, 0.2), (0.3, 0.8)],
}


@pytest.mark.parametrize("projection", ["pca", "umap"])
@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_loop_selects_what_it_encloses(
    page: Page, app: App, points: explore.Points, projection: str, shape: str
) -> None:
    open_plot(page, app)
    if projection == "umap":
        page.get_by_role("button", name="UMAP").click()
        expect(page.locator(".sa-scatter")).to_have_attribute("data-projection", "umap")
    polygon = loop(page, SHAPES[shape])
    places = on_screen(page, points.ids, getattr(points, projection))
    expected = set(points.ids[enclosed(places, polygon)].tolist())
    assert 10 < len(expected) < COUNT
    draw(page, polygon)
    assert selected(page) == expected
    expect(page.locator(".sa-grid [data-part=title]")).to_have_text(f"{len(expected)} images")
    page.keyboard.press("Escape")
    assert selected(page) == set()
    expect(page.locator(".sa-grid [data-part=title]")).to_contain_text("most suspicious")


def test_zoom_and_move_keep_the_loop_true(page: Page, app: App, points: explore.Points) -> None:
    open_plot(page, app)
    (middle,) = loop(page, [(0.6, 0.4)])
    page.mouse.move(*middle)
    before = on_screen(page, points.ids, points.pca)
    page.mouse.wheel(0, -600)
    page.wait_for_function(
        "([id, x]) => Math.abs(document.querySelector('.sa-scatter').scatter.locate(id)[0] - x) > 1",
        arg=[int(points.ids[0]), float(before[0, 0])],
    )
    page.get_by_role("button", name="Move", exact=True).click()
    draw(page, loop(page, [(0.5, 0.5), (0.6, 0.45)]))
    page.get_by_role("button", name="Lasso").click()
    polygon = loop(page, SHAPES["concave"])
    expected = set(points.ids[enclosed(on_screen(page, points.ids, points.pca), polygon)].tolist())
    draw(page, polygon)
    assert selected(page) == expected
    assert expected


def test_hidden_points_are_not_selected(page: Page, app: App, points: explore.Points) -> None:
    open_plot(page, app)
    page.get_by_role("group", name="Show or hide by origin").get_by_text("synthetic").click()
    expect(page.locator("[data-part=shown]")).to_have_text(f"{REAL + TEST} of {COUNT + 1} shown")
    select_all(page)
    assert selected(page) == set(points.ids[points.origin != SYNTHETIC_ORIGIN].tolist())
    page.locator("[data-part=mode]").select_option("predicted")
    page.get_by_role("group", name="Show or hide by origin").get_by_text("synthetic").click()
    page.get_by_role("group", name="Show or hide by colour").get_by_text("cat").click()
    page.get_by_role("button", name="Select all shown").click()
    assert selected(page) == set(points.ids[points.predicted != 0].tolist())


def test_shift_draws_a_box_and_control_adds(page: Page, app: App, points: explore.Points) -> None:
    open_plot(page, app)
    places = on_screen(page, points.ids, points.pca)

    def box(corners: list[tuple[float, float]], *keys: str) -> set[int]:
        (x1, y1), (x2, y2) = loop(page, corners)
        for key in keys:
            page.keyboard.down(key)
        draw(page, [(x1, y1), (x2, y2)])
        for key in keys:
            page.keyboard.up(key)
        within = (places > (x1, y1)).all(1) & (places < (x2, y2)).all(1)
        return set(points.ids[within].tolist())

    first = box([(0.3, 0.3), (0.5, 0.5)], "Shift")
    assert selected(page) == first
    second = box([(0.45, 0.45), (0.7, 0.7)], "Shift", "Control")
    assert selected(page) == first | second
    assert first
    assert second - first


def test_bulk_labels_land_in_the_database_and_can_be_undone(
    page: Page, app: App, points: explore.Points, since: int
) -> None:
    open_plot(page, app)
    polygon = loop(page, SHAPES["concave"])
    inside = enclosed(on_screen(page, points.ids, points.pca), polygon)
    synthetic = set(points.ids[inside & (points.origin == SYNTHETIC_ORIGIN)].tolist())
    draw(page, polygon)
    expect(page.locator("[data-part=marked]")).to_have_text(f"{len(synthetic)} marked")
    page.locator(".sa-grid [data-class='2']").click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text(f"{len(synthetic)} labels saved")
    assert said(app, since) == dict.fromkeys(synthetic, ("class", 2, "human"))

    page.locator("[data-part=mode]").select_option("state")
    keys = page.get_by_role("group", name="Show or hide by colour")
    labeled = len(synthetic) + REAL + TEST
    expect(keys.get_by_role("button", name="labeled")).to_contain_text(str(labeled))

    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text("Undone")
    assert said(app, since) == {}
    expect(keys.get_by_role("button", name="labeled")).to_contain_text(str(REAL + TEST))


def test_unmarked_and_test_images_are_left_alone(
    page: Page, app: App, points: explore.Points, since: int
) -> None:
    open_plot(page, app)
    select_all(page)
    page.get_by_role("button", name="all", exact=True).click()
    expect(page.locator("[data-part=marked]")).to_have_text(f"{COUNT + 1 - TEST} marked")
    tile = page.locator(".sa-grid-tile[data-locked=false]").first
    image = int(re.findall(r"\d+", tile.get_attribute("aria-label") or "")[0])
    tile.locator(".sa-grid-mark").click()
    page.get_by_role("button", name="Unsure", exact=True).click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text(f"{COUNT - TEST} labels saved")
    expected = set(points.ids[points.origin != TEST_ORIGIN].tolist()) - {image}
    assert said(app, since) == dict.fromkeys(expected, ("unsure", None, "human"))
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text("Undone")


def test_a_lost_connection_loses_no_label_and_doubles_none(
    page: Page, app: App, points: explore.Points, since: int
) -> None:
    open_plot(page, app)
    select_all(page)
    answered = []

    def lose_the_answer(route: Any) -> None:
        answered.append(route.fetch())  # the server records, but the browser hears nothing of it
        route.abort()

    page.route("**/data/labels", lose_the_answer)
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text("the rest was not")
    page.unroute("**/data/labels")
    page.get_by_role("button", name="Try again").click()
    synthetic = set(points.ids[points.origin == SYNTHETIC_ORIGIN].tolist())
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text(f"{len(synthetic)} labels saved")
    assert answered
    assert said(app, since) == dict.fromkeys(synthetic, ("reject", None, "human"))
    workspace = Workspace.open(app.root)
    written = workspace.db.query("SELECT count(*) AS n FROM labels WHERE id > ?", [since])
    workspace.db.close()
    assert written[0]["n"] == len(synthetic)
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.locator(".sa-grid [data-part=status]")).to_contain_text("Undone")


def test_a_marked_selection_goes_to_the_label_page(page: Page, app: App, points: explore.Points) -> None:
    open_plot(page, app)
    polygon = loop(page, SHAPES["concave"])
    inside = enclosed(on_screen(page, points.ids, points.pca), polygon)
    draw(page, polygon)
    page.get_by_role("button", name="Review on the Label page").click()
    page.wait_for_url("**/label?scope=selection")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    expect(page.locator(".ld-frame img")).to_be_visible()
    kept = json.loads(page.evaluate("sessionStorage.getItem('synthaug.selection')"))
    assert set(kept["ids"]) == set(points.ids[inside & (points.origin == SYNTHETIC_ORIGIN)].tolist())
    assert kept["from"] == "explore"


def test_hostile_names_and_prompts_are_shown_as_they_are(
    page: Page, app: App, points: explore.Points
) -> None:
    open_plot(page, app)
    page.locator("[data-part=mode]").select_option("class")
    expect(page.locator(".sa-scatter-name", has_text=HOSTILE)).to_be_visible()
    image = int(points.ids[-1])
    x, y = page.evaluate("id => document.querySelector('.sa-scatter').scatter.locate(id)", image)
    page.mouse.move(x, y)
    tip = page.locator(".sa-scatter-tip")
    expect(tip.locator("img")).to_be_visible()
    expect(tip.locator("dd").first).to_have_text(HOSTILE)
    select_all(page)
    expect(page.locator(".sa-grid-class", has_text=HOSTILE)).to_be_visible()
    expect(page.locator(f".sa-grid-tile[aria-label^='image {image},']").locator("img")).to_have_attribute(
        "alt", HOSTILE
    )
    assert "owned" not in page.title()


def test_a_workspace_without_scores_says_what_to_do(
    page: Page, tmp_path: Path, make_workspace: Callable[..., Workspace]
) -> None:
    make_workspace(tmp_path / "work", ["cat", "dog"], 3).db.close()
    with running(tmp_path / "work") as app:
        page.goto(f"{app.url}/explore")
        expect(page.locator(".sa-scatter-empty")).to_contain_text("compute their features")
        expect(page.get_by_role("button", name="Compute features")).to_be_enabled()
