"""The losses of the VAE and the diffusion model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synthaug.generator_training.alignment import misalignment, predict
from synthaug.generator_training.config import TrainingData
from synthaug.generator_training.latents import to_tensor
from synthaug.hardware import compiled, mixed_precision

if TYPE_CHECKING:
    import torch

    from synthaug.generator_training.latents import Moments

NOISE_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


def _noise_source(rng: np.random.Generator) -> torch.Generator:
    """A random generator on the CPU, so that a GPU sees the same noise."""
    import torch

    return torch.Generator().manual_seed(int(rng.integers(2**63)))


class VaeLoss:
    """Mean absolute error of the reconstruction plus the weighted KL divergence of the latents."""

    def __init__(self, vae: Any, data: TrainingData, device: torch.device) -> None:
        self.vae, self.data, self.device = vae, data, device

    def __call__(self, step: int, shard: int = 0) -> torch.Tensor:
        import torch

        config = self.data.config
        rng = self.data.rng("vae", step, shard)
        pixels = to_tensor(self.data.draw(rng, self.data.shard_size)[0], self.device)
        with mixed_precision(self.device, wanted=config.mixed_precision):
            mean, logvar = self.vae.quant_conv(self.vae.encoder(pixels)).float().chunk(2, dim=1)
            logvar = logvar.clamp(-30, 20)
            noise = torch.randn(mean.shape, generator=_noise_source(rng)).to(self.device)
            decoded = self.vae.decode(mean + (0.5 * logvar).exp() * noise).sample.float()
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar)
        loss: torch.Tensor = (decoded - pixels).abs().mean() + config.kl_weight * kl.mean()
        return loss


def min_snr_weights(scheduler: Any, gamma: float | None) -> torch.Tensor:
    """Weight of the squared error at each time of the schedule (T,) (Hang et al. 2023); 1 if ``gamma`` is None."""
    import torch

    signal = scheduler.alphas_cumprod
    if gamma is None:
        return torch.ones_like(signal)
    ratio = signal / (1 - signal)  # signal-to-noise ratio
    units = {"v_prediction": ratio + 1, "epsilon": ratio.clamp(min=1e-8), "sample": torch.ones_like(ratio)}
    weights: torch.Tensor = ratio.clamp(max=gamma) / units[scheduler.config.prediction_type]
    return weights


class DiffusionLoss:
    """Min-SNR weighted v-prediction loss (Hang et al. 2023; Salimans & Ho 2022) of one batch."""

    def __init__(
        self,
        vae: Any,
        text_encoder: Any,
        unet: Any,
        tokenizer: Any,
        data: TrainingData,
        moments: Moments,
        device: torch.device,
        projection: Any = None,
        maps: torch.Tensor | None = None,
    ) -> None:
        """``projection`` maps the U-Net's middle features to the feature ``maps`` (N, C, h, w) of the images."""
        from diffusers import DDPMScheduler

        self.vae, self.text_encoder, self.unet, self.tokenizer = vae, text_encoder, unet, tokenizer
        self.data, self.moments, self.device = data, moments, device
        self.projection, self.maps = projection, maps
        self.predict = compiled(predict, data.config.shards) if data.config.compiled else predict
        self.noising = DDPMScheduler(**NOISE_SCHEDULE)
        self.weights = min_snr_weights(self.noising, data.config.min_snr_gamma).to(device)

    def __call__(self, step: int, shard: int = 0) -> torch.Tensor:
        import torch

        config = self.data.config
        rng = self.data.rng("diffusion", step, shard)
        images, indices = self.data.draw(rng, self.data.shard_size)
        captions = self.data.captions(images, indices, rng)
        dropped = rng.random(len(captions)) < config.caption_dropout
        ids = self._tokens(["" if drop else text for text, drop in zip(captions, dropped, strict=True)])
        mean, std = self.moments(images, indices)
        source = _noise_source(rng)
        jitter, noise = torch.randn((2, *mean.shape), generator=source).to(self.device)
        times = torch.randint(len(self.weights), (len(captions),), generator=source).to(self.device)
        latents = (mean + std * jitter) * self.vae.config.scaling_factor
        noisy = self.noising.add_noise(latents, noise, times)
        target = self.noising.get_velocity(latents, noise, times)
        with mixed_precision(self.device, wanted=config.mixed_precision):
            text = self.text_encoder(ids)[0]
            rows = noisy.contiguous(memory_format=torch.channels_last)
            predicted, middle = self.predict(self.unet, rows, times, text)
        error = (predicted.float() - target).square().mean(dim=(1, 2, 3))
        loss: torch.Tensor = (self.weights[times] * error).mean()
        if self.projection is None or self.maps is None:
            return loss
        with mixed_precision(self.device, wanted=config.mixed_precision):
            maps = self.maps[indices].float().to(self.device)
            return loss + config.alignment * misalignment(self.projection, middle, maps)

    def _tokens(self, captions: list[str]) -> torch.Tensor:
        tokens = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        ids: torch.Tensor = tokens.input_ids
        return ids.to(self.device)
