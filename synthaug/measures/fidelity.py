"""How close a set of generated images comes to the real ones, on the features (N, D) of any network.

Do not compare values from different networks or from sets of different sizes: FID falls as the number of images grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import UserError
from synthaug.measures.neighbors import Features, nearest_neighbors

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK_ENTRIES = 2**23  # distances held at once
_KERNEL_ENTRIES = 2**18  # of a kernel at a time: they stay in the cache between the product and the sum


@dataclass(frozen=True, slots=True)
class Neighborhoods:
    """Shares of images inside the neighbourhoods of the other set, 0..1 (density may exceed 1); higher = better."""

    precision: float  # share of generated images that lie in the neighbourhood of a real one
    recall: float  # share of real images that lie in the neighbourhood of a generated one
    density: float  # mean number of real neighbourhoods that a generated image lies in, divided by k
    coverage: float  # share of real images with a generated one in their neighbourhood


def fid(generated: Features, real: Features) -> float:
    """Fréchet distance of two Gaussians fitted to features (N, D) and (M, D); lower = more alike, 0 = equal.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Heusel et al. 2017), with covariances divided by N - 1. Raises
    UserError for fewer than 2 images in a set and ValueError for features that do not match or are not finite.
    """
    _check(generated, real, 2)
    return frechet_distance(*_moments(generated), *_moments(real))


def frechet_distance(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    other_mean: NDArray[np.float64],
    other_covariance: NDArray[np.float64],
) -> float:
    """Fréchet distance from means (D,) and covariances (D, D), which may be singular; lower = more alike.

    ``tr (C1 C2)^(1/2)`` is the sum of the singular values of ``A1.T A2`` for any factors with ``C = A A.T``. These stay
    real and nonnegative whatever the rounding, whereas the square root of the product can turn complex.
    """
    import torch

    # torch's singular values take a fifth of the time that numpy's do.
    first, second = (_factor(torch.from_numpy(np.asarray(each))) for each in (covariance, other_covariance))
    cross = float(torch.linalg.svdvals(first.T @ second).sum())
    difference = mean - other_mean
    value = difference @ difference + np.trace(covariance) + np.trace(other_covariance) - 2 * cross
    return float(max(value, 0.0))


def kid(
    generated: Features, real: Features, *, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation over subsets of the unbiased squared MMD; lower = more alike, may be below 0.

    The kernel is the polynomial ``(x . y / D + 1)^3`` (Bińkowski et al. 2018). Every subset holds ``subset_size``
    rows of each set, or as many as the smaller set has, drawn without replacement. The precision is that of
    ``squared_mmd``. Raises as ``fid`` does.
    """
    _check(generated, real, 2)
    if subsets < 1 or subset_size < 2:
        raise ValueError(f"subsets must be at least 1 and subset_size 2, not {subsets} and {subset_size}")
    rng = np.random.default_rng(seed)
    size = min(subset_size, len(generated), len(real))
    both = _lifted(generated, real)
    values = [_mmd(*(_drawn(each, size, rng) for each in both)) for _ in range(subsets)]
    return float(np.mean(values)), float(np.std(values))


def squared_mmd(generated: Features, real: Features) -> float:
    """Unbiased squared maximum mean discrepancy (Gretton et al. 2012, lemma 6) with the kernel of KID.

    Kernels, and sums of up to a row of them, have the precision of the features, float32 or float64; all else has
    float64. In float32 the error is some 1e-8 of the mean kernel.
    """
    return _mmd(*_lifted(generated, real))


def neighborhoods(generated: Features, real: Features, *, k: int = 5) -> Neighborhoods:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

    The neighbourhood of an image is the open ball that reaches to its ``k``-th nearest neighbour in its own set; exact
    copies of the image always count as inside. The papers use k = 3 and k = 5. Raises UserError for a k outside
    1 .. size of the smaller set - 1, and otherwise as ``fid`` does.
    """
    _check(generated, real, 2)
    largest = min(len(generated), len(real)) - 1
    if not 1 <= k <= largest:
        raise UserError(f"k is {k}; it must lie in 1..{largest}, one less than the smaller set has images")
    # Divide by the spread, so that the tolerance in _radii suits every network.
    spread = float(np.sqrt(np.var(real, axis=0, dtype=np.float64).sum())) or 1.0
    generated, real = generated / spread, real / spread
    real_radii, generated_radii = (_radii(each, k) for each in (real, generated))
    memberships = np.zeros(len(generated))  # number of real neighbourhoods that hold each generated image
    covered = np.zeros(len(real), bool)
    recalled = np.zeros(len(real), bool)
    for rows, distances in _distances(generated, real):
        inside = distances <= real_radii
        memberships[rows] = inside.sum(1)
        covered |= inside.any(0)
        recalled |= (distances <= generated_radii[rows, None]).any(0)
    return Neighborhoods(
        precision=float((memberships > 0).mean()),
        recall=float(recalled.mean()),
        density=float(memberships.mean() / k),
        coverage=float(covered.mean()),
    )


def _radii(features: Features, k: int) -> NDArray[np.float64]:
    """Distance (N,) to the k-th nearest neighbour, slightly reduced: the edge stays outside and copies stay inside."""
    kth = nearest_neighbors(features, k)[1][:, -1]
    exact = np.asarray(features, np.float64)
    return np.asarray(np.maximum(np.linalg.norm(exact - exact[kth], axis=1) * (1 - 1e-9), 1e-6))


def _distances(rows: Features, columns: Features) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """All Euclidean distances in blocks: a slice of ``rows`` and the distances (B, M) of those rows."""
    centre = columns.mean(0, dtype=np.float64)
    x, y = rows - centre, columns - centre
    squares = (y * y).sum(1)
    step = max(1, _BLOCK_ENTRIES // len(y))
    for start in range(0, len(x), step):
        block = x[start : start + step]
        squared = (block * block).sum(1)[:, None] + squares - 2 * (block @ y.T)
        yield slice(start, start + step), np.sqrt(np.maximum(squared, 0))


def _moments(features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (D,) and covariance (D, D)."""
    exact = np.array(features, np.float64)
    mean = exact.mean(0)
    exact -= mean
    return mean, exact.T @ exact / (len(exact) - 1)


def _factor(covariance: Tensor) -> Tensor:
    """A matrix A (D, D) with ``A A.T`` = the covariance: Cholesky's, or for a singular one from its eigenvectors.

    Negative eigenvalues, which come from rounding, count as 0.
    """
    import torch

    symmetric = (covariance + covariance.T) / 2
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(symmetric)
    if failed:
        values, vectors = torch.linalg.eigh(symmetric)
        factor = vectors * values.clamp(min=0).sqrt()
    return factor


def _lifted(generated: Features, real: Features) -> tuple[Tensor, Tensor]:
    """Both sets with ``x / sqrt(D)`` and a one in each row, whose products are ``x . y / D + 1``."""
    import torch

    precise = np.result_type(generated, real, np.float32)
    root = generated.shape[1] ** 0.5

    def lifted(rows: Features) -> Tensor:
        scaled = torch.from_numpy(np.ascontiguousarray(rows, precise)) / root
        return torch.nn.functional.pad(scaled, (0, 1), value=1)

    return lifted(generated), lifted(real)


def _drawn(rows: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    """Rows drawn without replacement."""
    import torch

    return rows[torch.from_numpy(rng.choice(len(rows), size, replace=False))]


def _mmd(x: Tensor, y: Tensor) -> float:
    """:func:`squared_mmd` of lifted rows."""
    step = max(1, _KERNEL_ENTRIES // len(y))
    across = sum(_cubes(x[start : start + step], y) for start in range(0, len(x), step))
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * across / (len(x) * len(y))


def _mean_of_pairs(x: Tensor) -> float:
    """Mean kernel of all pairs of different rows. A pair and its mirror image are computed once, for the most part."""
    step = max(1, _KERNEL_ENTRIES // len(x))
    total = -float(x.square().sum(1).double().pow(3).sum())  # pairs of a row with itself
    for start in range(0, len(x), step):
        rows, later = x[start : start + step], x[start + step :]
        total += _cubes(rows, rows) + 2 * _cubes(rows, later)
    return total / (len(x) * (len(x) - 1))


def _cubes(x: Tensor, y: Tensor) -> float:
    """The sum of the kernel over all pairs of a row of x and one of y; 0 without pairs."""
    import torch

    return float((x @ y.T).pow(3).sum(1).sum(dtype=torch.float64))


def _check(generated: Features, real: Features, fewest: int) -> None:
    for name, each in (("generated", generated), ("real", real)):
        if each.ndim != 2 or each.shape[1] != real.shape[1]:
            raise ValueError(f"features must be (N, D) with one D, not {generated.shape} and {real.shape}")
        if len(each) < fewest:
            raise UserError(f"a comparison needs at least {fewest} {name} images, not {len(each)}")
        if not np.isfinite(each).all():
            raise ValueError(f"{name} features must be finite")
