"""Files of ours that come back from elsewhere: manifests, label tables, weights, model cards."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import synthaug_assets
import torch
from hypothesis import strategies as st
from safetensors.torch import save_file

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.networks import build
from synthaug.classifiers.recipes import RECIPES
from synthaug.exporters.manifest import read_manifest
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import family_of
from synthaug.stages.bulk_labels import from_csv
from synthaug.stages.export import export, rebuild
from synthaug.stages.label_history import export_history, import_history
from synthaug.stages.view import ViewSpec, make_view
from synthaug.stages.view_manifest import fingerprint, read_view, write_view
from synthaug.store import catalog
from synthaug.store.label_chain import ChainedEntry
from synthaug.store.label_hash import GENESIS
from synthaug.weights import read_tensors
from synthaug.workspace import Workspace
from tests.fuzz.harness import fuzz
from tests.fuzz.inputs import JSON, changed_bytes, changed_json
from tests.stages.helpers import add_synthetic


@pytest.fixture
def small(tmp_path: Path) -> Workspace:
    """A workspace with four synthetic images and a view of them."""
    workspace = Workspace.create(tmp_path / "small", ["cat", "dog"])
    add_synthetic(workspace, 4, 1)
    make_view(workspace, "all", ViewSpec(add_synthetic={"dog": 4}))
    return workspace


def test_export_manifests(small: Workspace, tmp_path: Path) -> None:
    valid = json.loads(export(small, tmp_path / "out", "folder", "all").manifest.read_text())
    path = tmp_path / "manifest.json"

    def export_manifest(text: str) -> None:
        path.write_text(text)
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        read_manifest(path)
        rebuild(small, path, tmp_path / "again")

    fuzz(export_manifest, text=changed_json(lambda: valid) | JSON.map(json.dumps))
    assert {each.name for each in tmp_path.iterdir()} <= {"out", "again", "small", "manifest.json"}


def test_view_manifests(small: Workspace, tmp_path: Path) -> None:
    valid = json.loads(write_view(small, "all", tmp_path / "view.json").read_text())
    path = tmp_path / "changed.json"

    def view_manifest(text: str, name: str) -> None:
        path.write_text(_signed(text))
        read_view(small, name, path)

    fuzz(view_manifest, text=changed_json(lambda: valid) | JSON.map(json.dumps), name=st.text(max_size=9))


def _signed(text: str) -> str:
    """With the fingerprint that fits, where one can be made: what lies behind that check is tried as well."""
    try:
        held = json.loads(text)
        mark = fingerprint(held["classes"], [(each["sha256"], each["class"]) for each in held["images"]])
        return json.dumps({**held, "fingerprint": mark})
    except (KeyError, TypeError, ValueError, AttributeError):
        return text


CELLS = st.sampled_from(["1", "2", "cat", "dog", "reject", "", "9" * 30, '"', ",", "\n", "\0", "x" * 200_000])


def test_label_tables(small: Workspace, tmp_path: Path) -> None:
    ids = [image.sha256 for image in catalog.find_images(small.db)]
    cells = CELLS | st.sampled_from(ids) | st.text(max_size=9)
    rows = st.lists(st.lists(cells, max_size=3).map(",".join), max_size=5)
    table = rows.map(lambda lines: "\n".join(["image,label", *lines]).encode("utf-8", "surrogatepass"))

    def label_table(content: bytes, annotator: str) -> None:
        (tmp_path / "labels.csv").write_bytes(content)
        from_csv(small, tmp_path / "labels.csv", annotator)

    fuzz(
        label_table, content=table | st.binary() | table.flatmap(changed_bytes), annotator=st.text(max_size=9)
    )


def test_label_histories(small: Workspace, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,label\n1,cat\n2,dog\n1,reject\n")
    from_csv(small, tmp_path / "labels.csv", "ann")
    export_history(small, tmp_path / "whole.jsonl")
    first, *rows = map(json.loads, (tmp_path / "whole.jsonl").read_text().splitlines())
    path = tmp_path / "changed.jsonl"

    def label_history(text: str, signed: bool) -> None:
        lines = json.loads(text)
        lines = lines if isinstance(lines, list) else [lines]
        path.write_text("\n".join(map(json.dumps, _chained(first, lines) if signed else lines)))
        import_history(small, path)

    fuzz(label_history, text=changed_json(lambda: [first, *rows]), signed=st.booleans())


def _chained(first: dict[str, Any], lines: list[Any]) -> list[Any]:
    """With the hashes that fit, where they can be made: what lies behind that check is tried as well."""
    previous, chained = GENESIS, []
    for line in lines[1:]:
        try:
            entry = ChainedEntry(**{**line, "previous_hash": previous})
            previous = entry.hash
        except TypeError:
            return lines
        chained.append(dataclasses.asdict(entry))
    return [{**first, "entries": len(chained), "hash": previous}, *chained]


def header(changes: dict[str, Any]) -> dict[str, Any]:
    """What a classifier's file says of it."""
    recipe = dataclasses.asdict(RECIPES["digits"])
    plain = {"recipe": recipe, "class_names": ["a", "b"], "mean": [0.5] * 3, "std": [1.0] * 3, "training": {}}
    return plain | changes


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "classifier.safetensors"
    weights = build(RECIPES["digits"].network, 2).state_dict()
    save_file(weights, path, metadata={"synthaug.classifier": json.dumps(header({}))})
    whole = path.read_bytes()
    length = 8 + int.from_bytes(whole[:8], "little")

    def safetensors(data: bytes) -> None:
        path.write_bytes(data)
        read_tensors(path)
        FittedClassifier.load(path, "cpu")

    fuzz(safetensors, data=changed_bytes(whole, length) | st.binary())


def test_descriptions_of_classifiers(tmp_path: Path) -> None:
    path = tmp_path / "classifier.safetensors"
    weights = {"x": torch.zeros(1)}

    def description(text: str) -> None:
        save_file(weights, path, metadata={"synthaug.classifier": text})
        FittedClassifier.load(path, "cpu")

    fuzz(description, text=changed_json(lambda: header({})) | st.text())


def test_model_cards(tmp_path: Path) -> None:
    model = Path(synthaug_assets.__file__).parent / "models" / "digits"
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    card = json.loads((folder / "synthaug.json").read_text())
    index = json.loads((folder / "model_index.json").read_text())

    def model_card(text: str) -> None:
        (folder / "synthaug.json").write_text(text)
        ModelCard.read(folder)
        family_of(folder)

    def model_index(text: str) -> None:
        (folder / "model_index.json").write_text(text)
        family_of(folder)

    fuzz(model_card, text=changed_json(lambda: card) | JSON.map(json.dumps) | st.text().map(ascii))
    (folder / "synthaug.json").unlink()
    fuzz(model_index, text=changed_json(lambda: index) | JSON.map(json.dumps) | st.text().map(ascii))
