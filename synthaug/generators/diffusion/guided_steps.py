"""Classifier-free guidance in some of the denoising steps only (Kynkäänniemi et al. 2024, "Applying guidance in a
limited interval improves sample and distribution quality in diffusion models").

A guided step runs the denoiser twice per image, with and without the prompt; another step runs it once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from synthaug.errors import UserError
from synthaug.generators.base import Interval

if TYPE_CHECKING:
    import torch
    from diffusers import DiffusionPipeline

    from synthaug.generators.diffusion.pipelines import Arguments

ROUNDING = 1e-9  # 0.3 of 10 steps are 3, although 0.1 * 3 is more than 0.3


def check_interval(interval: Interval) -> None:
    """Raises UserError unless both ends are shares in 0 .. 1, the first below the second."""
    start, stop = interval
    if not 0 <= start < stop <= 1:
        raise UserError(
            f"the guidance interval is {start:g}..{stop:g}; give two shares of the steps in 0 .. 1, "
            "the first below the second, such as 0.2..0.8"
        )


class GuidedSteps:
    """The arguments of a Stable Diffusion pipeline, and what changes between its steps.

    It uses what diffusers offers for this: the callback at the end of a step may exchange the embeddings, and the
    pipeline looks up its guidance scale in every step.
    """

    def __init__(self, arguments: Arguments, interval: Interval) -> None:
        """``arguments`` are those of a call that is guided from the first step to the last."""
        self._arguments = arguments
        self._prompt = cast("torch.Tensor", arguments["prompt_embeds"])
        self._negative = cast("torch.Tensor", arguments["negative_prompt_embeds"])
        self._interval = interval

    def first(self) -> Arguments:
        """The arguments of the call, whose guidance is that of the first step."""
        if self._guided(0, 1):
            return self._arguments
        return {"prompt_embeds": self._prompt, "guidance_scale": 1.0}

    def before(self, pipeline: DiffusionPipeline, step: int) -> dict[str, torch.Tensor]:
        """Set the guidance of a step, counted from 0; returns the embeddings that it needs."""
        import torch

        if not self._guided(step, pipeline.num_timesteps):
            pipeline._guidance_scale = 1.0
            return {"prompt_embeds": self._prompt}
        pipeline._guidance_scale = self._arguments["guidance_scale"]
        return {"prompt_embeds": torch.cat([self._negative, self._prompt])}

    def _guided(self, step: int, steps: int) -> bool:
        start, stop = (share * steps - ROUNDING for share in self._interval)
        return start <= step < stop
