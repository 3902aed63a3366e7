"""Weights that are not a network's own are refused by every loader, which names the file and the first tensors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import synthaug_assets
import torch
from safetensors.torch import load_file, safe_open, save_file
from torch import nn

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.errors import UserError
from synthaug.generator_training import alignment, checkpoints
from synthaug.generator_training.parts import parts_of
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.generators.dcgan import Generator
from synthaug.weights import fill, read_tensors

MODELS = Path(synthaug_assets.__file__).parent / "models"
Change = Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]


def unrelated(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {"unrelated": torch.zeros(3)}


def one_more(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {**tensors, "unrelated": torch.zeros(3)}


def one_less(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return dict(sorted(tensors.items())[:-1])


def reshaped(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    last = max(tensors)
    return {**tensors, last: torch.zeros(*tensors[last].shape, 2)}


WRONG = pytest.mark.parametrize("change", [unrelated, one_more, one_less, reshaped])


def rewrite(path: Path, change: Change) -> None:
    with safe_open(path, "pt") as stored:
        metadata = stored.metadata()
    save_file(change(load_file(path)), path, metadata=metadata)


@WRONG
def test_fill_names_the_file_and_the_tensors(change: Change, tmp_path: Path) -> None:
    network = nn.Linear(2, 3)
    path = tmp_path / "linear.safetensors"
    save_file(network.state_dict(), path)
    rewrite(path, change)
    expected = {
        unrelated: r"2 tensors missing \(bias, weight\), 1 tensor unexpected \(unrelated\)",
        one_more: r"1 tensor unexpected \(unrelated\)",
        one_less: r"1 tensor missing \(weight\)",
        reshaped: r"of another shape \(weight: \(3, 2, 2\) instead of \(3, 2\)\)",
    }[change]
    with pytest.raises(UserError, match=rf"linear\.safetensors does not hold.*{expected}"):
        fill(network, read_tensors(path)[1], path)


@WRONG
def test_a_classifier(change: Change, tmp_path: Path) -> None:
    path = Path(shutil.copy(MODELS / "cifar10-labeler" / "classifier.safetensors", tmp_path))
    rewrite(path, change)
    with pytest.raises(UserError, match=r"classifier\.safetensors does not hold the weights"):
        FittedClassifier.load(path, "cpu")


@pytest.mark.parametrize(
    ("part", "change"),
    [("unet", unrelated), ("unet", reshaped), ("text_encoder", one_less), ("vae", one_more)],
)
def test_a_text_to_image_generator(part: str, change: Change, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(MODELS / "digits", tmp_path / "model"))
    rewrite(next((folder / part).glob("*.safetensors")), change)
    with pytest.raises(UserError, match=rf"{part}/\w+\.safetensors does not hold the weights"):
        load_generator(folder, device="cpu")
    with pytest.raises(UserError, match=rf"{part}/\w+\.safetensors does not hold the weights"):
        parts_of(folder)


@WRONG
def test_a_ddpm(change: Change, tmp_path: Path) -> None:
    from diffusers import DDIMScheduler, DDPMPipeline, UNet2DModel

    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",)}
    unet = UNet2DModel(8, block_out_channels=(8,), layers_per_block=1, norm_num_groups=4, **blocks)
    DDPMPipeline(unet, DDIMScheduler()).save_pretrained(tmp_path)
    rewrite(next((tmp_path / "unet").glob("*.safetensors")), change)
    with pytest.raises(UserError, match=r"unet/\w+\.safetensors does not hold the weights"):
        load_generator(tmp_path, device="cpu")


@WRONG
def test_a_gan(change: Change, tmp_path: Path) -> None:
    ModelCard(family="gan").write(tmp_path)
    save_file(Generator(8).state_dict(), tmp_path / "generator.safetensors")
    rewrite(tmp_path / "generator.safetensors", change)
    with pytest.raises(UserError, match=r"generator\.safetensors (does not hold the weights|is not a DCGAN)"):
        load_generator(tmp_path, device="cpu")


@pytest.mark.slow
@WRONG
def test_a_lora(change: Change, tmp_path: Path) -> None:
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    unet = UNet2DConditionModel.from_pretrained(MODELS / "digits" / "unet")
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_k"]))
    StableDiffusionPipeline.save_lora_weights(tmp_path, unet_lora_layers=get_peft_model_state_dict(unet))
    ModelCard(base="digits").write(tmp_path)
    path = tmp_path / "pytorch_lora_weights.safetensors"
    rewrite(
        path,
        lambda tensors: {
            key.replace("unrelated", "unet.x.lora_A.weight"): each for key, each in change(tensors).items()
        },
    )
    with pytest.raises(UserError, match=r"could not be loaded|is not a LoRA|does not hold the weights"):
        load_generator(tmp_path, device="cpu")


@pytest.mark.parametrize("key", ["model.weight", "ema.weight", "adam.0.exp_avg"])
@pytest.mark.parametrize("change", ["drop", "reshape", "rename"])
def test_a_checkpoint(key: str, change: str, tmp_path: Path) -> None:
    network, path = nn.Linear(2, 3), tmp_path / "unet.safetensors"
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    state = {
        "module": network,
        "averaged": {name: value.clone() for name, value in network.state_dict().items()},
        "optimizer": optimizer,
        "fingerprint": "f",
    }
    checkpoints.save_state(path, step=1, **state)
    assert checkpoints.load_state(path, **state) == 1

    def changed(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        taken = tensors.pop(key)
        if change == "drop":
            return tensors
        return {**tensors, **({key: torch.zeros(7)} if change == "reshape" else {f"{key}s": taken})}

    rewrite(path, changed)
    with pytest.raises(UserError, match=r"unet\.safetensors does not hold the weights.*(weight|exp_avg)"):
        checkpoints.load_state(path, **state)


def test_kept_maps_of_another_name(tmp_path: Path) -> None:
    path = tmp_path / "maps.safetensors"
    save_file({"unrelated": torch.zeros(1)}, path, metadata={"fingerprint": "f"})
    with pytest.raises(UserError, match=r"maps\.safetensors.*1 tensor missing \(kept\)"):
        alignment.kept_maps(np.zeros((1, 8, 8, 3), np.uint8), lambda images: np.zeros(1), path, "f")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"class_names": [1, 2]}, r"names\.0: .*string"),
        ({"class_names": []}, "names"),
        ({"mean": [0.5, 0.5]}, "mean"),
        ({"std": ["a", 1, 1]}, r"std\.0"),
        ({"recipe": {}}, "name: Field required"),
        ({"recipe": {"colour": 1}}, "name: Field required"),
        ({"recipe": None}, "recipe"),
    ],
)
def test_a_classifier_with_a_garbled_description(
    changed: dict[str, object], problem: str, tmp_path: Path
) -> None:
    path = Path(shutil.copy(MODELS / "cifar10-labeler" / "classifier.safetensors", tmp_path))
    with safe_open(path, "pt") as stored:
        header = json.loads(stored.metadata()["synthaug.classifier"])
    save_file(load_file(path), path, metadata={"synthaug.classifier": json.dumps(header | changed)})
    with pytest.raises(UserError, match=rf"classifier\.safetensors cannot be used: {problem}"):
        FittedClassifier.load(path, "cpu")
    save_file(load_file(path), path, metadata={"synthaug.classifier": "[" * 100_000})
    with pytest.raises(UserError, match="not valid JSON"):
        FittedClassifier.load(path, "cpu")


def test_a_checkpoint_that_counts_no_steps(tmp_path: Path) -> None:
    path = tmp_path / "unet.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata={"step": "-1"})
    with pytest.raises(UserError, match=r"'step' is '-1'"):
        checkpoints.steps_done(path)
