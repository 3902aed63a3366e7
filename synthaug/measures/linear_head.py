"""A linear head on features: softmax regression, fitted in folds so that no row is judged by a head that saw it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Features = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

STEPS = 60  # of L-BFGS; the loss then changes in its third digit
PENALTY = 1e-2  # of half the squared weights, beside the mean cross-entropy

NEARLY_CONSTANT = 0.01  # of the mean variance, added to each, so that no rare value is blown up


def cross_fitted_probabilities(
    features: Features, labels: Labels, num_classes: int, *, folds: int = 5, seed: int = 0
) -> NDArray[np.float32]:
    """Class probabilities (N, K) of every row by a head that was fitted without its fold.

    Folds hold equal shares of every class. Features are standardised by the rows that a head is fitted to.
    Raises ValueError for fewer rows than folds, or labels outside 0 .. K-1.
    """
    if len(features) != len(labels) or len(labels) < folds:
        raise ValueError(
            f"{folds} folds need as many rows with a label, not {len(features)} and {len(labels)}"
        )
    if not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(f"classes must lie in 0..{num_classes - 1}, not {labels.min()}..{labels.max()}")
    fold = stratified_folds(labels, folds, seed)
    probs = np.empty((len(labels), num_classes), np.float32)
    for held in range(folds):
        inside = fold != held
        logits = head_logits(features[inside], labels[inside], features[~inside], num_classes)
        probs[~inside] = softmax(logits)
    return probs


def stratified_folds(labels: Labels, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold (N,), 0 .. folds-1, of every row; a class's rows are dealt out one by one, in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (N, K) of logits (N, K)."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    found: NDArray[np.float32] = shares / shares.sum(1, keepdims=True)
    return found


def head_logits(features: Features, labels: Labels, asked: Features, num_classes: int) -> NDArray[np.float32]:
    """Logits (M, K) of ``asked`` (M, D) by a head fitted to ``features`` (N, D) and ``labels`` (N,)."""
    import torch

    x = torch.from_numpy(np.asarray(features, np.float32))
    mean, variance = x.mean(0), x.var(0)
    spread = (variance + NEARLY_CONSTANT * variance.mean()).clamp_min(1e-12).sqrt()
    truth = torch.from_numpy(labels.astype(np.int64))
    weights, bias = _fit((x - mean) / spread, truth, num_classes)
    wanted = (torch.from_numpy(np.asarray(asked, np.float32)) - mean) / spread
    found: NDArray[np.float32] = (wanted @ weights + bias).numpy()
    return found


def _fit(x: Tensor, truth: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Weights (D, K) and bias (K,) at the minimum of the penalised cross-entropy."""
    import torch

    weights = torch.zeros(x.shape[1], num_classes, requires_grad=True)
    bias = torch.zeros(num_classes, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(x @ weights + bias, truth)
        value = value + PENALTY / 2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach(), bias.detach()
