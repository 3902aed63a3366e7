"""Exports as the browser makes and fetches them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synthaug.errors import ExportFailed, UnknownName
from synthaug.exporters.manifest import read_manifest
from synthaug.records import LabelEntry
from synthaug.running.jobs import run_to_end
from synthaug.stages import export_download
from synthaug.stages.export import export
from synthaug.stages.handlers import HANDLERS
from synthaug.stages.label import record
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import catalog, views
from synthaug.workspace import Workspace


@pytest.fixture
def viewed(tmp_path: Path) -> Workspace:
    """Four real training images in a view, and two to test on."""
    workspace = Workspace.create(tmp_path / "work", ["cat", "dog"])
    entries = []
    for number in range(6):
        image, _ = catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(np.full((32, 32, 3), 20 * number, np.uint8), {}),
            size=(32, 32),
            split="test" if number > 3 else "train",
            origin="real",
            source="here",
        )
        entries.append(LabelEntry(image, "class", "import", "imported", f"import{number}", number % 2))
    record(workspace, entries)
    make_view(workspace, "a few/of each", ViewSpec())
    return workspace


def test_a_job_writes_it_and_the_zip_holds_every_byte(viewed: Workspace) -> None:
    for _ in range(2):
        job = run_to_end(viewed, export_download.submit(viewed, "a few/of each", "cifar10-binary"), HANDLERS)
        assert job.state == "done", job.error
    second, first = views.all_exports(viewed.db)
    assert Path(first.path).name == "a-few-of-each-cifar10-binary"
    assert Path(second.path).name == "a-few-of-each-cifar10-binary-2"
    folder = export_download.exported_folder(viewed, first.id)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export_download.zipped(folder))))
    assert archive.testzip() is None
    written = {
        path.relative_to(folder.parent).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    assert set(archive.namelist()) == set(written)
    for name, path in written.items():
        assert archive.read(name) == path.read_bytes()
    assert len(read_manifest(folder / "manifest.json").images) == 4 + 2


def test_links_are_not_followed(viewed: Workspace, tmp_path: Path) -> None:
    folder = viewed.root / "exports" / "out"
    export(viewed, folder, "cifar10-binary", "a few/of each")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export_download.zipped(folder))))
    assert "out/link" not in archive.namelist()


def test_files_outside_the_exports_and_missing_files_are_not_served(
    viewed: Workspace, tmp_path: Path
) -> None:
    export(viewed, tmp_path / "elsewhere", "cifar10-binary", "a few/of each")
    inside = viewed.root / "exports" / "inside"
    export(viewed, inside, "cifar10-binary", "a few/of each")
    (inside / "manifest.json").unlink()
    newest, oldest = (each.id for each in views.all_exports(viewed.db))
    with pytest.raises(ExportFailed, match="outside of the workspace"):
        export_download.exported_folder(viewed, oldest)
    with pytest.raises(ExportFailed, match="is no longer in"):
        export_download.exported_folder(viewed, newest)
    with pytest.raises(UnknownName):
        export_download.exported_folder(viewed, 99)


def test_exports_that_cannot_be_made_are_not_queued(viewed: Workspace) -> None:
    with pytest.raises(UnknownName, match="no view"):
        export_download.submit(viewed, "nothing", "cifar10")
    with pytest.raises(UnknownName, match="export format"):
        export_download.submit(viewed, "a few/of each", "tar")
