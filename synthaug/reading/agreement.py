"""Agreement of the people who read the same images: of each pair of readers, of each class, and of all readers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from synthaug.measures import reader_agreement
from synthaug.measures.metrics import confusion_matrix
from synthaug.measures.reader_agreement import Estimate
from synthaug.store import readings
from synthaug.store.readings import Reading, Readings
from synthaug.workspace import Workspace

OTHER_ANSWERS = ("reject", "unsure")
"""Answers other than a class; each counts as a category of its own."""

Degrees = Mapping[str, float]
"""The size of an angle of an image by each reader who measured it."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its 95% interval; None where it is not defined, because all answers are equal."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class AngleAgreement:
    """Agreement of all who measured an angle, on the images on which each of them placed landmarks."""

    readers: int
    images: int
    icc: Coefficient  # ICC(2,1); not defined for fewer than two images


@dataclass(frozen=True, slots=True)
class PairAngleAgreement:
    """Agreement of the angles, in degrees, of two readers on the images on which both placed landmarks."""

    images: int
    difference: float  # mean of first reader - second reader
    mean_absolute_difference: float
    icc: Coefficient  # ICC(2,1); not defined for a single image


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two readers on the images that both read; ``classes`` has Cohen's kappa of each answer against all others."""

    first: str
    second: str
    images: int
    same: int  # images on which they gave the same answer
    kappa: Coefficient  # Cohen's
    classes: Mapping[str, Coefficient]
    angles: Mapping[str, PairAngleAgreement]


@dataclass(frozen=True, slots=True)
class ReaderAgreement:
    """All readers, any number an image: Krippendorff's ``alpha``, Fleiss' ``kappa``, and of angles the ICC."""

    images: int  # with at least two readings
    differing: int
    conflicts: int  # of the differing ones, those not settled by a reviewer
    alpha: Coefficient
    kappa: Coefficient
    classes: Mapping[str, Coefficient]  # alpha of each answer against all others
    class_kappas: Mapping[str, Coefficient]  # Fleiss' kappa of each answer against all others
    angles: Mapping[str, AngleAgreement]
    pairs: tuple[PairAgreement, ...]


def agreement_of_readers(workspace: Workspace) -> ReaderAgreement:
    """Compute the agreement of all readings in the label log; corrections and settlements are not readings."""
    names = [*workspace.classes, *OTHER_ANSWERS]
    everything = readings.of_everything(workspace.db).values()
    twice = [read for read in everything if len(read.each) >= 2]
    coded = [{each.annotator: _code(each, names) for each in read.each} for read in twice]
    counts = np.array([np.bincount(list(each.values()), minlength=len(names)) for each in coded], np.int64)
    counts = counts.reshape(len(coded), len(names))
    folded = {names[index]: _against_rest(counts, index) for index in _given(counts.sum(0))}
    measured = _measured(twice)
    return ReaderAgreement(
        images=len(twice),
        differing=sum(read.differ for read in twice),
        conflicts=sum(read.conflict for read in twice),
        alpha=_coefficient(reader_agreement.krippendorff_alpha(counts)),
        kappa=_coefficient(reader_agreement.fleiss_kappa(counts)),
        classes={
            name: _coefficient(reader_agreement.krippendorff_alpha(each)) for name, each in folded.items()
        },
        class_kappas={
            name: _coefficient(reader_agreement.fleiss_kappa(each)) for name, each in folded.items()
        },
        angles={name: _angle(images) for name, images in measured.items()},
        pairs=tuple(_pairs(coded, measured, names)),
    )


def _code(reading: Reading, names: Sequence[str]) -> int:
    """The class index, or an index after those of the classes for the other answers."""
    if reading.class_index is not None:
        return reading.class_index
    return len(names) - len(OTHER_ANSWERS) + OTHER_ANSWERS.index(reading.value)


def _against_rest(counts: NDArray[np.int64], index: int) -> NDArray[np.int64]:
    """Counts (N, 2) of one answer and of all others, from counts (N, K)."""
    return np.stack([counts[:, index], counts.sum(1) - counts[:, index]], axis=1)


def _pairs(
    coded: Sequence[Mapping[str, int]], measured: Mapping[str, Sequence[Degrees]], names: Sequence[str]
) -> list[PairAgreement]:
    people = sorted({name for each in coded for name in each})
    found = []
    for first, second in combinations(people, 2):
        both = np.array([(each[first], each[second]) for each in coded if {first, second} <= each.keys()])
        if len(both):
            table = confusion_matrix(both[:, 0], both[:, 1], len(names))
            found.append(_pair(first, second, table, names, _pair_angles(measured, first, second)))
    return sorted(found, key=lambda pair: -pair.images)


def _measured(twice: Sequence[Readings]) -> dict[str, list[Degrees]]:
    """By angle, what each reader measured on each image on which at least two did."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for read in twice:
        for each in read.each:
            for name, degrees in each.angles.items():
                found.setdefault(name, {}).setdefault(read.image_id, {})[each.annotator] = degrees
    measured: dict[str, list[Degrees]] = {}
    for name, images in found.items():
        measured[name] = [each for each in images.values() if len(each) >= 2]
    return {name: images for name, images in measured.items() if images}


def _matrix(images: Sequence[Degrees], people: Sequence[str]) -> NDArray[np.float64]:
    """Degrees (N, K) of the images that all these people measured."""
    rows = [[each[name] for name in people] for each in images if each.keys() >= set(people)]
    return np.array(rows, np.float64).reshape(len(rows), len(people))


def _angle(images: Sequence[Degrees]) -> AngleAgreement:
    people = sorted({name for each in images for name in each})
    degrees = _matrix(images, people)
    return AngleAgreement(len(people), len(degrees), _icc(degrees))


def _pair_angles(
    measured: Mapping[str, Sequence[Degrees]], first: str, second: str
) -> dict[str, PairAngleAgreement]:
    both = {name: _matrix(images, (first, second)) for name, images in measured.items()}
    return {name: _pair_angle(degrees) for name, degrees in both.items() if len(degrees)}


def _pair_angle(degrees: NDArray[np.float64]) -> PairAngleAgreement:
    difference = degrees[:, 0] - degrees[:, 1]
    return PairAngleAgreement(
        len(degrees), float(difference.mean()), float(np.abs(difference).mean()), _icc(degrees)
    )


def _icc(degrees: NDArray[np.float64]) -> Coefficient:
    enough = len(degrees) >= 2
    found = reader_agreement.intraclass_correlation(degrees) if enough else reader_agreement.UNDEFINED
    return _coefficient(found)


def _pair(
    first: str,
    second: str,
    table: NDArray[np.int64],
    names: Sequence[str],
    angles: Mapping[str, PairAngleAgreement],
) -> PairAgreement:
    given = _given(table.sum(0) + table.sum(1))
    return PairAgreement(
        first,
        second,
        int(table.sum()),
        int(np.trace(table)),
        _coefficient(reader_agreement.cohen_kappa(table)),
        {names[i]: _coefficient(reader_agreement.cohen_kappa(_folded(table, i))) for i in given},
        angles,
    )


def _given(counts: NDArray[np.int64]) -> list[int]:
    """Indices of the answers that were given at least once."""
    return [int(index) for index in np.flatnonzero(counts)]


def _folded(table: NDArray[np.int64], index: int) -> NDArray[np.int64]:
    """The table (2, 2) of one answer against all others, from a table (K, K)."""
    both = table[index, index]
    only_first, only_second = table[index].sum() - both, table[:, index].sum() - both
    return np.array([[both, only_first], [only_second, table.sum() - both - only_first - only_second]])


def _coefficient(found: Estimate) -> Coefficient:
    figures = [None if math.isnan(each) else each for each in (found.value, found.low, found.high)]
    return Coefficient(*figures)
