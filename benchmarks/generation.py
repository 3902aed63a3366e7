"""Images per second and peak memory of every generator family, compared with the standard diffusers loop.

    python benchmarks/generation.py [--images 32] [--threads 2] [--families text image ...]

Ours computes in bfloat16 where the CPU has matrix units for it, as jobs do; diffusers in float32, its default.
Both generate the same requests with the same weights, scheduler, steps and guidance, alternately and each in its own
process. The diffusers loop uses batches of the same size and follows the documentation of diffusers. DDPM and DCGAN
are untrained networks with the default sizes of ``train-generator``, because speed does not depend on training. The
DCGAN is compared with its bare network. Contextual diversification has no counterpart and is compared with the image-
to-image pass, its most expensive part. A DDPM on pixels takes half a minute per batch on one core; it is therefore
measured on one batch with few steps, and without classes, which the pipeline of diffusers does not support.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from synthaug.generators.folders import find_model
from synthaug.hardware import CPUFormat, fastest_cpu_format
from synthaug.records import GenerationRequest

ROUNDS = 3  # the best one counts, because other programs on the machine can only slow a round down
MODEL = "embedded"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FAMILIES = ("text", "digits", "image", "inpaint", "context", "ddpm", "gan")
STRENGTH = 0.6
FEW = {"ddpm": (16, 4)}
"""Images and steps of the slow families; the others take ``--images`` and the steps of their card."""
Draw = Callable[[Sequence[GenerationRequest]], int]


def requests_of(family: str, count: int) -> list[GenerationRequest]:
    """The requests, which are the same for both sides."""
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    names = words if family == "digits" else CLASSES
    plain = [GenerationRequest(f"a photo of a {names[i % 10]}", i) for i in range(count)]
    if family in ("text", "digits", "ddpm", "gan"):
        return plain
    rng = np.random.default_rng(0)
    image = np.repeat(np.repeat(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8), 4, 0), 4, 1)
    mask = np.zeros((32, 32), bool)
    mask[:, 16:] = True
    return [
        replace(each, image=image, mask=mask if family == "inpaint" else None, strength=STRENGTH)
        for each in plain
    ]


def model_of(family: str, folder: Path) -> str:
    """The name or folder of a family's model, which is created in ``folder`` if none is shipped."""
    images = np.zeros((2, 32, 32, 3), np.uint8)
    if family == "ddpm":
        from synthaug.generator_training.ddpm import DDPMConfig, train_ddpm

        train_ddpm(images, None, (), DDPMConfig(steps=1, batch_size=2), folder, folder / "ck")
        return str(folder)
    if family == "gan":
        from synthaug.generator_training.gan import GANConfig, train_gan

        train_gan(images, (), GANConfig(epochs=1), folder, folder / "ck")
        return str(folder)
    return {"digits": "digits", "context": f"context:{MODEL}"}.get(family, MODEL)


def ours(family: str, model: str) -> tuple[Draw, int]:
    """A function that generates requests with synthaug and counts the images, and the batch size."""
    from synthaug.generators import load_generator

    steps = FEW[family][1] if family in FEW else None
    generator = load_generator(
        model, device="cpu", num_inference_steps=steps, cpu_format=fastest_cpu_format()
    )
    return lambda requests: len(generator.generate(requests)), generator.settings.batch_size


def stock(family: str, model: str, cpu_format: CPUFormat = "float32") -> tuple[Draw, int]:
    """The same with the pipelines of diffusers, whose own format is float32, or with the bare network."""
    if family == "gan":
        return stock_gan(model)
    import torch

    from synthaug.generators.base import ModelCard

    folder = find_model(model.removeprefix("context:")).path
    card = ModelCard.read(folder)
    batch = card.batch_size or 1
    steps = FEW[family][1] if family in FEW else card.num_inference_steps
    pipeline = stock_pipeline(family, folder, cpu_format)
    pipeline.set_progress_bar_config(disable=True)

    def draw(requests: Sequence[GenerationRequest]) -> int:
        drawn = 0
        for start in range(0, len(requests), batch):
            part = requests[start : start + batch]
            seeds = [torch.Generator().manual_seed(each.seed) for each in part]
            inputs = {"batch_size": len(part)} if family == "ddpm" else prompted(part, card.guidance_scale)
            made = pipeline(**inputs, generator=seeds, num_inference_steps=steps).images
            drawn += len(made)
        return drawn

    return draw, batch


def stock_pipeline(family: str, folder: Path, cpu_format: CPUFormat) -> Any:
    """The pipeline of diffusers for a family, with the weights in ``folder``."""
    import torch
    from diffusers import (
        AutoPipelineForImage2Image,
        AutoPipelineForInpainting,
        DDIMPipeline,
        DiffusionPipeline,
    )

    if family == "ddpm":
        return DDIMPipeline.from_pretrained(folder)
    pipeline = DiffusionPipeline.from_pretrained(
        folder, safety_checker=None, dtype=getattr(torch, cpu_format)
    )
    if family in ("image", "context"):
        return AutoPipelineForImage2Image.from_pipe(pipeline)
    if family == "inpaint":
        return AutoPipelineForInpainting.from_pipe(pipeline)
    return pipeline


def prompted(part: Sequence[GenerationRequest], guidance_scale: float | None) -> dict[str, Any]:
    """The arguments of a pipeline for a batch of requests, which all start from noise or all from images."""
    found: dict[str, Any] = {"prompt": [each.prompt for each in part], "guidance_scale": guidance_scale}
    if part[0].image is not None:
        found["image"] = np.stack([each.image for each in part]).astype(np.float32) / 255
        found["strength"] = STRENGTH
    if part[0].mask is not None:
        found["mask_image"] = np.stack([each.mask for each in part]).astype(np.float32)
        found |= {"height": 32, "width": 32}
    return found


def stock_gan(model: str) -> tuple[Draw, int]:
    """The same with the bare DCGAN network."""
    import torch
    from safetensors.torch import load_file

    from synthaug.generators.dcgan import LATENT, Generator
    from synthaug.generators.gan import BATCH

    network = Generator().eval()
    network.load_state_dict(load_file(Path(model) / "generator.safetensors"))

    @torch.inference_mode()
    def draw(requests: Sequence[GenerationRequest]) -> int:
        parts = [requests[start : start + BATCH] for start in range(0, len(requests), BATCH)]
        return sum(len(network(torch.randn(len(part), LATENT, 1, 1))) for part in parts)

    return draw, BATCH


def measure(which: str, family: str, model: str, images: int, threads: int) -> dict[str, object]:
    """Measurements of one side in this process."""
    import torch

    torch.set_num_threads(threads)
    draw, batch = {"ours": ours, "stock": stock}[which](family, model)
    requests = requests_of(family, images)
    draw(requests[:batch])  # warm-up
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        drawn = draw(requests)
        rates.append(drawn / (time.perf_counter() - began))
    return {
        "images_per_second": round(max(rates), 1),
        "all": [round(rate, 1) for rate in rates],
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument(
        "--only", nargs=3, metavar=("WHICH", "FAMILY", "MODEL"), help="in this process, as JSON"
    )
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(*options.only, options.images, options.threads)))
        return
    print(f"{'family':<10}{'ours /s':>10}{'stock /s':>10}{'ratio':>8}{'ours MB':>10}{'stock MB':>10}")
    with tempfile.TemporaryDirectory() as root:
        for family in options.families:
            model = model_of(family, Path(root) / family)
            images, steps = FEW.get(family, (options.images, None))
            found = {}
            for which in ("ours", "stock"):
                command = [sys.executable, __file__, "--only", which, family, model]
                command += ["--images", str(images), "--threads", str(options.threads)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found[which] = json.loads(done.stdout.splitlines()[-1])
            mine, theirs = found["ours"], found["stock"]
            ratio = mine["images_per_second"] / theirs["images_per_second"]
            print(
                f"{family:<10}{mine['images_per_second']:>10}{theirs['images_per_second']:>10}{ratio:>8.2f}"
                f"{mine['peak_rss_mb']:>10}{theirs['peak_rss_mb']:>10}"
                + (f"   {images} images of {steps} steps" if steps else ""),
                flush=True,
            )


if __name__ == "__main__":
    main()
