"""The vet's whole way in a browser: from a folder of DICOM films and a table of landmarks to a model trained twice."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from synthaug.importers.hip.phantom import TRAIN, Phantom, hip_phantom
from synthaug.store import catalog, labels, landmarks, models
from synthaug.workspace import Workspace

from .served import A_JOB, App, running
from .test_landmarks import drag, middle

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZE, FILMS, IN_TABLE = 256, 8, 6  # the last two films have no landmarks in the table
PHANTOMS = [hip_phantom((0, TRAIN, number), SIZE) for number in range(FILMS)]
PATIENT = "Rex^Doe"


def write_film(phantom: Phantom, path: Path) -> None:
    """The phantom as a CR film of 12 bits, with the name of a patient."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    film.SOPClassUID, film.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    film.Modality, film.PatientName, film.PhotometricInterpretation = "CR", PATIENT, "MONOCHROME2"
    film.Rows = film.Columns = SIZE
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PixelData = (phantom.pixels[..., 0].astype("<u2") * 16).tobytes()
    film.save_as(path, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``films/`` with eight DICOM files."""
    films = tmp_path / "films"
    films.mkdir()
    for number, phantom in enumerate(PHANTOMS):
        write_film(phantom, films / f"film{number}.dcm")
    return films


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV table with the landmarks of six films, by file name."""
    axes = ("x", "y", "radius")
    rows = [
        {"image": f"film{number}.dcm"}
        | {
            f"{name}_{axis}": value
            for name, place in phantom.landmarks.items()
            for axis, value in zip(axes, place, strict=False)
        }
        for number, phantom in enumerate(PHANTOMS[:IN_TABLE])
    ]
    path = tmp_path / "landmarks.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def import_films(page: Page, app: App, folder: Path) -> None:
    page.goto(app.url)
    expect(page.locator(".im[data-state=idle]")).to_be_visible()
    page.locator("[data-folder]").set_input_files(str(folder))
    expect(page.locator(".im-groups tbody tr")).to_have_count(1)
    page.locator(".im-groups tbody select").select_option("none")
    page.get_by_label("Train or test").select_option("train")
    page.get_by_role("button", name=f"Import {FILMS} images").click()
    expect(page.locator(".sa-import-notes")).to_contain_text(f"{FILMS} DICOM files de-identified")


def choose_scheme_and_read(page: Page, table: Path) -> None:
    page.locator("[data-step=label] a").click()
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    page.locator("[data-lm-setup]").click()
    page.locator("[data-lm-scheme]").select_option("hip")
    with page.expect_navigation():
        page.locator("[data-lm-dialog] .primary").click()
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    page.locator("[data-lm-setup]").click()
    page.locator("[data-lm-read]").set_input_files(str(table))
    expect(page.locator("[data-lm-read-words]")).to_contain_text(f"{IN_TABLE}")
    page.keyboard.press("Escape")


def open_unlabeled(page: Page, app: App) -> None:
    """The newest film without a label."""
    page.goto(f"{app.url}/label?scope=unlabeled&order=newest")
    expect(page.locator(".ld")).to_have_attribute("data-ready", "true")
    expect(page.locator(".ld-frame canvas")).to_have_attribute("aria-label", f"Image {FILMS}")


def train(page: Page, name: str, images: int) -> None:
    """Press the button, wait for the model and read its report: it was trained on so many images."""
    page.locator(".lm-model [data-lm-train]").click()
    words = page.locator(".lm-model [data-lm-model-words]")
    expect(words).to_have_text(f"{name} is up to date", timeout=2 * A_JOB)  # on a busy machine
    page.locator("[data-lm-report]").click()
    report = page.locator("[data-lm-report-dialog]")
    expect(report).to_contain_text(f"trained on {images} images and measured on 2 training images")
    expect(report.locator("tbody tr").last).to_contain_text("All angles")
    expect(report.locator("circle.lm-dot")).to_have_count(4)  # two angles of two images
    page.keyboard.press("Escape")
    expect(report).not_to_be_visible()


def correct_proposal(page: Page) -> None:
    """Move the left rim by the pointer and the right head by a key, and save."""
    expect(page.locator("[data-lm-origin]")).to_contain_text("Proposed ±")
    x, y = middle(page, "left_rim")
    drag(page, (x, y), (x + 20, y - 20))
    page.locator(".lm-mark[data-name=right_head]").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_have_text("All saved")


def check_stored(root: Path) -> None:
    """The landmarks of the table and the correction count, both models are kept, and no name of a patient is."""
    workspace = Workspace.open(root)
    film = {Path(each.source).name: each.id for each in catalog.find_images(workspace.db)}
    current = landmarks.current(workspace.db, list(film.values()))
    for number, phantom in enumerate(PHANTOMS[:IN_TABLE]):
        answer = current[film[f"film{number}.dcm"]].landmarks
        for name, place in phantom.landmarks.items():
            assert answer.points[name] == pytest.approx(place, abs=0.01)
        assert answer.angles["left"] == pytest.approx(phantom.left_angle, abs=0.02)
        assert answer.angles["right"] == pytest.approx(phantom.right_angle, abs=0.02)
    assert set(current) == {*(film[f"film{number}.dcm"] for number in range(IN_TABLE)), FILMS}
    (corrected,) = labels.history(workspace.db, FILMS)
    assert corrected.source == "human"
    assert models.newest_landmark_model(workspace.db).name == "landmarks-2"
    workspace.db.close()
    assert not [path for path in root.rglob("*") if path.is_file() and PATIENT.encode() in path.read_bytes()]


@pytest.mark.long
def test_from_a_folder_of_films_to_a_model_that_learned_from_a_correction(
    page: Page, tmp_path: Path, folder: Path, table: Path
) -> None:
    Workspace.create(tmp_path / "work", ["Big", "Small"]).db.close()
    with running(tmp_path / "work") as app:
        import_films(page, app, folder)
        choose_scheme_and_read(page, table)
        open_unlabeled(page, app)
        train(page, "landmarks-1", 4)
        correct_proposal(page)
        expect(page.locator(".lm-model [data-lm-model-words]")).to_have_text("landmarks-1: 1 new image since")
        train(page, "landmarks-2", 5)
    check_stored(tmp_path / "work")
