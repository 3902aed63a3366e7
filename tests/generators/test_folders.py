from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import synthaug_assets
from safetensors.numpy import load_file, save_file

from synthaug.errors import UserError
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.generators.folders import ADAPTER, GAN_WEIGHTS, family_of, find_model

SHIPPED = Path(synthaug_assets.__file__).parent / "models" / "digits"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "model"))


@pytest.mark.parametrize("name", ["digits", SHIPPED, str(SHIPPED)])
def test_the_shipped_model_by_any_name(name: str | Path) -> None:
    assert find_model(name).path == SHIPPED


def test_the_revision_follows_the_files_not_the_place(model: Path) -> None:
    before = find_model(model).revision
    assert before == find_model("digits").revision
    assert len(before) == len(hashlib.sha256().hexdigest())
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text() + " ")
    assert find_model(model).revision != before


@pytest.mark.parametrize("name", ["", "nonsense", "/no/such/folder", "./no/such", "a/b/c", "../x"])
def test_a_name_for_nothing(name: str) -> None:
    with pytest.raises(UserError, match=r"no generator|is not a generator"):
        find_model(name)


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


def test_an_index_that_names_no_pipeline(model: Path) -> None:
    (model / "model_index.json").write_text("{}")
    with pytest.raises(UserError, match="has no _class_name"):
        load_generator(model, device="cpu")


def save_gan(folder: Path) -> Path:
    folder.mkdir()
    save_file({"weight": np.zeros((4, 4), np.float32)}, folder / GAN_WEIGHTS)
    ModelCard(family="gan").write(folder)
    return folder


def test_a_gan_needs_no_pipeline(tmp_path: Path) -> None:
    gan = save_gan(tmp_path / "gan")
    assert family_of(gan) == "gan"
    before = find_model(gan).revision
    save_file({"weight": np.ones((4, 4), np.float32)}, gan / GAN_WEIGHTS)
    assert find_model(gan).revision != before


@pytest.mark.parametrize("kept", [0, 4, -1])
def test_truncated_weights_of_a_gan(tmp_path: Path, kept: int) -> None:
    weights = save_gan(tmp_path / "gan") / GAN_WEIGHTS
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(UserError, match="damaged or incomplete"):
        find_model(weights.parent)


def save_adapter(folder: Path, base: str | Path) -> Path:
    folder.mkdir()
    save_file({"unet.lora": np.zeros((4, 4), np.float32)}, folder / ADAPTER)
    ModelCard(base=str(base)).write(folder)
    return folder


def test_an_adapter_stands_on_its_base(tmp_path: Path, model: Path) -> None:
    adapter = save_adapter(tmp_path / "adapter", model)
    found = find_model(adapter)
    assert found.base == find_model(model)
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text() + " ")
    assert find_model(adapter).revision != found.revision


def test_an_adapter_on_an_adapter(tmp_path: Path) -> None:
    first = save_adapter(tmp_path / "first", "digits")
    found = find_model(save_adapter(tmp_path / "second", first))
    assert found.base is not None
    assert found.base.base == find_model("digits")


def test_adapters_in_a_circle(tmp_path: Path) -> None:
    save_adapter(tmp_path / "first", tmp_path / "second")
    save_adapter(tmp_path / "second", tmp_path / "first")
    with pytest.raises(UserError, match="is its own base"):
        find_model(tmp_path / "first")


def test_an_adapter_without_its_base(tmp_path: Path) -> None:
    adapter = save_adapter(tmp_path / "adapter", tmp_path / "gone")
    with pytest.raises(UserError, match=r"no generator '.*gone'"):
        find_model(adapter)


@pytest.mark.parametrize("text", ["[]", "{", '{"colour": 1}'])
def test_a_card_that_cannot_be_read(model: Path, text: str) -> None:
    (model / "synthaug.json").write_text(text)
    with pytest.raises(UserError, match=r"synthaug\.json (cannot be used|is not valid JSON)"):
        load_generator(model, device="cpu")


@pytest.mark.parametrize("text", ["null", "[]", "''", "{", "[" * 100_000])
def test_an_index_that_cannot_be_read(model: Path, text: str) -> None:
    (model / "model_index.json").write_text(text)
    (model / "synthaug.json").unlink()
    with pytest.raises(UserError, match=r"model_index\.json (cannot be used|is not valid JSON)"):
        family_of(model)


def test_a_card_survives_writing(tmp_path: Path) -> None:
    card = ModelCard(
        "x", "gan", 5, 1.5, 2, (16, 16), ("cat",), ("bold", "thin"), "digits", "words", {"fid": 1.5}
    )
    card.write(tmp_path)
    assert ModelCard.read(tmp_path) == card


def test_the_shipped_weights_are_half_precision_and_small() -> None:
    weights = sorted(SHIPPED.rglob("*.safetensors"))
    assert sum(each.stat().st_size for each in weights) < 8_000_000
    large = [each for each in weights if each.parent.name != "text_encoder"]
    assert {str(array.dtype) for each in large for array in load_file(each).values()} == {"float16"}
