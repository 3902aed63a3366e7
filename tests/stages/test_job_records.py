"""Records that are stored as JSON: what this release writes it reads back, and so it does what earlier ones wrote."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from synthaug.errors import UserError
from synthaug.generator_training.finetuning_config import FinetuneConfig
from synthaug.parsing import JsonRecord
from synthaug.stages.class_map import ClassMap
from synthaug.stages.drawing import DrawTask
from synthaug.stages.job_records import (
    FinetuneParams,
    FinetuneProgress,
    ImportParams,
    LossPoint,
    RetrainParams,
    ScoreParams,
    TrainParams,
    ValidationImages,
)
from synthaug.stages.run_cache import run_file
from synthaug.stages.view import ViewSpec
from synthaug.store import catalog, looks
from synthaug.store.runs import RunKey
from synthaug.workspace import Workspace

RECORDS = [
    ImportParams(
        "photos", "folder", "test", class_map=ClassMap({"cats": "cat", "": None}, ("dogs",), ("owl",))
    ),
    RetrainParams(5, "small-cnn", 0.9, "folder"),
    FinetuneParams(
        "v", "digits", "mine", None, ("a", "b"), 20, FinetuneConfig(steps=40, checkpoint_minutes=1)
    ),
    FinetuneProgress((LossPoint(1, 0.5),), (ValidationImages(0, ("0" * 64,), ("a cat",)),)),
    ViewSpec(keep={"cat": 3}, replace=0.5, jobs=(1, 2), tags=("sharp",), order="margin"),
    DrawTask(64, 128, (70, 71), (None, "0" * 64)),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_restored_from_its_json(record: JsonRecord) -> None:
    assert type(record).from_json(json.loads(json.dumps(record.to_json()))) == record


def test_jobs_that_older_releases_queued_are_read() -> None:
    old = {"source": "photos", "format": "auto", "split": None, "origin": "real"}
    assert ImportParams.from_json(old) == ImportParams("photos")
    assert ScoreParams.from_json({"model": "first"}) == ScoreParams("first", "knn", refit=False)
    assert TrainParams.from_json({"view": "real", "recipe": "linear", "seed": 3, "later": [1]}).seed == 3
    assert FinetuneProgress.from_json({"images": 5}) == FinetuneProgress()


def test_a_field_of_another_type_is_named() -> None:
    with pytest.raises(UserError, match=r"stored RetrainParams cannot be used: seeds: .* \(it is '5'\)"):
        RetrainParams.from_json({"seeds": "5", "recipe": "linear"})
    with pytest.raises(UserError, match="view: Field required"):
        TrainParams.from_json({})


def test_pending_positions_leave_out_the_existing_ones() -> None:
    assert DrawTask(3, 8, (4, 6)).pending == [3, 5, 7]


def test_files_and_looks_of_earlier_releases_are_found(tmp_path: Path) -> None:
    """The names are hashes of the same JSON as in release 0.1."""
    workspace = Workspace.create(tmp_path, ["a", "b"])
    old = {"view_id": 3, "recipe": "linear/1/abc", "test_fingerprint": "f"}
    text = '[{"recipe": "linear/1/abc", "test_fingerprint": "f", "view_id": 3}, 7]'
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert run_file(workspace, RunKey(**old), 7, "safetensors").name == f"{name}.safetensors"
    question = hashlib.sha256(json.dumps([old, old]).encode()).hexdigest()[:32]
    catalog.set_setting(workspace.db, f"looks/{question}", "[3]")
    assert [looks.look(workspace.db, RunKey(**old), RunKey(**old), seeds) for seeds in (3, 5, 3)] == [1, 2, 1]
