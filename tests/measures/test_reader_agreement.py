"""Kappa, alpha and intraclass correlation against published tables, scikit-learn and worked examples."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.measures.metrics import confusion_matrix
from synthaug.measures.reader_agreement import (
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlation,
    krippendorff_alpha,
)

# Fleiss, Levin, Paik 2003, table 18.1: 100 diagnoses by two raters (psychotic, neurotic, organic).
DIAGNOSES = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])

# 14 raters, 10 subjects, 5 categories (a common worked example of Fleiss' kappa: 0.210).
FOURTEEN = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)

# Fleiss 1971, "Measuring nominal scale agreement among many raters", table 1: 30 patients, 6 psychiatrists, who chose
# depression, personality disorder, schizophrenia, neurosis or something else.
PSYCHIATRISTS = [
    "444444", "222555", "233335", "555555", "222444", "113333", "333355", "113334", "114444", "555555",
    "144444", "124444", "222333", "144444", "224445", "333335", "111455", "111112", "224444", "133555",
    "555555", "244444", "224555", "114444", "144445", "222224", "111155", "224444", "133333", "555555",
]  # fmt: skip

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C: 4 observers, 12 units, gaps.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]

# Shrout and Fleiss 1979, table 2: 6 targets, 4 judges.
JUDGED = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


def counts_of(observers: list[list[int]], values: int) -> np.ndarray:
    """Counts (units, values); 0 is a gap."""
    answers = np.array(observers)
    return np.stack([(answers == value).sum(0) for value in range(1, values + 1)], axis=1)


def test_cohens_kappa_of_the_textbook_table() -> None:
    found = cohen_kappa(DIAGNOSES)
    assert found.value == pytest.approx(0.676, abs=5e-4)
    assert (found.high - found.low) / 2 / 1.959964 == pytest.approx(0.0877, abs=5e-4)


def test_cohens_kappa_is_scikit_learns() -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 200)
    second = np.where(rng.random(200) < 0.6, first, rng.integers(0, 4, 200))
    assert cohen_kappa(confusion_matrix(first, second, 4)).value == pytest.approx(
        cohen_kappa_score(first, second)
    )


def test_the_interval_of_cohens_kappa_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    shares = DIAGNOSES / 100
    truth = cohen_kappa(DIAGNOSES).value
    drawn = [cohen_kappa(each.reshape(3, 3)) for each in rng.multinomial(300, shares.ravel(), 1000)]
    held = np.mean([each.low <= truth <= each.high for each in drawn])
    assert 0.92 < held < 0.97  # binomial: 0.95, standard deviation 0.007; the asymptotics cost a little


def test_fleiss_kappa_of_the_worked_example() -> None:
    found = fleiss_kappa(FOURTEEN)
    assert found.value == pytest.approx(0.2099, abs=5e-5)
    assert found.low < found.value < found.high


def test_fleiss_kappa_of_the_table_of_fleiss_and_of_each_of_its_categories() -> None:
    counts = counts_of([[int(patient[i]) for patient in PSYCHIATRISTS] for i in range(6)], 5)
    assert fleiss_kappa(counts).value == pytest.approx(0.430, abs=5e-4)
    folded = [np.stack([counts[:, k], 6 - counts[:, k]], axis=1) for k in range(5)]
    assert [fleiss_kappa(each).value for each in folded] == pytest.approx(
        [0.245, 0.245, 0.520, 0.471, 0.566], abs=5e-4
    )


def test_fleiss_kappa_where_the_number_of_readers_varies() -> None:
    """As the package irrCAC, by Gwet, computes it from the 11 units with at least two readings."""
    assert fleiss_kappa(counts_of(OBSERVERS, 5)).value == pytest.approx(0.76248313, abs=5e-9)


def kappa_by_answers(images: list[list[int]]) -> float:
    """Fleiss' kappa from the answers one by one: how often two readers of an image agree, and any two answers."""
    agreed = np.mean([np.mean([a == b for a, b in permutations(image, 2)]) for image in images])
    chance = sum(np.mean([image.count(answer) / len(image) for image in images]) ** 2 for answer in range(6))
    return float("nan") if chance > 1 - 1e-9 else float((agreed - chance) / (1 - chance))


@given(st.lists(st.lists(st.integers(0, 5), min_size=2, max_size=4), min_size=1, max_size=20))
def test_fleiss_kappa_is_how_often_two_readers_agree_beyond_chance(images: list[list[int]]) -> None:
    found = fleiss_kappa(np.array([np.bincount(image, minlength=6) for image in images]))
    assert found.value == pytest.approx(kappa_by_answers(images), nan_ok=True)


def test_the_interval_of_fleiss_kappa_is_the_bootstrap_over_images() -> None:
    images = [[answer for answer in unit if answer] for unit in zip(*OBSERVERS, strict=True)][:11]
    rng = np.random.default_rng(3)
    drawn = [kappa_by_answers([images[i] for i in rng.integers(0, 11, 11)]) for _ in range(2000)]
    found = fleiss_kappa(counts_of(OBSERVERS, 5))
    assert [found.low, found.high] == pytest.approx(np.nanquantile(drawn, [0.025, 0.975]), abs=0.04)


def test_krippendorffs_alpha_of_the_published_example() -> None:
    found = krippendorff_alpha(counts_of(OBSERVERS, 5))
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.low < 0.743 < found.high


def test_the_bootstrap_of_fleiss_kappa_agrees_with_the_large_sample_interval_for_two_readers() -> None:
    pairs = [(i, j) for i in range(3) for j in range(3) for _ in range(DIAGNOSES[i, j] * 4)]
    counts = np.array([np.bincount(pair, minlength=3) for pair in pairs])
    found, expected = fleiss_kappa(counts), cohen_kappa(DIAGNOSES * 4)
    assert found.value == pytest.approx(expected.value, abs=0.01)  # the raters' shares differ little
    assert found.low == pytest.approx(expected.low, abs=0.02)
    assert found.high == pytest.approx(expected.high, abs=0.02)


def test_intraclass_correlation_of_the_textbook_table() -> None:
    found = intraclass_correlation(JUDGED)
    assert found.value == pytest.approx(0.29, abs=5e-3)
    assert found.low == pytest.approx(0.019, abs=5e-4)
    assert found.high == pytest.approx(0.761, abs=5e-4)


def test_intraclass_correlation_falls_where_one_reader_reads_larger_angles() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(105, 6, 60)
    pair = truth[:, None] + rng.normal(0, 2, (60, 2))
    plain = intraclass_correlation(pair)
    assert plain.value == pytest.approx(36 / 40, abs=0.05)  # variance of the angles over that of a reading
    assert intraclass_correlation(pair + np.array([0, 8])).value < plain.low


@pytest.mark.parametrize("measure", [fleiss_kappa, krippendorff_alpha])
def test_the_order_of_the_classes_changes_nothing_of_an_interval(measure: object) -> None:
    found, reversed_ = measure(FOURTEEN), measure(FOURTEEN[:, ::-1])  # type: ignore[operator]
    assert [found.low, found.high] == pytest.approx([reversed_.low, reversed_.high])


@pytest.mark.parametrize("measure", [fleiss_kappa, krippendorff_alpha])
def test_full_agreement_is_one_and_a_single_class_is_undefined(measure: object) -> None:
    both = np.array([[2, 0], [0, 2], [2, 0]])
    assert measure(both).value == 1  # type: ignore[operator]
    assert np.isnan(measure(np.array([[2, 0], [2, 0]])).value)  # type: ignore[operator]
    assert np.isnan(cohen_kappa(np.array([[5, 0], [0, 0]])).value)
    assert np.isnan(cohen_kappa(np.zeros((2, 2), int)).value)


@pytest.mark.parametrize("measure", [fleiss_kappa, krippendorff_alpha])
def test_images_that_one_person_read_are_left_out(measure: object) -> None:
    uneven = np.array([[2, 0], [1, 2], [1, 0]])
    assert measure(uneven) == measure(uneven[:2])  # type: ignore[operator]
    assert np.isnan(measure(uneven[2:]).value)  # type: ignore[operator]


def test_too_few_images_or_readers_are_refused_by_the_intraclass_correlation() -> None:
    with pytest.raises(ValueError, match="2 images and 2 readers"):
        intraclass_correlation(np.zeros((3, 1)))


@pytest.mark.parametrize("readers", [2, 3])
def test_angles_that_never_differ_have_no_intraclass_correlation(readers: int) -> None:
    for images in range(2, 12):  # the mean of equal numbers is another number for some of these counts
        found = intraclass_correlation(np.full((images, readers), 93.71898))
        assert np.isnan(found.value)


def test_readers_who_say_the_same_angles_agree_fully() -> None:
    same = np.repeat(np.array([[90.0], [100.0], [111.0]]), 2, axis=1)
    assert intraclass_correlation(same).value == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_kappa_does_not_depend_on_who_is_named_first_or_on_the_order_of_classes(
    pairs: list[tuple[int, int]],
) -> None:
    first, second = np.array(pairs).T
    table = confusion_matrix(first, second, 3)
    found = cohen_kappa(table)
    for other in (cohen_kappa(table.T), cohen_kappa(table[::-1, ::-1])):
        # The interval has a square root, which turns rounding of 1e-16 into 1e-8 if its true width is 0.
        assert np.allclose([found.value, found.low], [other.value, other.low], atol=1e-6, equal_nan=True)
