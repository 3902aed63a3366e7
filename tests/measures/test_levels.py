"""The verdicts err as rarely as they say, and find what they should: simulated, vectorised, seeded."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from synthaug.measures.evidence import (
    SMALLEST_EFFECT,
    floored,
    look_confidence,
    paired_comparison,
    seeds_needed,
    verdict_of,
)

Array = NDArray[np.float64]
WORLDS = 20_000
SPREAD = 0.01  # of a difference between two runs: a point
RESOLUTION = 1 / 10_000


def intervals(differences: Array, confidence: float) -> tuple[Array, Array]:
    """t intervals of the rows (W, S), as ``paired_comparison`` has them (the first test holds that)."""
    count = differences.shape[1]
    error = floored(differences.std(1, ddof=1), RESOLUTION) / np.sqrt(count)
    half = stats.t.ppf((1 + confidence) / 2, count - 1) * error
    return differences.mean(1) - half, differences.mean(1) + half


def verdicts(differences: Array, look: int = 1) -> NDArray[np.str_]:
    low, high = intervals(differences, look_confidence(look))
    count = differences.shape[1]
    return np.array([verdict_of(ci, count, SMALLEST_EFFECT) for ci in zip(low, high, strict=True)])


def drawn(mean: float, seeds: int, spread: float = SPREAD, stream: int = 0) -> Array:
    rng = np.random.default_rng([stream, seeds, round(1e5 * (1 + mean)), round(1e5 * spread)])
    return np.round(rng.normal(mean, spread, (WORLDS, seeds)) / RESOLUTION) * RESOLUTION


def at_most(level: float, worlds: int = WORLDS) -> float:
    return float(level + 3 * np.sqrt(level * (1 - level) / worlds))


def test_the_simulation_uses_the_intervals_of_the_library() -> None:
    rows = drawn(0.004, 5)[:50]
    for row, verdict, low in zip(rows, verdicts(rows), intervals(rows, look_confidence(1))[0], strict=True):
        found = paired_comparison(np.zeros(5), row, resolution=RESOLUTION, resamples=50)
        assert found.verdict == verdict
        assert found.ci is not None
        assert found.ci[0] == pytest.approx(low)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.0001, 0.01])
def test_no_difference_is_rarely_called_help_or_harm(seeds: int, spread: float) -> None:
    said = verdicts(drawn(0.0, seeds, spread))
    assert (said == "helped").mean() <= at_most(0.02)
    assert (said == "harmed").mean() <= at_most(0.02)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_difference_that_matters_is_rarely_called_unworthy(seeds: int, side: int) -> None:
    said = verdicts(drawn(side * SMALLEST_EFFECT, seeds, 0.003))
    assert (said == "no worthwhile difference").mean() <= at_most(0.02)
    assert (said == ("harmed" if side > 0 else "helped")).mean() <= at_most(0.02)


@pytest.mark.parametrize(("seeds", "effect", "least"), [(3, 5.0, 0.79), (5, 2.0, 0.72), (10, 1.0, 0.68)])
def test_power_is_that_of_the_t_test(seeds: int, effect: float, least: float) -> None:
    """What is found of a gain of ``effect`` spreads; by the noncentral t, which shares no code with ours."""
    quantile = stats.t.ppf((1 + look_confidence(1)) / 2, seeds - 1)
    expected = stats.nct.sf(quantile, seeds - 1, effect * np.sqrt(seeds))
    found = (verdicts(drawn(effect * SPREAD, seeds)) == "helped").mean()
    assert found == pytest.approx(expected, abs=0.012)
    assert found > least


def test_equality_is_found_where_runs_spread_little() -> None:
    said = verdicts(drawn(0.0, 5, 0.003))
    assert (said == "no worthwhile difference").mean() > 0.55
    assert (verdicts(drawn(0.0, 10, 0.003)) == "no worthwhile difference").mean() > 0.97


def _extended(first: int, confidence: Callable[[int], float], looks: int) -> float:
    """How often no difference is called one if undecided comparisons go on with the seeds that were said needed."""
    rows = drawn(0.0, 300, stream=first)[:4000]
    alarms = 0
    for row in rows:
        count = first
        for look in range(1, looks + 1):
            seen = row[:count]
            mean, error = float(seen.mean()), float(floored(seen.std(ddof=1), RESOLUTION))
            half = float(stats.t.ppf((1 + confidence(look)) / 2, count - 1)) * error / np.sqrt(count)
            verdict = verdict_of((mean - half, mean + half), count, SMALLEST_EFFECT)
            if verdict != "not enough evidence":
                alarms += verdict in ("helped", "harmed")
                break
            count = min(seeds_needed(mean, error, count, confidence(look + 1), SMALLEST_EFFECT) or 300, 300)
    return alarms / len(rows)


def test_going_on_with_more_seeds_keeps_the_level() -> None:
    assert _extended(3, look_confidence, 3) <= at_most(0.05, 4000)
    assert _extended(3, lambda look: 0.95, 3) > 0.07  # what the levels of the looks are for


@pytest.mark.parametrize("first", [3, 5, 8])
def test_whoever_chooses_the_second_number_of_seeds_to_suit_gains_nothing(first: int) -> None:
    """The worst second number for each first t is learned on half of the worlds, and used on the other half."""
    most, bins = 100, 20
    rng = np.random.default_rng(first)
    rows = rng.normal(0, 1, (2 * WORLDS, most)).astype(np.float32)
    counts = np.arange(1, most + 1)
    means = rows.cumsum(1) / counts
    squares = (rows**2).cumsum(1) - counts * means**2
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(means) / np.sqrt(squares / (counts - 1) / counts)
    with np.errstate(invalid="ignore"):
        alarms = t > stats.t.ppf((1 + look_confidence(2)) / 2, counts - 1)
    at_first = t[:, first - 1]
    done = at_first > stats.t.ppf((1 + look_confidence(1)) / 2, first - 1)
    learned = np.arange(len(rows)) < WORLDS
    place = np.searchsorted(np.quantile(at_first[~done], np.linspace(0, 1, bins + 1)[1:-1]), at_first)
    total = done[~learned].sum()
    for each in range(bins):
        here = (place == each) & ~done
        worst = first + alarms[here & learned, first:].mean(0).argmax()
        total += alarms[here & ~learned, worst].sum()
    assert total / WORLDS <= at_most(0.05)
