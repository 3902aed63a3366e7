from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import synthaug_assets
from safetensors.numpy import load_file

from synthaug.errors import UserError
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import find_model

SHIPPED = Path(synthaug_assets.__file__).parent / "models" / "digits"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "model"))


@pytest.mark.parametrize("name", ["embedded", "digits", SHIPPED, str(SHIPPED)])
def test_the_shipped_model_by_any_name(name: str | Path) -> None:
    assert find_model(name).path == SHIPPED


def test_the_revision_follows_the_files_not_the_place(model: Path) -> None:
    before = find_model(model).revision
    assert before == find_model("embedded").revision
    assert len(before) == len(hashlib.sha256().hexdigest())
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text() + " ")
    assert find_model(model).revision != before


@pytest.mark.parametrize("name", ["", "nonsense", "/no/such/folder", "./no/such", "a/b/c", "../x"])
def test_a_name_for_nothing(name: str) -> None:
    with pytest.raises(UserError, match=r"no generator|no diffusers pipeline"):
        find_model(name)


def test_a_hub_id_that_is_not_there() -> None:
    with pytest.raises(UserError, match="'synthaug-tests/no-such-model' is neither on this machine nor"):
        find_model("synthaug-tests/no-such-model")


def test_a_folder_that_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model_index\.json"):
        find_model(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 1000, -1])
def test_truncated_weights(model: Path, kept: int) -> None:
    weights = next((model / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(UserError, match="damaged or incomplete"):
        load_generator(model)


def test_pickled_weights_are_refused_unread(model: Path) -> None:
    weights = next((model / "unet").glob("*.safetensors"))
    weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    with pytest.raises(UserError, match="pickled weights"):
        load_generator(model)


def test_a_folder_without_weights(model: Path) -> None:
    for weights in model.rglob("*.safetensors"):
        weights.unlink()
    with pytest.raises(UserError, match="no weights"):
        load_generator(model)


def test_a_missing_part(model: Path) -> None:
    shutil.rmtree(model / "vae")
    with pytest.raises(UserError, match="could not be loaded"):
        load_generator(model, device="cpu")


def test_another_kind_of_pipeline(model: Path) -> None:
    index = model / "model_index.json"
    entries = json.loads(index.read_text())
    index.write_text(json.dumps(entries | {"_class_name": "DDPMPipeline"}))
    with pytest.raises(UserError, match="could not be loaded"):
        load_generator(model, device="cpu")


@pytest.mark.parametrize("text", ["[]", "{", '{"colour": 1}'])
def test_a_card_that_cannot_be_read(model: Path, text: str) -> None:
    (model / "synthaug.json").write_text(text)
    with pytest.raises(UserError, match=r"synthaug\.json must be a JSON object"):
        load_generator(model, device="cpu")


def test_a_card_survives_writing(tmp_path: Path) -> None:
    card = ModelCard("x", 5, 1.5, 2, (16, 16), ("cat",), ("bold", "thin"))
    card.write(tmp_path)
    assert ModelCard.read(tmp_path) == card


def test_the_shipped_weights_are_half_precision_and_small() -> None:
    weights = sorted(SHIPPED.rglob("*.safetensors"))
    assert sum(each.stat().st_size for each in weights) < 8_000_000
    large = [each for each in weights if each.parent.name != "text_encoder"]
    assert {str(array.dtype) for each in large for array in load_file(each).values()} == {"float16"}
