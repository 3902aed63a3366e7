"""A linear head on features: softmax regression, cross-fitted so that no row is scored by a head trained on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Features = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

STEPS = 60  # of L-BFGS; more steps change the loss only in its third digit
PENALTY = 1e-2  # weight decay: the factor of half the squared weights, added to the mean cross-entropy

NEARLY_CONSTANT = (
    0.01  # share of the mean variance added to each variance, so that rare values are not inflated
)


def cross_fitted_probabilities(
    features: Features, labels: Labels, num_classes: int, *, folds: int = 5, seed: int = 0
) -> NDArray[np.float32]:
    """Class probabilities (N, K): each row is predicted by a head fitted without the fold it belongs to.

    Folds hold equal shares of every class. Features are standardised with the mean and variance of the fitted rows.
    Raises ValueError for fewer rows than folds, or labels outside 0 .. K-1.
    """
    if len(features) != len(labels):
        raise ValueError(f"{len(features)} rows need as many labels, not {len(labels)}")

    def said(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        return softmax(head_logits(features[inside], labels[inside], features[~inside], num_classes))

    return cross_fitted(said, labels, num_classes, folds=folds, seed=seed)


def cross_fitted(
    predict: Callable[[NDArray[np.bool_]], NDArray[np.float32]],
    labels: Labels,
    num_classes: int,
    *,
    folds: int,
    seed: int,
) -> NDArray[np.float32]:
    """Class probabilities (N, K) of rows with these labels (N,), each by a model fitted without its fold.

    ``predict`` fits to the rows of a mask (N,) and gives the probabilities of the others, in their order. Raises
    ValueError for fewer rows than folds, or labels outside 0 .. K-1.
    """
    if len(labels) < folds:
        raise ValueError(f"{folds} folds need at least {folds} rows, not {len(labels)}")
    if not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(f"classes must lie in 0..{num_classes - 1}, not {labels.min()}..{labels.max()}")
    fold = stratified_folds(labels, folds, seed)
    probs = np.empty((len(labels), num_classes), np.float32)
    for held in range(folds):
        probs[fold == held] = predict(fold != held)
    return probs


def stratified_folds(labels: Labels, folds: int, seed: int) -> NDArray[np.int64]:
    """The fold (N,), 0 .. folds-1, of every row; the rows of a class are dealt to the folds in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (N, K) from logits (N, K)."""
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    probs: NDArray[np.float32] = exponentials / exponentials.sum(1, keepdims=True)
    return probs


def head_logits(features: Features, labels: Labels, query: Features, num_classes: int) -> NDArray[np.float32]:
    """Logits (M, K) of ``query`` (M, D) from a head fitted to ``features`` (N, D) and ``labels`` (N,)."""
    import torch

    x = torch.from_numpy(np.asarray(features, np.float32))
    mean, variance = x.mean(0), x.var(0)
    spread = (variance + NEARLY_CONSTANT * variance.mean()).clamp_min(1e-12).sqrt()
    targets = torch.from_numpy(labels.astype(np.int64))
    weights, bias = _fit((x - mean) / spread, targets, num_classes)
    scaled = (torch.from_numpy(np.asarray(query, np.float32)) - mean) / spread
    logits: NDArray[np.float32] = (scaled @ weights + bias).numpy()
    return logits


def _fit(x: Tensor, targets: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Weights (D, K) and bias (K,) at the minimum of the penalised cross-entropy."""
    import torch

    weights = torch.zeros(x.shape[1], num_classes, requires_grad=True)
    bias = torch.zeros(num_classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(x @ weights + bias, targets)
        value = value + PENALTY / 2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach(), bias.detach()
