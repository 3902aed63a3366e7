"""From files in a browser to an import, over the app's own routes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from starlette.testclient import TestClient

from synthaug.config import Role
from synthaug.running.jobs import run_to_end
from synthaug.stages.handlers import HANDLERS
from synthaug.store import catalog
from synthaug.workspace import Workspace

from .conftest import BASE, own_routes, session_of

Client = Callable[[Role | None], TestClient]


def png(seed: int, size: int = 8) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def owner(workspace: Workspace) -> TestClient:
    """The owner of an empty workspace of digits."""
    return TestClient(own_routes(workspace), base_url=BASE, cookies=session_of(workspace, "owner"))


def send(client: TestClient, files: dict[str, bytes], part: int = 100_000) -> str:
    """Upload in parts, the largest of several; returns the upload's id."""
    upload = client.post("/data/uploads", json={}).json()["id"]
    for path, data in files.items():
        for offset in range(0, max(1, len(data)), part):
            place = {"upload": upload, "path": path, "offset": offset}
            client.post("/data/uploads/part", params=place, content=data[offset : offset + part])
    finished = client.post(
        f"/data/uploads/{upload}/finish", json={"files": len(files), "bytes": sum(map(len, files.values()))}
    )
    assert finished.json()["complete"], finished.text
    return str(upload)


def survey(client: TestClient, **source: Any) -> dict[str, Any]:
    """What the app says of a source, which it can read."""
    answer = client.post("/data/imports/survey", json=source)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_from_files_to_an_import(workspace: Workspace, owner: TestClient) -> None:
    files = {
        "set/3/a.png": png(1),
        "set/unlabeled/b.png": png(2, 300),
        "set/cat/c.png": png(3),
        "set/x.txt": b"x",
    }
    upload = send(owner, {**files, "set/3/d.heic": b"x"})
    found = survey(owner, upload=upload)
    assert (found["format"], found["images"], found["tests_here"]) == ("folder", 3, False)
    assert {(each["name"], each["proposal"], each["to"]) for each in found["groups"]} == {
        ("3", "class", "3"),
        ("unlabeled", "none", None),
        ("cat", "add", None),
    }
    assert found["refused"] == [["3/d.heic", ".heic images cannot be read; convert it to PNG"]]
    assert found["passed_over"] == [[".txt", 1]]
    sample = owner.get("/data/imports/sample", params={"key": found["key"], "entry": "unlabeled/b.png"})
    assert Image.open(io.BytesIO(sample.content)).size == (96, 96)
    for key, entry in ((found["key"], "x.txt"), (found["key"], "../../synthaug.db"), (99, "3/a.png")):
        assert owner.get("/data/imports/sample", params={"key": key, "entry": entry}).status_code == 404
    asked = {"upload": upload, "classes": {"unlabeled": None}, "add": ["cat"], "hold_out": 0.9}
    job = owner.post("/data/imports", json=asked).json()["job"]
    assert owner.get("/data/uploads").json()["uploads"] == []
    run_to_end(workspace, job, HANDLERS)
    assert workspace.classes[-1] == "cat"
    (shown,) = owner.get("/data/jobs").json()["jobs"]
    assert (shown["params"]["source"], shown["result"]["added"], shown["result"]["rejected"]) == ("set", 3, 1)
    assert shown["resumable"] is False
    table = owner.get(f"/data/imports/{job}/rejected")
    assert table.text == "file,reason\n3/d.heic,.heic images cannot be read; convert it to PNG\n"
    assert table.headers["content-disposition"] == f'attachment; filename="not-imported-{job}.csv"'
    assert owner.post(f"/data/jobs/{job}/resume").status_code == 400
    assert "test" in {each.split for each in catalog.find_images(workspace.db)}


def test_a_reload_finds_what_was_sent(owner: TestClient) -> None:
    upload = owner.post("/data/uploads", json={}).json()["id"]
    place = {"upload": upload, "path": "é/a b.png", "offset": 0}
    assert owner.post("/data/uploads/part", params=place, content=b"12345").json()["size"] == 5
    (shown,) = owner.get("/data/uploads").json()["uploads"]
    assert (shown["id"], shown["complete"], shown["bytes"]) == (upload, False, 5)
    assert owner.get(f"/data/uploads/{upload}").json()["sizes"] == {"é/a b.png": 5}
    assert owner.post(f"/data/uploads/{upload}/discard").json() == {"ok": True}
    assert owner.get(f"/data/uploads/{upload}").status_code == 404
    assert owner.post("/data/uploads/part", params=place, content=b"12345").status_code == 404


@pytest.mark.parametrize("path", ["../evil.png", "/etc/evil", "a/../../evil", "a\\evil"])
def test_a_file_that_leads_elsewhere_is_refused(workspace: Workspace, owner: TestClient, path: str) -> None:
    upload = owner.post("/data/uploads", json={}).json()["id"]
    answer = owner.post(
        "/data/uploads/part", params={"upload": upload, "path": path, "offset": 0}, content=b"x"
    )
    assert answer.status_code == 400
    assert not list(workspace.root.parent.rglob("*evil*"))


def test_a_part_has_its_limit(owner: TestClient) -> None:
    upload = owner.post("/data/uploads", json={}).json()["id"]
    place = {"upload": upload, "path": "a", "offset": 0}
    assert owner.post("/data/uploads/part", params=place, content=bytes(4 * 2**20)).status_code == 200
    assert owner.post("/data/uploads/part", params=place, content=bytes(4 * 2**20 + 1)).status_code == 413


def test_a_path_on_this_machine_is_looked_at_alike(owner: TestClient, tmp_path: Path) -> None:
    table = pa.table({"image": [png(seed) for seed in range(6)], "label": [0, 1, 2, 3, -1, 77]})
    pq.write_table(table, tmp_path / "train.parquet", row_group_size=2)
    found = survey(owner, path=str(tmp_path / "train.parquet"))
    assert found["numbered"]
    assert [(each["name"], each["proposal"]) for each in found["groups"]] == [
        *((str(number), "class") for number in range(4)),
        ("77", "none"),
        ("", "none"),
    ]
    assert (found["train"], found["test"]) == (6, 0)
    sample = owner.get("/data/imports/sample", params={"key": found["key"], "entry": "train.parquet#5"})
    assert Image.open(io.BytesIO(sample.content)).size == (8, 8)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "give either an upload or a path"),
        ({"path": "/x", "upload": "0" * 16}, "give either an upload or a path"),
        ({"path": " "}, "enter a path to import from, or the word digits"),
        ({"path": "/nowhere/at/all"}, "does not exist"),
        ({"upload": "0" * 16}, "upload them again"),
        ({"upload": "../../x"}, "no upload called"),
        ({"path": "digits", "format": "tiff-stack"}, "no import format called"),
    ],
)
def test_a_source_that_cannot_be_read_says_why(owner: TestClient, asked: dict[str, Any], said: str) -> None:
    answer = owner.post("/data/imports/survey", json=asked)
    assert answer.status_code in (400, 404)
    assert said in answer.json()["error"]


def test_a_class_that_cannot_be_added_is_refused_at_once(owner: TestClient) -> None:
    answer = owner.post("/data/imports", json={"path": "digits", "add": ["a\nb"]})
    assert (answer.status_code, owner.get("/data/jobs").json()["jobs"]) == (400, [])


def test_a_stopped_import_that_had_not_begun_leaves_no_upload(
    workspace: Workspace, owner: TestClient
) -> None:
    upload = send(owner, {"3/a.png": png(1)})
    job = owner.post("/data/imports", json={"upload": upload}).json()["job"]
    assert owner.post(f"/data/uploads/{upload}/discard").status_code == 400
    owner.post(f"/data/jobs/{job}/cancel")
    assert not list((workspace.root / "uploads").glob("*"))
    assert owner.get("/data/jobs").json()["jobs"][0]["resumable"] is False
