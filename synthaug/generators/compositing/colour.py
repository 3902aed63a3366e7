"""Conversion between sRGB and CIE Lab, and matching the colours of a cut-out subject to its background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthaug.records import Pixels

Lab = NDArray[np.float64]
"""CIE L*a*b* (..., 3) under D65: lightness 0 .. 100, then the two colour axes a* and b*."""

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
_WHITE = _TO_XYZ.sum(1)
_LINEAR_BELOW = (6 / 29) ** 3


def to_lab(pixels: Pixels) -> Lab:
    """Convert sRGB (..., 3) uint8 to CIE Lab (..., 3) float64 (IEC 61966-2-1, CIE 15)."""
    encoded = pixels.astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _TO_XYZ.T / _WHITE
    bent = np.where(ratio > _LINEAR_BELOW, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def from_lab(lab: Lab) -> Pixels:
    """Convert CIE Lab (..., 3) to sRGB (..., 3) uint8, clipped to the sRGB gamut."""
    y = (lab[..., 0] + 16) / 116
    bent = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    ratio = np.where(bent > 6 / 29, bent**3, (bent - 4 / 29) * 3 * (6 / 29) ** 2)
    linear = np.clip(ratio * _WHITE @ np.linalg.inv(_TO_XYZ).T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def harmonise(
    subject: Pixels, alpha: NDArray[np.float64], background: Pixels, strength: float, limit: float
) -> Pixels:
    """``subject`` (H, W, 3) with its mean and spread in Lab moved toward those of ``background`` (H, W, 3).

    This is colour transfer (Reinhard et al. 2001) scaled by ``strength`` (0 .. 1). The mean moves by at most ``limit``
    units of Lab, and the spread changes by at most a quarter. ``alpha`` (H, W) in 0 .. 1 is the subject's opacity.
    """
    if strength == 0 or alpha.sum() == 0:
        return subject
    lab, around = to_lab(subject), to_lab(background)
    weights = np.broadcast_to(alpha[..., None], lab.shape)
    mean = np.average(lab, axis=(0, 1), weights=weights)
    spread = np.sqrt(np.average((lab - mean) ** 2, axis=(0, 1), weights=weights))
    shift = strength * (around.mean((0, 1)) - mean)
    shift *= min(1.0, limit / max(float(np.linalg.norm(shift)), 1e-9))
    ratio = (around.std((0, 1)) + 1) / (spread + 1)  # + 1: a subject of one colour has no spread to divide by
    return from_lab((lab - mean) * np.clip(ratio, 0.8, 1.25) ** strength + mean + shift)
