"""The app's own routes over a real workspace of digits."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from synthaug.config import Role
from synthaug.records import LabelEntry
from synthaug.running.jobs import JobQueue
from synthaug.stages import label
from synthaug.store import catalog, database, labels
from synthaug.workspace import Workspace
from tests.files import cut


@pytest.fixture
def client(client_as: Callable[[Role | None], TestClient]) -> TestClient:
    """Our routes, asked by the owner anna."""
    return client_as("owner")


def entry(image_id: int, op_id: str = "operation-1", **changes: Any) -> dict[str, Any]:
    """One label as the desk sends it."""
    plain = {"image_id": image_id, "value": "class", "class_index": 3, "source": "human"}
    return {**plain, "op_id": op_id, **changes}


def test_an_original_is_the_stored_file_and_cached_for_good(client: TestClient, digits: Workspace) -> None:
    sha256 = catalog.find_images(digits.db)[0].sha256
    answer = client.get(f"/media/{sha256}.png")
    assert answer.content == digits.images.png(sha256)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_a_thumbnail_of_a_small_image_keeps_its_pixels(client: TestClient, digits: Workspace) -> None:
    sha256 = catalog.find_images(digits.db)[0].sha256
    answer = client.get(f"/media/{sha256}.webp", params={"size": 64})
    shown = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB"))
    assert np.array_equal(shown, digits.images.read(sha256))


def test_a_thumbnail_of_a_large_image_is_no_larger_than_asked(client: TestClient, digits: Workspace) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    sha256 = digits.images.put(pixels, {})
    answer = client.get(f"/media/{sha256}.webp", params={"size": 96})
    assert Image.open(io.BytesIO(answer.content)).size == (64, 96)


@pytest.mark.parametrize("kept", [None, 0, 100])
@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_lost_image_is_named(client: TestClient, digits: Workspace, kept: int | None, kind: str) -> None:
    image = catalog.find_images(digits.db)[0]
    path = digits.images.path(image.sha256)
    if kept is None:
        path.unlink()
    else:
        cut(path, kept)
    answer = client.get(f"/media/{image.sha256}.{kind}")
    if kind == "png" and kept is not None:  # sent as it is, unread
        assert answer.status_code == 200
    else:
        assert answer.status_code == 404
        assert f"image {image.id}, {path}, is" in answer.json()["error"]


@pytest.mark.parametrize(
    "name",
    [
        "0" * 64 + ".png",
        "0" * 64 + ".review.png",
        "../synthaug.db",
        "..%2Fsynthaug.db",
        "A" * 64 + ".png",
        "0" * 63 + ".png",
        "0" * 64 + ".html",
    ],
)
def test_nothing_but_images_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404


def test_the_queue_gives_every_id_of_its_scope(client: TestClient, digits: Workspace) -> None:
    answer = client.get("/data/queue", params={"scope": "real", "order": "newest"}).json()
    assert answer["total"] == len(answer["ids"]) == 1797
    assert answer["ids"] == sorted((image.id for image in catalog.find_images(digits.db)), reverse=True)


def test_items_come_in_the_order_asked_for(client: TestClient, digits: Workspace) -> None:
    ids = [image.id for image in catalog.find_images(digits.db)][:3][::-1]
    items = client.get("/data/items", params={"ids": ",".join(map(str, ids))}).json()["items"]
    assert [item["image_id"] for item in items] == ids
    assert items[0]["origin"] == "real"
    assert items[0]["label_value"] == "class"
    assert items[0]["prompt"] is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/data/queue?order=fastest", "fastest"),
        ("/data/queue?scope=mine", "mine"),
        ("/data/items?ids=1,two", "'two'"),
        ("/data/items?ids=-1", "'-1'"),
        ("/data/items?ids=" + ",".join(["1"] * 201), "201"),
    ],
)
def test_a_bad_question_gets_a_reason(client: TestClient, path: str, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    assert answer.json()["ok"] is False
    assert words in answer.json()["error"]


def test_labels_are_recorded_in_order_and_once(client: TestClient, digits: Workspace) -> None:
    first, second = (image.id for image in catalog.find_images(digits.db)[:2])
    body = {"entries": [entry(first), entry(second, "operation-2", value="reject", class_index=None)]}
    answer = client.post("/data/labels", json=body).json()
    again = client.post("/data/labels", json=body).json()
    assert answer["ok"] is True
    assert answer["ids"] == again["ids"]
    assert [each.value for each in labels.history(digits.db, first)] == ["class", "class"]
    assert labels.current(digits.db, [first, second])[second].value == "reject"


def test_one_bad_label_records_none_of_the_request(client: TestClient, digits: Workspace) -> None:
    first, second = (image.id for image in catalog.find_images(digits.db)[:2])
    body = {"entries": [entry(first), entry(second, "operation-2", class_index=10)]}
    answer = client.post("/data/labels", json=body)
    assert answer.status_code == 422
    assert answer.json()["refused"] is True
    assert answer.json()["op_id"] == "operation-2"
    assert "10" in answer.json()["error"]
    assert labels.by_op_id(digits.db, "operation-1") is None


def test_a_refusal_names_the_entry(client: TestClient, digits: Workspace) -> None:
    image_id = catalog.find_images(digits.db)[0].id
    bad = [entry(image_id, class_index=10), entry(999_999)]
    for each in bad:
        answer = client.post("/data/labels", json={"entries": [each]})
        assert (answer.status_code, answer.json()["op_id"]) == (422, "operation-1")
    undo = {"op_id_to_undo": "never-said", "op_id": "operation-3"}
    answer = client.post("/data/undo", json={"entries": [undo]})
    assert (answer.status_code, answer.json()["refused"], answer.json()["op_id"]) == (
        422,
        True,
        "operation-3",
    )


def test_a_locked_database_refuses_nothing(
    client: TestClient, digits: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    body = {"entries": [entry(catalog.find_images(digits.db)[0].id)]}
    elsewhere = sqlite3.connect(digits.db.path, isolation_level=None)
    elsewhere.execute("BEGIN EXCLUSIVE")
    answer = client.post("/data/labels", json=body)
    assert answer.status_code == 503
    assert "busy" in answer.json()["error"]
    assert "refused" not in answer.json()
    elsewhere.execute("ROLLBACK")
    elsewhere.close()
    assert client.post("/data/labels", json=body).json()["ok"] is True


@pytest.mark.parametrize(
    "changes",
    [{"value": "undo"}, {"source": "automatic"}, {"op_id": ""}, {"image_id": "x"}],
)
def test_a_malformed_label_is_refused_with_the_field(
    client: TestClient, digits: Workspace, changes: dict[str, Any]
) -> None:
    image_id = catalog.find_images(digits.db)[0].id
    answer = client.post("/data/labels", json={"entries": [{**entry(image_id), **changes}]})
    assert answer.status_code == 422
    assert next(iter(changes)) in answer.json()["error"]
    assert len(labels.history(digits.db, image_id)) == 1  # what it was imported with


def test_a_label_sent_as_plain_text_is_refused(client: TestClient) -> None:
    answer = client.post("/data/labels", content="{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 422


def test_undo_appends_and_says_when_there_was_nothing_left(client: TestClient, digits: Workspace) -> None:
    image_id = catalog.find_images(digits.db)[0].id
    label.record(digits, [LabelEntry(image_id, "class", "vet", "human", "operation-1", 5)])
    body = {"op_id_to_undo": "operation-1", "op_id": "operation-2"}
    assert client.post("/data/undo", json={"entries": [body]}).json()["undone"] == [True]
    other = {**body, "op_id": "operation-3"}
    assert client.post("/data/undo", json={"entries": [other]}).json()["undone"] == [False]
    assert [each.value for each in labels.history(digits.db, image_id)] == ["class", "class", "undo"]


def test_undos_are_taken_together_or_not_at_all(client: TestClient, digits: Workspace) -> None:
    ids = [image.id for image in catalog.find_images(digits.db)[:3]]
    label.record(
        digits,
        [LabelEntry(image_id, "class", "vet", "human", f"operation-{image_id}", 5) for image_id in ids],
    )
    undos = [{"op_id_to_undo": f"operation-{image_id}", "op_id": f"undo-of-{image_id}"} for image_id in ids]
    twice = {**undos[0], "op_id": "undo-again"}
    unknown = {"op_id_to_undo": "never-said", "op_id": "undo-of-nothing"}
    refused = client.post("/data/undo", json={"entries": [*undos, unknown]})
    assert (refused.status_code, refused.json()["op_id"]) == (422, "undo-of-nothing")
    assert [labels.by_op_id(digits.db, undo["op_id"]) for undo in undos] == [None] * 3
    for _ in range(2):  # a request that is sent again
        taken = client.post("/data/undo", json={"entries": [*undos, twice]}).json()
        assert taken["undone"] == [True, True, True, False]
    assert [[each.value for each in labels.history(digits.db, image_id)][-1] for image_id in ids] == [
        "undo"
    ] * 3


def test_points_before_scoring_say_what_to_do(client: TestClient) -> None:
    answer = client.get("/data/points")
    assert answer.status_code == 400
    assert "compute their features" in answer.json()["error"]


def test_jobs_can_be_seen_stopped_and_resumed(client: TestClient, digits: Workspace, tmp_path: Path) -> None:
    job = JobQueue(digits).submit("import", {"source": str(tmp_path), "secret": "kept"}, 5)
    seen = client.get("/data/jobs").json()["jobs"][0]
    assert (seen["id"], seen["state"], seen["total"]) == (job, "queued", 5)
    assert seen["params"] == {"source": str(tmp_path)}
    client.post(f"/data/jobs/{job}/cancel")
    assert JobQueue(digits).get(job).state == "cancelled"
    client.post(f"/data/jobs/{job}/resume")
    assert JobQueue(digits).get(job).state == "queued"
    assert client.post("/data/jobs/999/cancel").status_code == 404


def test_a_label_is_signed_by_whoever_is_logged_in(
    client_as: Callable[[Role | None], TestClient], digits: Workspace
) -> None:
    image_id = catalog.find_images(digits.db)[0].id
    claimed = {**entry(image_id), "annotator": "somebody else"}
    cleo = client_as("annotator")
    assert cleo.post("/data/labels", json={"entries": [claimed], "annotator": "somebody else"}).json()["ok"]
    assert [each.annotator for each in labels.history(digits.db, image_id)][-1] == "cleo"


def test_a_page_that_somebody_else_opened_signs_nothing(
    client_as: Callable[[Role | None], TestClient], digits: Workspace
) -> None:
    image_id = catalog.find_images(digits.db)[0].id
    cleo = client_as("annotator")
    answer = cleo.post(
        "/data/labels", json={"entries": [entry(image_id)]}, headers={"X-Synthaug-Person": "%C3%A4nne"}
    )
    assert answer.status_code == 400  # no refusal of the answer: the page keeps it
    assert "'änne' opened this page" in answer.json()["error"]
    assert labels.by_op_id(digits.db, "operation-1") is None
    own = cleo.post(
        "/data/labels", json={"entries": [entry(image_id)]}, headers={"X-Synthaug-Person": "cleo"}
    )
    assert own.json()["ok"]


def test_an_annotator_takes_back_only_what_is_their_own(
    client_as: Callable[[Role | None], TestClient], digits: Workspace
) -> None:
    image_id = catalog.find_images(digits.db)[0].id
    client_as("owner").post("/data/labels", json={"entries": [entry(image_id)]})
    client_as("annotator").post("/data/labels", json={"entries": [entry(image_id, "operation-2")]})

    def undo(role: Role, op_id: str) -> int:
        body = {"entries": [{"op_id_to_undo": op_id, "op_id": f"undo-{op_id}-{role}"}]}
        return client_as(role).post("/data/undo", json=body).status_code

    assert undo("annotator", "operation-1") == 422
    assert undo("annotator", "operation-2") == 200
    assert undo("reviewer", "operation-1") == 200
    assert [each.annotator for each in labels.history(digits.db, image_id)][-2:] == ["cleo", "ben"]


def test_an_annotator_sees_no_jobs(client_as: Callable[[Role | None], TestClient], digits: Workspace) -> None:
    JobQueue(digits).submit("import", {"source": "somewhere"}, 5)
    seen = client_as("annotator").get("/data/jobs").json()
    assert seen == {"jobs": [], "state": seen["state"]}
    assert len(client_as("reviewer").get("/data/jobs").json()["jobs"]) == 1


def test_a_queue_is_filtered_by_what_the_address_says(client: TestClient, digits: Workspace) -> None:
    ids = client.get("/data/queue?scope=all&class_index=3&source=imported").json()["ids"]
    current = labels.current(digits.db, ids)
    assert ids
    assert {each.class_index for each in current.values()} == {3}
    assert client.get("/data/queue?scope=all&annotator=nobody").json()["ids"] == []
    assert client.get("/data/queue?scope=all&source=guess").status_code == 422


def test_an_answer_that_saw_nothing_of_another_persons_stands_beside_it(
    client_as: Callable[[Role | None], TestClient], digits: Workspace
) -> None:
    ann, ben = client_as("annotator"), client_as("reviewer")
    image = next(each.id for each in catalog.find_images(digits.db) if each.split == "train")
    assert ann.post("/data/labels", json={"entries": [entry(image, "operation-1")]}).status_code == 200
    late = entry(image, "operation-2", class_index=5)
    assert ben.post("/data/labels", json={"entries": [late]}).status_code == 200
    assert labels.current(digits.db, [image])[image].class_index == 3
    settled = entry(image, "operation-3", class_index=5, settles=True)
    refused = ann.post("/data/labels", json={"entries": [settled | {"op_id": "operation-4"}]})
    assert (refused.status_code, refused.json()["refused"]) == (422, True)
    assert ben.post("/data/labels", json={"entries": [settled]}).status_code == 200
    assert labels.current(digits.db, [image])[image].class_index == 5


def test_images_are_leased_and_unknown_ones_left_out(
    client_as: Callable[[Role | None], TestClient], digits: Workspace
) -> None:
    first, second = (each.id for each in catalog.find_images(digits.db)[:2])
    got = (
        client_as("annotator")
        .post("/data/leases", json={"ids": [first, 10**9], "scope": "all"})
        .json()["items"]
    )
    assert [each["image_id"] for each in got] == [first]
    others = (
        client_as("reviewer")
        .post("/data/leases", json={"ids": [first, second], "scope": "all"})
        .json()["items"]
    )
    assert [each["image_id"] for each in others] == [second]
    assert client_as("reviewer").post("/data/leases", json={"ids": []}).status_code == 422
