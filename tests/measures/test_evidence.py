from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthaug.measures.evidence import FEWEST_SEEDS, look_confidence, paired_comparison

BASELINE = np.array([0.85, 0.86, 0.84, 0.85, 0.87])
GAINS = np.array([0.02, 0.03, 0.01, 0.025, 0.03])


def test_interval_is_scipys() -> None:
    augmented = BASELINE + GAINS
    evidence = paired_comparison(BASELINE, augmented)
    theirs = stats.ttest_rel(augmented, BASELINE).confidence_interval(0.96)
    assert evidence.ci == pytest.approx((theirs.low, theirs.high))
    assert evidence.difference == pytest.approx(0.023)
    assert evidence.baseline_mean == pytest.approx(0.854)
    assert evidence.augmented_mean == pytest.approx(0.877)
    assert evidence.spread == pytest.approx(np.std(GAINS, ddof=1))
    assert evidence.verdict == "helped"
    assert evidence.seeds_needed is None


def test_bootstrap_is_scipys_and_narrower_than_t_for_few_seeds() -> None:
    evidence = paired_comparison(BASELINE, BASELINE + GAINS)
    assert evidence.bootstrap is not None
    assert evidence.ci is not None
    theirs = stats.bootstrap(
        (GAINS,), np.mean, method="BCa", confidence_level=0.96, rng=1
    ).confidence_interval
    assert evidence.bootstrap == pytest.approx((theirs.low, theirs.high), abs=1e-3)
    assert evidence.ci[0] < evidence.bootstrap[0] < evidence.bootstrap[1] < evidence.ci[1]


def test_worse_is_harm() -> None:
    assert paired_comparison(BASELINE, BASELINE - GAINS).verdict == "harmed"


def test_noise_is_not_enough_evidence_and_says_how_many_seeds_might_be() -> None:
    noise = np.array([0.03, -0.02, 0.02, -0.01, 0.015])
    evidence = paired_comparison(BASELINE, BASELINE + noise)
    assert evidence.verdict == "not enough evidence"
    assert evidence.seeds_needed is not None
    # By hand: d = 0.007, s = 0.02139, and the second look errs in 0.008: (2.652 + 0.842)^2 (s / d)^2 = 114, and a
    # little more for t.
    assert 114 <= evidence.seeds_needed <= 119


def test_a_difference_too_small_to_matter_can_be_ruled_out_on_both_sides() -> None:
    differences = np.array([0.001, -0.001, 0.0005, -0.0005, 0.0])
    assert paired_comparison(BASELINE, BASELINE + differences).verdict == "no worthwhile difference"
    # Surely above 0, and surely below half a point: no help worth the name; nor is its mirror image harm.
    for sign in (1, -1):
        small = BASELINE + sign * np.array([0.002, 0.0021, 0.0019, 0.002, 0.0022])
        assert paired_comparison(BASELINE, small).verdict == "no worthwhile difference"
        strict = "helped" if sign > 0 else "harmed"
        assert paired_comparison(BASELINE, small, smallest_effect=0.001).verdict == strict
    strict = paired_comparison(BASELINE, BASELINE + differences, smallest_effect=0.0)
    assert strict.verdict == "not enough evidence"


@given(scores=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_identical_sides_never_help(scores: list[float]) -> None:
    evidence = paired_comparison(scores, scores, resamples=50)
    assert evidence.difference == 0
    enough = len(scores) >= FEWEST_SEEDS
    assert evidence.verdict == ("no worthwhile difference" if enough else "not enough evidence")


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8))
def test_swapping_the_sides_mirrors_the_interval(rows: list[tuple[float, float]]) -> None:
    before, after = np.array(rows).T
    there, back = (
        paired_comparison(before, after, resamples=50),
        paired_comparison(after, before, resamples=50),
    )
    assert there.ci is not None
    assert back.ci is not None
    assert there.ci == pytest.approx((-back.ci[1], -back.ci[0]))
    mirrored = {"helped": "harmed", "harmed": "helped"}
    assert back.verdict == mirrored.get(there.verdict, there.verdict)


def test_one_or_two_seeds_never_suffice() -> None:
    one = paired_comparison([0.5], [0.9])
    assert (one.verdict, one.ci, one.bootstrap, one.seeds_needed) == ("not enough evidence", None, None, 3)
    two = paired_comparison([0.5, 0.5], [0.9, 0.9])
    assert (two.verdict, two.seeds_needed) == ("not enough evidence", 3)


def test_coarse_scores_that_happen_to_agree_prove_nothing() -> None:
    before, after = [0.90, 0.90, 0.90], [0.91, 0.91, 0.91]
    assert paired_comparison(before, after).verdict == "helped"
    assert paired_comparison(before, after, resolution=0.01).verdict == "not enough evidence"
    assert paired_comparison(before, [0.99] * 3, resolution=0.01).verdict == "helped"


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        differences = rng.normal(0.01, 0.02, 5)
        ci = paired_comparison(np.zeros(5), differences, resamples=50).ci
        assert ci is not None
        hits += ci[0] <= 0.01 <= ci[1]
    assert 940 <= hits <= 980  # of 960


def test_a_seed_fixes_the_bootstrap() -> None:
    augmented = BASELINE + GAINS
    assert paired_comparison(BASELINE, augmented, seed=4) == paired_comparison(BASELINE, augmented, seed=4)


def test_unpaired_runs_and_nan_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        paired_comparison([0.5, 0.6], [0.5, 0.6, 0.7])
    with pytest.raises(ValueError, match="finite"):
        paired_comparison([0.5, np.nan], [0.5, 0.6])
    with pytest.raises(ValueError, match="smallest effect"):
        paired_comparison([0.5], [0.6], smallest_effect=-0.1)


def test_the_looks_spend_what_there_is() -> None:
    errors = [1 - look_confidence(k) for k in range(1, 30)]
    assert errors[:3] == pytest.approx([0.04, 0.008, 0.0016])
    assert sum(errors) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="from 1"):
        look_confidence(0)


def test_a_later_look_needs_more() -> None:
    first, second = (paired_comparison(BASELINE, BASELINE + GAINS, look=k, resamples=50) for k in (1, 2))
    assert (first.verdict, first.confidence) == ("helped", pytest.approx(0.96))
    assert (second.look, second.confidence) == (2, pytest.approx(0.992))
    theirs = stats.ttest_rel(BASELINE + GAINS, BASELINE).confidence_interval(0.992)
    assert second.ci == pytest.approx((theirs.low, theirs.high))
