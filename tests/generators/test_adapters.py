"""LoRA folders: the base and a small file, merged on loading; against diffusers' own way to use one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthaug_assets
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from synthaug.errors import UserError
from synthaug.generators import load_generator
from synthaug.generators.base import ModelCard
from synthaug.records import GenerationRequest

pytestmark = pytest.mark.slow

DIGITS = Path(synthaug_assets.__file__).parent / "models" / "digits"
STEPS = 4
REQUESTS = [GenerationRequest("a bold handwritten digit eight", seed) for seed in range(16)]


def stock() -> Any:
    pipeline = StableDiffusionPipeline.from_pretrained(
        DIGITS, safety_checker=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA of the digits model with weights drawn at random, as diffusers saves one."""
    folder = tmp_path_factory.mktemp("models") / "adapter"
    pipeline = stock()
    torch.manual_seed(0)
    pipeline.unet.add_adapter(LoraConfig(r=4, init_lora_weights=False, target_modules=["to_k", "to_v"]))
    layers = {name: each * 2 for name, each in get_peft_model_state_dict(pipeline.unet).items()}
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)
    ModelCard(base="digits", num_inference_steps=STEPS, guidance_scale=2.0, batch_size=16).write(folder)
    return folder


def drawn(name: str | Path) -> np.ndarray:
    generator = load_generator(name, num_inference_steps=STEPS, guidance_scale=2.0, device="cpu")
    return np.stack([each.pixels for each in generator.generate(REQUESTS)])


def test_an_adapter_draws_what_diffusers_draws(adapter: Path) -> None:
    pipeline = stock()
    pipeline.load_lora_weights(adapter, weight_name="pytorch_lora_weights.safetensors")
    images = pipeline(
        [request.prompt for request in REQUESTS],
        generator=[torch.Generator().manual_seed(request.seed) for request in REQUESTS],
        num_inference_steps=STEPS,
        guidance_scale=2.0,
        output_type="np",
    ).images
    # Merged weights and a sum of two products differ by rounding.
    assert np.abs(drawn(adapter) - 255.0 * images).max() < 2


def test_the_base_is_left_as_it_was(adapter: Path) -> None:
    before = drawn("digits")
    assert np.abs(drawn(adapter).astype(int) - before).mean() > 2
    assert np.array_equal(drawn("digits"), before)


def test_a_scheduler_beside_it_takes_the_place_of_the_bases(adapter: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    DDIMScheduler(beta_schedule="scaled_linear", steps_offset=1).save_pretrained(folder / "scheduler")
    assert load_generator(folder, device="cpu").settings.scheduler == "DDIMScheduler"
    assert load_generator(adapter, device="cpu").settings.scheduler != "DDIMScheduler"
    assert load_generator(folder, device="cpu").revision != load_generator(adapter, device="cpu").revision


def test_weights_of_another_architecture(adapter: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    arrays = load_file(adapter / "pytorch_lora_weights.safetensors")
    wrong = {name: np.concatenate([each, each], axis=-1) for name, each in arrays.items()}
    (tmp_path / "adapter").mkdir()
    save_file(wrong, tmp_path / "adapter" / "pytorch_lora_weights.safetensors")
    ModelCard(base="digits").write(tmp_path / "adapter")
    with pytest.raises(UserError, match=r"adapter could not be loaded"):
        load_generator(tmp_path / "adapter", device="cpu")


WITHOUT_PEFT = """
import sys
sys.modules["peft"] = None  # what Python itself does for a package that cannot be imported
from synthaug.errors import UserError
from synthaug.generators import load_generator
try:
    load_generator(sys.argv[1], device="cpu")
except UserError as error:
    sys.exit(f"Error: {error}")
"""


@pytest.mark.long
def test_without_peft_the_error_says_what_to_install(adapter: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PEFT, str(adapter)], capture_output=True, text=True, timeout=120
    )
    assert done.stderr.strip().splitlines()[-1].endswith("pip install 'synthaug[finetune]'"), done.stderr
