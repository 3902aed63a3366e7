from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synthaug.measures.class_changes import holm, paired_p, per_class_changes


def test_holm_by_hand() -> None:
    # sorted 0.005 0.01 0.03 0.04, times 4 3 2 1 = 0.02 0.03 0.06 0.04, then never falling
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1.0, 1.0])
    assert holm(np.array([])).shape == (0,)


def test_per_class_change_is_a_corrected_paired_test() -> None:
    rng = np.random.default_rng(3)
    baseline = rng.normal(0.7, 0.02, (6, 4))
    augmented = baseline + rng.normal([0.0, 0.2, -0.2, 0.005], 0.02, (6, 4))
    changes = per_class_changes(baseline, augmented)
    assert [each.direction for each in changes] == ["no clear change", "better", "worse", "no clear change"]
    expected = stats.ttest_rel(augmented, baseline, axis=0).pvalue
    np.testing.assert_allclose([each.p for each in changes], expected)
    np.testing.assert_allclose([each.p_holm for each in changes], holm(expected))


def test_classes_without_test_images_are_left_out() -> None:
    baseline = np.array([[0.5, np.nan], [0.5, np.nan], [0.5, np.nan]])
    (only,) = per_class_changes(baseline, baseline)
    assert (only.class_index, only.difference, only.p, only.direction) == (0, 0.0, 1.0, "no clear change")


def test_a_change_by_one_coarse_step_in_every_run_is_not_significant() -> None:
    baseline = np.full((3, 2), 0.5)
    augmented = baseline + np.array([0.02, 0.0])
    surely, _ = per_class_changes(baseline, augmented)
    coarse, _ = per_class_changes(baseline, augmented, resolution=1 / 50)
    assert (surely.p, surely.direction) == (0.0, "better")
    # By hand: t = 0.02 / (0.02 / sqrt 6 / sqrt 3) = sqrt 18, two degrees of freedom.
    assert coarse.p == pytest.approx(2 * stats.t.sf(18**0.5, 2))
    assert coarse.direction == "no clear change"


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("images", [50, 1000])
@pytest.mark.parametrize("spread", [0.1, 0.3, 0.5, 1.0])
def test_any_false_alarm_among_ten_classes_is_as_rare_as_it_says(
    seeds: int, images: int, spread: float
) -> None:
    """``spread``: of a run's accuracy, in units of the binomial's; runs on the same images spread less than it."""
    worlds, classes = 6000, 10
    rng = np.random.default_rng([seeds, images, round(10 * spread)])
    deviation = spread * np.sqrt(0.8 * 0.2 / images)
    before, after = np.round((0.8 + rng.normal(0, deviation, (2, seeds, worlds * classes))) * images) / images
    differences = after - before

    def alarms(resolution: float) -> float:
        p = paired_p(differences, np.full(worlds * classes, resolution)).reshape(worlds, classes)
        return float((classes * p.min(1) < 0.05).mean())  # Holm rejects any where the least p is so small

    assert alarms(1 / images) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)
    if (seeds, images, spread) == (3, 50, 0.3):
        assert alarms(0.0) > 0.15  # what the resolution is for
