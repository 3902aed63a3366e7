"""Dataset views: counts by formula, frozen, seeded, and never a test image."""

from __future__ import annotations

from collections import Counter

import pytest

from synthaug.errors import UnknownName, UserError, ViewError
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.stages.view import ViewSpec, baseline_view, curated_view, make_view
from synthaug.store import catalog, views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic


def members(workspace: Workspace, view: views.View) -> list[views.ViewImage]:
    return views.members(workspace.db, view.id)


def test_a_view_without_options_is_all_real_training_images(digits: Workspace) -> None:
    view = make_view(digits, "all", ViewSpec())
    assert len(members(digits, view)) == 1297
    assert {each.split for each in members(digits, view)} == {"train"}


def test_keep_cuts_one_class_and_leaves_the_others(digits: Workspace) -> None:
    whole = views.counts(digits.db, make_view(digits, "all", ViewSpec()).id)
    cut = views.counts(digits.db, make_view(digits, "cut", ViewSpec(keep={"8": 5})).id)
    assert cut == {**whole, "8": 5}


def test_the_long_tail_follows_the_formula(digits: Workspace) -> None:
    base = make_view(digits, "even", ViewSpec(keep=dict.fromkeys(digits.classes, 120)))
    tail = make_view(digits, "tail", ViewSpec(base="even", long_tail=0.1))
    assert list(views.counts(digits.db, base.id).values()) == [120] * 10
    expected = [120, 92, 71, 55, 43, 33, 25, 20, 15, 12]  # int(120 * 0.1 ** (i / 9)), by hand
    assert list(views.counts(digits.db, tail.id).values()) == expected


def test_the_same_seed_chooses_the_same_images_and_another_seed_others(digits: Workspace) -> None:
    chosen = [
        {
            each.image_id
            for each in members(digits, make_view(digits, f"v{i}", ViewSpec(keep={"8": 5}, seed=seed)))
        }
        for i, seed in enumerate((0, 0, 1))
    ]
    assert chosen[0] == chosen[1] != chosen[2]


def test_fraction_and_oversampling(digits: Workspace) -> None:
    make_view(digits, "even", ViewSpec(keep=dict.fromkeys(digits.classes, 100)))
    tenth = make_view(digits, "tenth", ViewSpec(base="even", fraction=0.1))
    assert set(views.counts(digits.db, tenth.id).values()) == {10}
    scarce = make_view(digits, "scarce", ViewSpec(base="even", keep={"8": 3}, oversample=True))
    assert set(views.counts(digits.db, scarce.id).values()) == {100}
    repeats = Counter(each.image_id for each in members(digits, scarce) if each.class_index == 8)
    assert sorted(repeats.values()) == [33, 33, 34]


def test_synthetic_images_are_added_and_replace_real_ones(digits: Workspace) -> None:
    made = add_synthetic(digits, 30, 8)
    added = make_view(digits, "added", ViewSpec(keep={"8": 5}, add_synthetic={"8": 30}))
    eights = [each.image_id for each in members(digits, added) if each.class_index == 8]
    assert len(eights) == 35
    assert set(made) < set(eights)
    make_view(digits, "only", ViewSpec(keep={name: 100 if name == "8" else 0 for name in digits.classes}))
    replaced = make_view(digits, "replaced", ViewSpec(base="only", replace=0.2))
    origins = Counter(each.origin for each in members(digits, replaced))
    assert origins == {"real": 80, "synthetic": 20}


def test_rejected_images_never_enter_and_corrected_ones_count_under_their_new_class(
    digits: Workspace,
) -> None:
    rejected, corrected, plain = add_synthetic(digits, 3, 8)
    record(digits, [LabelEntry(rejected, "reject", "ann", "human", "op-1")])
    record(digits, [LabelEntry(corrected, "class", "ann", "human", "op-2", 3)])
    with pytest.raises(ViewError, match="2 synthetic images of '8' are asked for; there are 1"):
        make_view(digits, "too many", ViewSpec(add_synthetic={"8": 2}))
    view = make_view(digits, "right", ViewSpec(add_synthetic={"8": 1, "3": 1}))
    classes = {
        each.image_id: each.class_index for each in members(digits, view) if each.origin == "synthetic"
    }
    assert classes == {plain: 8, corrected: 3}


def test_the_curated_view_holds_confirmed_images_only(digits: Workspace) -> None:
    make_view(digits, "imbalanced", ViewSpec(keep={"8": 5}))
    with pytest.raises(ViewError, match="no synthetic image has a class yet"):
        curated_view(digits, "early", "imbalanced")
    confirmed, *_ = add_synthetic(digits, 4, 8)
    record(digits, [LabelEntry(confirmed, "class", "ann", "accepted", "op", 8)])
    view = curated_view(digits, "curated", "imbalanced")
    assert [each.image_id for each in members(digits, view) if each.origin == "synthetic"] == [confirmed]
    assert baseline_view(digits).name == "imbalanced"


def test_views_are_frozen_and_names_are_taken_once(digits: Workspace) -> None:
    view = make_view(digits, "v", ViewSpec(keep={"8": 5}))
    before = members(digits, view)
    record(digits, [LabelEntry(before[0].image_id, "class", "ann", "human", "op", 1)])
    assert members(digits, view) == before
    with pytest.raises(ViewError, match="views are frozen"):
        make_view(digits, "v", ViewSpec())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ViewSpec(keep={"8": 1000}), "there are only 126 real training images"),
        (ViewSpec(keep={"nine": 1}), "no class called 'nine'"),
        (ViewSpec(keep={"8": -1}), "cannot be negative"),
        (ViewSpec(long_tail=0.0), "must lie above 0"),
        (ViewSpec(fraction=1.5), "at most at 1"),
        (ViewSpec(base="nowhere"), "no view called 'nowhere'"),
        (ViewSpec(order="best"), "order of synthetic images"),  # type: ignore[arg-type]
        (ViewSpec(keep={str(i): 0 for i in range(10)}), "would be empty"),
    ],
)
def test_what_cannot_be_made_says_why_and_makes_nothing(
    digits: Workspace, spec: ViewSpec, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        make_view(digits, "x", spec)
    with pytest.raises(UnknownName):
        views.by_name(digits.db, "x")


def test_no_test_image_is_ever_a_candidate(digits: Workspace) -> None:
    tested = {image.id for image in catalog.find_images(digits.db, split="test")}
    add_synthetic(digits, 20, 8)
    view = make_view(digits, "everything", ViewSpec(add_synthetic={"8": 20}, oversample=True))
    assert tested.isdisjoint(each.image_id for each in members(digits, view))
