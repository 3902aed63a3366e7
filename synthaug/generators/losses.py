"""What the VAE and the diffusion model minimise, one batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthaug.generators.training_config import TrainingData

if TYPE_CHECKING:
    import torch

NOISE_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


def _to_tensor(images: NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float32 in -1 .. 1."""
    import torch

    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def _noise_source(rng: np.random.Generator) -> torch.Generator:
    """A CPU generator, so that a GPU sees the same noise."""
    import torch

    return torch.Generator().manual_seed(int(rng.integers(2**63)))


def vae_loss(vae: Any, data: TrainingData, step: int, device: torch.device) -> torch.Tensor:
    """Mean absolute error of the reconstruction plus the weighted KL divergence of the latents."""
    import torch

    rng = data.rng("vae", step)
    pixels = _to_tensor(data.draw(rng, data.config.batch_size)[0], device)
    posterior = vae.encode(pixels).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=_noise_source(rng)).to(device)
    decoded = vae.decode(posterior.mean + posterior.std * noise).sample
    kl = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar)
    loss: torch.Tensor = (decoded - pixels).abs().mean() + data.config.kl_weight * kl.mean()
    return loss


def scaling_factor(vae: Any, data: TrainingData, device: torch.device) -> float:
    """What brings the latents to unit variance (Rombach et al. 2022, section G)."""
    import torch

    rng = data.rng("vae", data.config.vae_steps)
    with torch.inference_mode():
        latents = vae.encode(_to_tensor(data.draw(rng, 512)[0], device)).latent_dist.mean
    return float(1 / latents.std())


class DiffusionLoss:
    """Min-SNR weighted v-prediction loss (Hang et al. 2023; Salimans & Ho 2022) of one batch."""

    def __init__(
        self, vae: Any, text_encoder: Any, unet: Any, tokenizer: Any, data: TrainingData, device: torch.device
    ) -> None:
        from diffusers import DDPMScheduler

        self.vae, self.text_encoder, self.unet, self.tokenizer = vae, text_encoder, unet, tokenizer
        self.data, self.device = data, device
        self.noising = DDPMScheduler(**NOISE_SCHEDULE)
        kept = self.noising.alphas_cumprod
        signal_to_noise = kept / (1 - kept)
        gamma = data.config.min_snr_gamma
        self.weights = (signal_to_noise.clamp(max=gamma) / (signal_to_noise + 1)).to(device)

    def __call__(self, step: int) -> torch.Tensor:
        import torch

        config = self.data.config
        rng = self.data.rng("diffusion", step)
        images, indices = self.data.draw(rng, config.batch_size)
        captions = self.data.captions(images, indices, rng)
        dropped = rng.random(len(captions)) < config.caption_dropout
        ids = self._tokens(["" if drop else text for text, drop in zip(captions, dropped, strict=True)])
        with torch.no_grad():
            posterior = self.vae.encode(_to_tensor(images, self.device)).latent_dist
        source = _noise_source(rng)
        jitter, noise = torch.randn((2, *posterior.mean.shape), generator=source).to(self.device)
        times = torch.randint(len(self.weights), (len(captions),), generator=source).to(self.device)
        latents = (posterior.mean + posterior.std * jitter) * self.vae.config.scaling_factor
        noisy = self.noising.add_noise(latents, noise, times)
        target = self.noising.get_velocity(latents, noise, times)
        predicted = self.unet(noisy, times, self.text_encoder(ids)[0]).sample
        error = (predicted - target).square().mean(dim=(1, 2, 3))
        loss: torch.Tensor = (self.weights[times] * error).mean()
        return loss

    def _tokens(self, captions: list[str]) -> torch.Tensor:
        tokens = self.tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt")
        ids: torch.Tensor = tokens.input_ids
        return ids.to(self.device)
