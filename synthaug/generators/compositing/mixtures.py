"""The parts of GrabCut: Gaussian mixture models of colours, and a minimum cut between two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

NOISE = 2.0  # standard deviation in units of Lab that JPEG and rounding add to a uniform colour
_CLUSTER_ROUNDS = 8
_LEVELS = 1000  # the cut needs integer capacities: they are in thousandths of a nat


@dataclass(frozen=True, slots=True)
class Mixture:
    """A Gaussian mixture model of colours."""

    means: Array  # (K, 3)
    precisions: Array  # (K, 3, 3): inverse covariances
    offsets: Array  # (K,): log weight minus half the log determinant of the covariance
    weights: Array  # (K,): share of the colours in each Gaussian

    @classmethod
    def fit(cls, colours: Array, count: int) -> Mixture:
        """Fit at most ``count`` Gaussians to the k-means clusters of ``colours`` (N, 3), N >= 1."""
        nearest = _clusters(colours, min(count, 1 + len(colours) // 8))
        groups = [colours[nearest == each] for each in np.unique(nearest)]
        covariances = [np.cov(group.T, bias=True) + NOISE**2 * np.eye(3) for group in groups]
        weights = [len(group) / len(colours) for group in groups]
        offsets = [
            np.log(weight) - np.linalg.slogdet(covariance)[1] / 2
            for weight, covariance in zip(weights, covariances, strict=True)
        ]
        return cls(
            np.stack([group.mean(0) for group in groups]),
            np.linalg.inv(np.stack(covariances)),
            np.array(offsets),
            np.array(weights),
        )

    def without_rare(self, share: float) -> Mixture:
        """The Gaussians that hold at least ``share`` of the colours; always includes the largest one."""
        kept = self.weights >= min(share, self.weights.max())
        return Mixture(self.means[kept], self.precisions[kept], self.offsets[kept], self.weights[kept])

    def distances(self, colours: Array) -> Array:
        """Squared Mahalanobis distances (N, K) of colours (N, 3) to each Gaussian."""
        off = colours[:, None] - self.means
        return np.asarray(np.einsum("nki,kij,nkj->nk", off, self.precisions, off))

    def costs(self, colours: Array) -> Array:
        """Negative log density (N,) of the most likely Gaussian, up to a constant."""
        return np.asarray((self.distances(colours) / 2 - self.offsets).min(1))


def _clusters(colours: Array, count: int) -> NDArray[np.int64]:
    """k-means cluster (N,), 0 .. count-1, of each colour; deterministic, from farthest-first starts (Gonzalez 1985)."""
    centres = [colours[np.argmin(((colours - np.median(colours, axis=0)) ** 2).sum(1))]]
    while len(centres) < count:
        gaps = np.min([((colours - centre) ** 2).sum(1) for centre in centres], axis=0)
        centres.append(colours[np.argmax(gaps)])
    means = np.stack(centres)
    nearest = np.zeros(len(colours), np.int64)
    for _ in range(_CLUSTER_ROUNDS):
        nearest = ((colours[:, None] - means) ** 2).sum(2).argmin(1)
        means = np.stack(
            [colours[nearest == i].mean(0) if (nearest == i).any() else means[i] for i in range(count)]
        )
    return nearest


def minimum_cut(background: Array, subject: Array, colours: Array, smoothness: float) -> Mask:
    """The mask (H, W) of minimum cost, true on the subject (Boykov & Jolly 2001).

    ``background`` and ``subject`` (H, W) are the costs of assigning each pixel to either, in nats. Every boundary
    between two of eight-connected neighbours adds ``smoothness``, or less where ``colours`` (H, W, 3) change.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    first, second, costs = _neighbours(colours, smoothness)
    pixels = np.arange(background.size)
    source, sink = background.size, background.size + 1
    lowest = np.minimum(background, subject)
    heads = [first, second, np.full_like(pixels, source), pixels]
    tails = [second, first, pixels, np.full_like(pixels, sink)]
    nats = [costs, costs, (background - lowest).ravel(), (subject - lowest).ravel()]
    capacities = np.rint(np.minimum(np.concatenate(nats), 1e4) * _LEVELS).astype(np.int32)
    edges = (np.concatenate(heads), np.concatenate(tails))
    graph = coo_array((capacities, edges), shape=(sink + 1, sink + 1)).tocsr()
    residual = graph - maximum_flow(graph, source, sink).flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, source, return_predecessors=False)
    mask = np.zeros(sink + 1, bool)
    mask[reached] = True
    return mask[: background.size].reshape(background.shape)


def _neighbours(colours: Array, smoothness: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Every pair of eight-connected neighbours once: both flat indices, and the cost in nats of separating them."""
    height, width = colours.shape[:2]
    places = np.arange(height * width).reshape(height, width)
    flat = colours.reshape(-1, 3)
    pairs = [
        (places[:, :-1], places[:, 1:], 1.0),
        (places[:-1], places[1:], 1.0),
        (places[:-1, :-1], places[1:, 1:], 2**0.5),
        (places[:-1, 1:], places[1:, :-1], 2**0.5),
    ]
    first = np.concatenate([one.ravel() for one, _, _ in pairs])
    second = np.concatenate([other.ravel() for _, other, _ in pairs])
    lengths = np.concatenate([np.full(one.size, length) for one, _, length in pairs])
    changes = ((flat[first] - flat[second]) ** 2).sum(1)
    mean_change = max(float(changes.mean()) if len(changes) else 0.0, NOISE**2)
    return first, second, smoothness * np.exp(-changes / (2 * mean_change)) / lengths
