"""Uploads: staged, resumed, unpacked, imported and gone."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synthaug.errors import ImportFailed, UnknownName, UserError
from synthaug.running.jobs import run_to_end
from synthaug.stages import uploads
from synthaug.stages.class_map import ClassMap
from synthaug.stages.handlers import HANDLERS, submit_import
from synthaug.stages.uploads import Staging
from synthaug.store import catalog, jobs
from synthaug.workspace import Workspace


def png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def staged(staging: Staging, files: dict[str, bytes]) -> str:
    """A complete upload of these files."""
    upload = staging.begin()
    for path, data in files.items():
        staging.write(upload, path, 0, data)
    staging.finish(upload, len(files), sum(map(len, files.values())))
    return upload


def left(workspace: Workspace) -> set[str]:
    """The uploads on the disk."""
    return {each.name for each in (workspace.root / "uploads").glob("*")}


def test_an_interrupted_upload_goes_on_where_it_stopped(workspace: Workspace) -> None:
    staging = Staging(workspace)
    upload = staging.begin()
    assert staging.write(upload, "a/b.png", 0, b"0123") == 4
    assert staging.write(upload, "a/b.png", 0, b"0123") == 4  # the answer was lost, and it is sent again
    assert staging.write(upload, "a/b.png", 9, b"9") == 4  # a part is missing
    assert staging.state(upload).sizes == {"a/b.png": 4}
    with pytest.raises(UserError, match="1 of 1 files and 4 of 6 bytes have arrived"):
        staging.finish(upload, 1, 6)
    assert staging.write(upload, "a/b.png", 4, b"45") == 6
    assert staging.write(upload, "empty", 0, b"") == 0
    assert staging.write(upload, "empty", 0, b"") == 0
    assert staging.finish(upload, 2, 6).complete
    assert (workspace.root / "uploads" / upload / "complete/a/b.png").read_bytes() == b"012345"
    assert [each.title for each in staging.open()] == ["2 files"]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a\\b", "a\0b", "\ud800"])
def test_a_name_that_leads_elsewhere_is_refused(workspace: Workspace, path: str) -> None:
    staging = Staging(workspace)
    upload = staging.begin()
    before = set(workspace.root.parent.rglob("*"))
    with pytest.raises(UserError, match="cannot be uploaded"):
        staging.write(upload, path, 0, b"x")
    assert set(workspace.root.parent.rglob("*")) == before


def test_a_file_in_the_place_of_a_folder_is_refused(workspace: Workspace) -> None:
    staging = Staging(workspace)
    upload = staging.begin()
    staging.write(upload, "a", 0, b"x")
    with pytest.raises(UserError, match="name is already taken"):
        staging.write(upload, "a/b", 0, b"x")


def test_limits(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    staging = Staging(workspace)
    upload = staging.begin()
    monkeypatch.setattr(uploads, "MAX_FILES", 2)
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(uploads, "MAX_BYTES", 15)
    staging.write(upload, "a", 0, b"x" * 10)
    with pytest.raises(UserError, match="larger than 10 bytes"):
        staging.write(upload, "a", 10, b"x")
    with pytest.raises(UserError, match="at most 15 bytes"):
        staging.write(upload, "b", 0, b"x" * 6)
    staging.write(upload, "b", 0, b"x")
    with pytest.raises(UserError, match="at most 2 files"):
        staging.write(upload, "c", 0, b"x")
    monkeypatch.setattr(uploads, "KEPT_FREE", 2**60)
    with pytest.raises(UserError, match="free some space"):
        staging.write(upload, "b", 1, b"x")
    for _ in range(uploads.MAX_OPEN - 1):
        staging.begin()
    with pytest.raises(UserError, match="open uploads"):
        staging.begin()


@pytest.mark.parametrize("upload", ["", "..", "../../etc", "0" * 16, "G" * 16])
def test_an_upload_that_is_none(workspace: Workspace, upload: str) -> None:
    staging = Staging(workspace)
    with pytest.raises(UnknownName):
        staging.write(upload, "a", 0, b"x")
    with pytest.raises(UserError):
        uploads.source(workspace, upload)


LAYOUTS = {
    "one film": ({"film.dcm": b"x"}, "film.dcm"),
    "a folder of classes": ({"set/Big/a.png": b"x", "set/Small/b.png": b"x"}, "set"),
    "folders": ({"Big/a.png": b"x", "Small/b.png": b"x"}, ""),
    "a class folder alone": ({"Big/a.png": b"x", "Big/b.png": b"x"}, ""),
    "a folder with one image": ({"Big/a.png": b"x"}, ""),
    "a folder with a table": ({"set/a.png": b"x", "set/metadata.csv": b"file_name,label\n"}, "set"),
    "a zip of a folder": ({"set.zip": zipped(**{"set/Big/a.png": b"x", "set/Small/b.png": b"x"})}, "set/set"),
    "a zip of classes": ({"set.zip": zipped(**{"Big/a.png": b"x", "Small/b.png": b"x"})}, "set"),
    "a zip beside its folder": ({"s.zip": zipped(**{"a.png": b"x"}), "s/b.png": b"x"}, ""),
    "cifar batches in a folder": ({"c/batches.meta": b"x", "c/data_batch_1": b"x"}, "c"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_images_of_an_upload_are_imported(workspace: Workspace, layout: str) -> None:
    files, expected = LAYOUTS[layout]
    upload = staged(Staging(workspace), files)
    root = workspace.root / "uploads" / upload / "complete"
    assert uploads.source(workspace, upload) == root / expected
    assert not list(root.rglob("*.zip"))


def test_a_zip_that_leads_elsewhere_is_refused_and_leaves_nothing(workspace: Workspace) -> None:
    staging = Staging(workspace)
    upload = staging.begin()
    data = zipped(**{"a.png": b"x", "../../../evil": b"x"})
    staging.write(upload, "films.zip", 0, data)
    with pytest.raises(ImportFailed, match=r"films\.zip contains the name"):
        staging.finish(upload, 1, len(data))
    assert not list(workspace.root.parent.rglob("*evil*"))
    staging.discard(upload)
    assert left(workspace) == set()


def test_an_upload_is_gone_after_its_import(workspace: Workspace) -> None:
    staging = Staging(workspace)
    upload = staged(staging, {"s/3/a.png": png(1), "s/unlabeled/b.png": png(2), "s/3/bad.png": b"x"})
    job = submit_import(workspace, "s", "auto", None, "real", ClassMap({"unlabeled": None}), upload=upload)
    assert staging.open() == []  # an import has taken it
    with pytest.raises(UserError, match="is being imported"):
        staging.discard(upload)
    done = run_to_end(workspace, job, HANDLERS)
    assert (done.state, done.result["added"], len(done.result["rejected"])) == ("done", 2, 1)
    assert {each.source for each in catalog.find_images(workspace.db)} == {"3/a.png", "unlabeled/b.png"}
    assert left(workspace) == set()


def test_an_upload_of_which_nothing_can_be_taken_is_gone_too(workspace: Workspace) -> None:
    upload = staged(Staging(workspace), {"3/bad.png": b"x", "3/worse.png": b""})
    done = run_to_end(workspace, submit_import(workspace, "3", "auto", None, "real", upload=upload), HANDLERS)
    assert (done.state, len(done.result["rejected"])) == ("failed", 2)
    assert left(workspace) == set()
    jobs.requeue(workspace.db, done.id)
    again = run_to_end(workspace, done.id, HANDLERS)
    assert "upload them again" in again.error


def test_a_new_start_keeps_what_an_import_still_needs(workspace: Workspace) -> None:
    staging = Staging(workspace)
    waiting = staged(staging, {"3/a.png": png(1)})
    lost = staged(staging, {"3/b.png": png(2)})
    job = submit_import(workspace, "3", "auto", None, "real", upload=waiting)
    assert left(workspace) == {waiting, lost}
    uploads.remove_abandoned(workspace)
    assert left(workspace) == {waiting}
    assert run_to_end(workspace, job, HANDLERS).result["added"] == 1
    assert left(workspace) == set()


def test_a_single_film_is_imported(workspace: Workspace, tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    film = Path(str(get_testdata_file("RG3_J2KI.dcm", download=False)))
    upload = staged(Staging(workspace), {"IM0001": film.read_bytes()})
    done = run_to_end(
        workspace, submit_import(workspace, "IM0001", "auto", None, "real", upload=upload), HANDLERS
    )
    (image,) = catalog.find_images(workspace.db)
    assert (image.source, image.width, image.height) == ("IM0001", 1760, 1760)
    assert "1 DICOM file de-identified" in done.result["notes"][0]


def test_a_zip_in_a_zip_is_unpacked_and_none_further_in(workspace: Workspace) -> None:
    staging = Staging(workspace)
    upload = staging.begin()
    inner = zipped(**{"Big/a.png": b"x", "Small/b.png": b"yy"})
    outer = zipped(**{"set/inner.zip": inner, "set/c.png": b"z"})
    staging.write(upload, "outer.zip", 0, outer)
    staging.finish(upload, 1, len(outer))
    root = workspace.root / "uploads" / upload / "complete"
    found = sorted(each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file())
    assert found == ["outer/set/c.png", "outer/set/inner/Big/a.png", "outer/set/inner/Small/b.png"]
    deepest = zipped(**{"outer.zip": outer})
    upload = staging.begin()
    staging.write(upload, "deep.zip", 0, deepest)
    with pytest.raises(
        ImportFailed, match=r"outer\.zip, which holds inner\.zip: a zip in a zip is unpacked, but none"
    ):
        staging.finish(upload, 1, len(deepest))
    files = workspace.root / "uploads" / upload / "files"
    assert [each.name for each in files.iterdir()] == ["deep.zip"]  # nothing of it was left unpacked


def test_zips_in_a_zip_share_the_room_of_one(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_FILES", 5)
    staging = Staging(workspace)
    inner = zipped(**{"a": b"1", "b": b"2"})
    data = zipped(**{"one.zip": inner, "two.zip": inner})
    upload = staging.begin()
    staging.write(upload, "all.zip", 0, data)
    with pytest.raises(ImportFailed, match=r"two\.zip contains 2 files; at most 1 are allowed"):
        staging.finish(upload, 1, len(data))
