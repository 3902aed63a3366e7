"""Images per second and peak memory: synthaug's generator beside the stock diffusers loop.

    python benchmarks/generation.py [--images 160] [--model embedded] [--threads 2]

Both draw the same prompts with the same weights, scheduler, steps and guidance, each in a process of its own;
the stock loop takes prompts in batches of the same size, as diffusers' documentation shows it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from synthaug.generators.folders import find_model
from synthaug.records import GenerationRequest

ROUNDS = 3  # other work on the machine only ever slows a round down, so the best one counts
PROMPTS = [
    f"a {weight} handwritten digit {word} {lean}"
    for weight in ("bold", "thin")
    for word in ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    for lean in ("upright", "slanted left", "slanted right")
]


def ours(model: str) -> tuple[Callable[[Sequence[GenerationRequest]], int], int]:
    """A function that draws requests and counts the images, and the batch size."""
    from synthaug.generators import load_generator

    generator = load_generator(model, device="cpu")
    return lambda requests: len(generator.generate(requests)), generator.settings.batch_size


def stock(model: str) -> tuple[Callable[[Sequence[GenerationRequest]], int], int]:
    """The same through ``StableDiffusionPipeline`` alone."""
    import torch
    from diffusers import DiffusionPipeline

    from synthaug.generators.base import ModelCard

    folder = find_model(model).path
    card = ModelCard.read(folder)
    pipeline = DiffusionPipeline.from_pretrained(folder, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    batch = card.batch_size or 1

    def draw(requests: Sequence[GenerationRequest]) -> int:
        drawn = 0
        for start in range(0, len(requests), batch):
            part = requests[start : start + batch]
            drawn += len(
                pipeline(
                    [each.prompt for each in part],
                    generator=[torch.Generator().manual_seed(each.seed) for each in part],
                    num_inference_steps=card.num_inference_steps,
                    guidance_scale=card.guidance_scale,
                ).images
            )
        return drawn

    return draw, batch


def measure(which: str, model: str, images: int, threads: int) -> dict[str, object]:
    """Figures of one contestant, in this process."""
    import torch

    torch.set_num_threads(threads)
    started = time.perf_counter()
    draw, batch = {"ours": ours, "stock": stock}[which](model)
    loaded = time.perf_counter()
    requests = [GenerationRequest(PROMPTS[i % len(PROMPTS)], i) for i in range(images)]
    draw(requests[:batch])  # warm-up
    rates = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        drawn = draw(requests)
        rates.append(drawn / (time.perf_counter() - began))
    return {
        "contestant": which,
        "images": images,
        "images_per_second_best": round(max(rates), 1),
        "images_per_second_all": [round(rate, 1) for rate in rates],
        "load_seconds": round(loaded - started, 1),
        "batch_size": batch,
        "threads": threads,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=160)
    parser.add_argument("--model", default="embedded", help="as load_generator takes it")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=["ours", "stock"], help="in this process, as JSON")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.model, options.images, options.threads)))
        return
    for which in ("ours", "stock"):
        arguments = [*sys.argv[1:], "--only", which]
        done = subprocess.run(
            [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
        )
        print(done.stdout.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
