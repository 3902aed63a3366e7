"""Features of rare classes drawn from a diffusion model of features, so that classes become equally large.

After LDMLR (Han et al. 2024, "Latent-based Diffusion Model for Long-tailed Recognition"): a class-conditional diffusion
model learns the features of a network, and the head is fitted to real and drawn features together. Here the network is
not trained; the model learns the principal components of its features, scaled to variance 1, and the rest of a drawn
feature is that of a random real image of its class.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from synthaug.classifiers.logistic import Rows

COMPONENTS = 128  # principal components that the model learns
WIDTH, BLOCKS = 256, 2
BATCH, PASSES, FEWEST_STEPS = 512, 25, 400
LEARNING_RATE = 1e-3
TIMES = 1000  # of the noise schedule
DRAWING_STEPS = 50


def fill_up(rows: Rows, classes: int, seed: int) -> Rows:
    """The rows (N, D) and as many drawn ones as every class lacks of the weight of the largest; each has weight 1.

    A class without rows gets none. ``seed`` decides the training of the model and what is drawn.
    """
    weight = np.bincount(rows.labels, rows.weight, classes)
    present = np.bincount(rows.labels, minlength=classes) > 0
    missing = np.where(present, np.rint(weight.max() - weight), 0).astype(np.int64)
    if not missing.any():
        return rows
    space = _Space(rows)
    labels = np.repeat(np.arange(classes), missing)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        denoiser = _trained(space.points, rows.labels, classes)
        drawn = _draw(denoiser, torch.from_numpy(labels), space.points.shape[1])
    features = space.features(drawn.numpy().astype(np.float64), labels, np.random.default_rng(seed))
    return Rows(
        np.concatenate([rows.features, features]),
        np.concatenate([rows.labels, labels]),
        np.concatenate([rows.weight, np.ones(len(labels))]),
        np.concatenate([rows.real, np.zeros(len(labels), np.bool_)]),
    )


class _Space:
    """Principal components of features, scaled to variance 1, and what they leave of every row."""

    def __init__(self, rows: Rows) -> None:
        self._labels, self._mean = rows.labels, rows.features.mean(0)
        self._centred = rows.features - self._mean
        values, vectors = np.linalg.eigh(self._centred.T @ self._centred / len(self._centred))
        count = min(COMPONENTS, int((values > 1e-9 * values[-1]).sum()))
        self._basis = vectors[:, -count:]  # (D, C)
        self._scale = np.sqrt(values[-count:])
        self.points = (self._centred @ self._basis / self._scale).astype(np.float32)  # (N, C)

    def features(
        self, points: NDArray[np.float64], labels: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Features (M, D) of points (M, C), each with the rest of a random row of its class (M,)."""
        real = np.empty(len(labels), np.int64)
        for each in np.unique(labels):
            own = labels == each
            real[own] = rng.choice(np.flatnonzero(self._labels == each), int(own.sum()))
        centred = self._centred[real]
        along = points * self._scale - centred @ self._basis
        found: NDArray[np.float64] = self._mean + centred + along @ self._basis.T
        return found


class _Denoiser(nn.Module):
    """Predicts the velocity (Salimans & Ho 2022) of noisy points (B, C) at times (B,) for classes (B,)."""

    def __init__(self, components: int, classes: int) -> None:
        super().__init__()
        self.into = nn.Linear(components, WIDTH)
        self.time = nn.Linear(WIDTH, WIDTH)
        self.label = nn.Embedding(classes, WIDTH)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
            for _ in range(BLOCKS)
        )
        self.out = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, components))

    def forward(self, points: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """Velocities (B, C)."""
        condition = self.time(_sinusoids(times)) + self.label(labels)
        hidden = self.into(points)
        for block in self.blocks:
            hidden = hidden + block(hidden + condition)
        velocities: Tensor = self.out(hidden)
        return velocities


def _sinusoids(times: Tensor) -> Tensor:
    """The usual embedding (B, WIDTH) of times (B,) in 0 .. TIMES - 1."""
    rates = torch.exp(-math.log(10_000) * torch.arange(WIDTH // 2) / (WIDTH // 2))
    angles = times[:, None].float() * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _schedule() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        TIMES,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=True,
    )


def _trained(points: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> _Denoiser:
    """A denoiser of points (N, C); rows are drawn by the square root of the frequency of their class."""
    known, own = torch.from_numpy(points), torch.from_numpy(labels)
    frequency = 1 / torch.bincount(own, minlength=classes)[own].double().sqrt()
    batch = min(BATCH, len(known))
    steps = max(FEWEST_STEPS, PASSES * len(known) // batch)
    schedule, denoiser = _schedule(), _Denoiser(points.shape[1], classes)
    optimizer = torch.optim.AdamW(denoiser.parameters(), LEARNING_RATE)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    chosen = torch.multinomial(frequency, steps * batch, replacement=True).view(steps, batch)
    for rows in chosen:
        noise, times = torch.randn(batch, points.shape[1]), torch.randint(TIMES, (batch,))
        noisy = schedule.add_noise(known[rows], noise, times)
        aim = schedule.get_velocity(known[rows], noise, times)
        loss = functional.mse_loss(denoiser(noisy, times, own[rows]), aim)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        decay.step()
    return denoiser.eval()


def _draw(denoiser: _Denoiser, labels: Tensor, components: int) -> Tensor:
    """A point (M, C) for each of the classes (M,)."""
    schedule = _schedule()
    schedule.set_timesteps(DRAWING_STEPS)
    points = torch.randn(len(labels), components)
    with torch.inference_mode():
        for time in schedule.timesteps:
            velocity = denoiser(points, time.expand(len(labels)), labels)
            points = schedule.step(velocity, time, points).prev_sample
    return points
