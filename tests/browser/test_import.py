"""Bring images in by the browser: drop, map, import; a server that goes in the middle; a zip that leads elsewhere."""

from __future__ import annotations

import shutil
import signal
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from synthaug.store import catalog, labels
from synthaug.workspace import Workspace

from .conftest import picture
from .served import App, running

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect

FILMS = ("RG1_UNCR.dcm", "RG3_UNCR.dcm")
"""Real CR films: 1955 x 1841 of 15 bits, 1760 x 1760 of 10."""


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A workspace of hips without an image."""
    Workspace.create(tmp_path / "work", ["Big", "Small"]).db.close()
    return tmp_path / "work"


@pytest.fixture
def hips(tmp_path: Path) -> Path:
    """Class folders of PNG, two films without extension and class, a third class, files that are no images."""
    source = tmp_path / "hips"
    for number, name in enumerate(("Big/a", "Big/b", "small/c", "dysplasia C/d", "unlabeled/e")):
        path = source / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(path)
    for number, name in enumerate(FILMS):
        shutil.copy(str(get_testdata_file(name, download=False)), source / "unlabeled" / f"IM{number}")
    (source / "Big" / "torn.png").write_bytes(b"no image")
    (source / "notes.txt").write_text("no image either")
    return source


def images_of(root: Path) -> dict[str, tuple[str | None, int]]:
    """The class and the width of every image, by its path in the source."""
    workspace = Workspace.open(root)
    images = catalog.find_images(workspace.db)
    current = labels.current(workspace.db, [each.id for each in images])
    classes = {each: workspace.classes[current[each].class_index or 0] for each in current}
    return {each.source: (classes.get(each.id), each.width) for each in images}


def open_data(page: Page, app: App) -> None:
    """Open the first page and wait until it takes files."""
    page.goto(app.url)
    expect(page.locator(".im[data-state=idle]")).to_be_visible()


@pytest.mark.long
def test_a_folder_of_films_and_pictures_from_an_empty_workspace_to_the_desk(
    page: Page, empty: Path, hips: Path
) -> None:
    with running(empty) as app:
        open_data(page, app)
        expect(page.locator("[data-step=import]")).to_have_attribute("data-state", "next")
        expect(page.locator("[data-step=label] a")).to_have_count(0)
        page.locator("[data-folder]").set_input_files(str(hips))
        rows = page.locator(".im-groups tbody tr")
        expect(rows).to_have_count(4)
        expect(page.locator(".im-mapping h2")).to_have_text("hips 8 images in 4 folders")
        expect(page.locator(".im-mapping")).to_contain_text("1 .txt")
        expect(page.get_by_label("Import unlabeled as")).to_have_value("none")
        expect(page.get_by_label("Import small as")).to_have_value("class:Small")
        for film in ("IM0", "IM1"):
            sample = page.locator(f"img[title='unlabeled/{film}']")
            expect(sample).to_have_js_property("complete", True)
            assert max(sample.evaluate("image => [image.naturalWidth, image.naturalHeight]")) == 96
        name = page.get_by_label("Name of the new class of dysplasia C")
        expect(name).to_have_value("dysplasia C")
        name.fill("Dysplasia")
        assert images_of(empty) == {}  # nothing is written before
        page.get_by_label("Train or test").select_option("train")
        page.get_by_role("button", name="Import 8 images").click()
        expect(page.locator(".sa-job .sa-chip.warn")).to_have_text("1 not imported")
        page.get_by_text("1 file was not imported").click()
        expect(page.locator(".sa-rejected tbody")).to_contain_text("Big/torn.png")
        expect(page.locator(".sa-import-notes")).to_contain_text("2 DICOM files de-identified")
        assert images_of(empty) == {
            "Big/a.png": ("Big", 32),
            "Big/b.png": ("Big", 32),
            "small/c.png": ("Small", 32),
            "dysplasia C/d.png": ("Dysplasia", 32),
            "unlabeled/e.png": (None, 32),
            "unlabeled/IM0": (None, 1841),
            "unlabeled/IM1": (None, 1760),
        }
        assert not list((empty / "uploads").glob("*"))
        page.locator("[data-step=label] a").click()
        expect(page.locator("[data-classes] button")).to_have_count(3)  # the new class too
        expect(page.locator("[data-classes]")).to_contain_text("Dysplasia")


@pytest.mark.long
def test_an_upload_outlives_the_server(page: Page, empty: Path, hips: Path) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if "IM1" in route.request.url else route.continue_()

    with running(empty) as app:
        open_data(page, app)
        page.route("**/data/uploads/part*", hold)
        with page.expect_request(lambda request: "IM1" in request.url):
            page.locator("[data-folder]").set_input_files(str(hips))
        app.stop(signal.SIGKILL)
        page.unroute("**/data/uploads/part*")
        expect(page.locator("[data-sending-words]")).to_contain_text("Trying again; what has arrived is kept")
        app.start()
        expect(page.locator(".im-mapping h2")).to_have_text("hips 8 images in 4 folders")
        page.reload()
        expect(page.locator(".im-mapping h2")).to_have_text("hips 8 images in 4 folders")
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()
        expect(page.locator(".im .sa-error")).to_be_hidden()


def test_a_zip_that_leads_elsewhere_is_refused_and_an_honest_one_dropped(
    page: Page, empty: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("a.png", b"x")
        archive.writestr("../../evil.png", b"x")
    with running(empty) as app:
        open_data(page, app)
        page.locator("[data-files]").set_input_files(str(tmp_path / "evil.zip"))
        expect(page.locator(".im .sa-error")).to_contain_text("evil.zip contains the name '../../evil.png'")
        assert not list(tmp_path.rglob("*evil.png"))
        drop(page, "films.zip", honest_zip(tmp_path))
        expect(page.locator(".im-groups tbody tr")).to_have_count(2)
        expect(page.locator(".im-title")).to_have_text("films.zip")
        page.get_by_label("Import all as").or_(page.get_by_label("Import Big as")).first.select_option("skip")
        page.get_by_role("button", name="Import 1 image").click()
        expect(page.locator(".sa-job[data-state=done] .sa-chip.good")).to_be_visible()
    assert images_of(empty) == {"Small/b.png": ("Small", 32)}


def honest_zip(folder: Path) -> bytes:
    """Two class folders with an image each."""
    with zipfile.ZipFile(folder / "films.zip", "w") as archive:
        for number, name in enumerate(("Big/a.png", "Small/b.png")):
            Image.fromarray(picture(number)).save(folder / "x.png")
            archive.write(folder / "x.png", name)
    return (folder / "films.zip").read_bytes()


def drop(page: Page, name: str, data: bytes) -> None:
    """Let a file fall onto the page, as a hand would."""
    transfer = page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        [name, list(data)],
    )
    page.dispatch_event(".im-drop", "dragover", {"dataTransfer": transfer})
    page.dispatch_event(".im-drop", "drop", {"dataTransfer": transfer})
