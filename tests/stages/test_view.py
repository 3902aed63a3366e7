"""Dataset views: counts by formula, frozen, seeded, and never a test image."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from synthaug.errors import UnknownName, UserError, ViewError
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.stages.view import ViewSpec, baseline_view, curated_view, make_view, tail_counts
from synthaug.store import catalog, generations, models, views
from synthaug.workspace import Workspace
from tests.stages.helpers import add_synthetic


def members(workspace: Workspace, view: views.View) -> list[views.ViewImage]:
    return views.members(workspace.db, view.id)


def synthetic(workspace: Workspace, view: views.View) -> set[int]:
    return {each.image_id for each in members(workspace, view) if each.origin == "synthetic"}


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


def test_the_long_tail_of_cifar_10_is_the_published_one() -> None:
    expected = [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]
    assert tail_counts(5000, 0.1, 10) == expected
    assert sum(expected) == 20_431
    assert tail_counts(7, 0.5, 1) == [7]


def test_a_long_tail_of_a_part_is_that_of_the_parts_count(digits: Workspace) -> None:
    even = dict.fromkeys(digits.classes, 120)
    part = make_view(digits, "part", ViewSpec(keep=even, fraction=0.5, long_tail=0.1))
    assert list(views.counts(digits.db, part.id).values()) == tail_counts(60, 0.1, 10)
    cut = make_view(digits, "cut", ViewSpec(keep={**even, "2": 3}, long_tail=0.1))
    assert list(views.counts(digits.db, cut.id).values()) == [120, 92, 3, 55, 43, 33, 25, 20, 15, 12]
    with pytest.raises(ViewError, match="--long-tail needs 132 images of '0', but there are only 128"):
        make_view(digits, "uneven", ViewSpec(long_tail=0.99))


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


@pytest.mark.parametrize("share", [0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 1.0])
def test_replacement_is_exact_in_every_class(digits: Workspace, share: float) -> None:
    for position in range(10):
        add_synthetic(digits, 100, position, seed=position)
    make_view(digits, "even", ViewSpec(keep=dict.fromkeys(digits.classes, 100)))
    view = make_view(digits, "replaced", ViewSpec(base="even", replace=share))
    found = Counter((each.class_index, each.origin) for each in members(digits, view))
    count = int(100 * share + 0.5)
    expected = {(i, "synthetic"): count for i in range(10)} | {(i, "real"): 100 - count for i in range(10)}
    assert found == {key: value for key, value in expected.items() if value}
    assert len({each.image_id for each in members(digits, view)}) == 1000


def test_only_the_classes_asked_for_are_repeated(digits: Workspace) -> None:
    kept = {**dict.fromkeys(digits.classes, 20), "8": 3, "9": 7}
    some = make_view(digits, "some", ViewSpec(keep=kept, oversample_classes=("8",)))
    assert views.counts(digits.db, some.id) == {**kept, "8": 20}
    make_view(digits, "plain", ViewSpec(keep=kept))
    make_view(digits, "newest", ViewSpec(base="some"))
    assert baseline_view(digits).name == "plain"  # the newer ones repeat images
    with pytest.raises(ViewError, match="--oversample-class 8: the view has no images of this class"):
        make_view(digits, "none", ViewSpec(keep={**kept, "8": 0}, oversample_classes=("8",)))


def test_only_the_images_of_these_jobs_are_taken(digits: Workspace) -> None:
    jobs, made = [], []
    for seed in range(3):
        made.append(add_synthetic(digits, 10, 8, seed=seed))
        jobs.append(generations.of_images(digits.db, made[-1])[made[-1][0]].job_id)
    record(digits, [LabelEntry(made[1][0], "class", "ann", "human", "op", 8)])
    view = make_view(digits, "two", ViewSpec(add_synthetic={"8": 20}, jobs=(jobs[1], jobs[2])))
    assert synthetic(digits, view) == {*made[1], *made[2]}
    only = make_view(digits, "one", ViewSpec(add_synthetic={"8": 1}, jobs=(jobs[1],), curated=True))
    assert synthetic(digits, only) == {made[1][0]}
    with pytest.raises(ViewError, match=rf"11 synthetic images .* there are 10 \(of job {jobs[0]}\)"):
        make_view(digits, "x", ViewSpec(add_synthetic={"8": 11}, jobs=(jobs[0],)))
    with pytest.raises(UnknownName, match="no generation job called '99'"):
        make_view(digits, "x", ViewSpec(add_synthetic={"8": 1}, jobs=(99,)))


def test_images_of_the_base_are_not_added_again(digits: Workspace) -> None:
    made = add_synthetic(digits, 10, 8)
    make_view(digits, "first", ViewSpec(add_synthetic={"8": 6}))
    second = make_view(digits, "second", ViewSpec(base="first", add_synthetic={"8": 4}))
    held = Counter(each.image_id for each in members(digits, second) if each.origin == "synthetic")
    assert held == dict.fromkeys(made, 1)


def predicted(workspace: Workspace, ids: list[int], probs: list[float], ood: list[float | None]) -> None:
    """Predictions of class 8 with these probabilities, the rest on class 3; and these scores."""
    model = models.add(
        workspace.db,
        name="m",
        recipe="r",
        revision="r",
        seed=0,
        view_id=None,
        file="m",
        metrics={},
        environment={},
    )
    rows = np.zeros((len(ids), 10), np.float32)
    rows[:, 8], rows[:, 3] = probs, 1 - np.array(probs)
    models.add_predictions(workspace.db, model.id, ids, rows, np.zeros((len(ids), 2), np.float32))
    scores = [
        models.Score(image_id, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, distance, 0.5, None)
        for image_id, distance in zip(ids, ood, strict=True)
    ]
    models.replace_scores(workspace.db, model.id, scores)


def test_filters_are_by_the_class_they_enter_with_and_by_distance(digits: Workspace) -> None:
    ids = add_synthetic(digits, 4, 8)
    predicted(digits, ids, [0.95, 0.75, 0.5, 0.1], [0.2, 0.9, 0.3, 0.4])
    record(digits, [LabelEntry(ids[3], "class", "ann", "human", "op", 3)])  # as a 3, its probability is 0.9
    sure = make_view(digits, "sure", ViewSpec(add_synthetic={"8": 2, "3": 1}, min_confidence=0.75))
    assert synthetic(digits, sure) == {ids[0], ids[1], ids[3]}
    near = make_view(digits, "near", ViewSpec(add_synthetic={"8": 2}, max_ood=0.3))
    assert synthetic(digits, near) == {ids[0], ids[2]}
    both = make_view(digits, "both", ViewSpec(add_synthetic={"8": 1}, max_ood=0.3, min_confidence=0.75))
    assert synthetic(digits, both) == {ids[0]}
    with pytest.raises(ViewError, match=r"there are 1 \(with a confidence of at least 0\.9\)"):
        make_view(digits, "x", ViewSpec(add_synthetic={"8": 2}, min_confidence=0.9))
    late = add_synthetic(digits, 1, 8, seed=9)
    assert late
    with pytest.raises(
        ViewError, match=r"--min-confidence needs predictions, and 1 images .* synthaug predict"
    ):
        make_view(digits, "x", ViewSpec(add_synthetic={"8": 1}, min_confidence=0.5))
    with pytest.raises(
        ViewError, match=r"--max-ood needs scores, and 1 images have none; run: synthaug score"
    ):
        make_view(digits, "x", ViewSpec(add_synthetic={"8": 1}, max_ood=0.5))


def test_the_order_is_by_what_was_predicted(digits: Workspace) -> None:
    ids = add_synthetic(digits, 4, 8)
    predicted(digits, ids, [0.6, 0.99, 0.8, 0.55], [None] * 4)
    for order, expected in (("confident", {ids[1], ids[2]}), ("entropy", {ids[0], ids[3]})):
        view = make_view(digits, order, ViewSpec(add_synthetic={"8": 2}, order=order))  # type: ignore[arg-type]
        assert synthetic(digits, view) == expected


def test_images_are_picked_by_hand(digits: Workspace) -> None:
    made = add_synthetic(digits, 4, 8)
    corrected, rejected, unsure, plain = made
    record(digits, [LabelEntry(corrected, "class", "ann", "human", "op-1", 3)])
    record(digits, [LabelEntry(rejected, "reject", "ann", "human", "op-2")])
    record(digits, [LabelEntry(unsure, "unsure", "ann", "human", "op-3")])
    by_id = {image.id: image.sha256 for image in catalog.find_images(digits.db)}
    real = next(image for image in catalog.find_images(digits.db, split="train", origin="real"))
    few = dict.fromkeys(digits.classes, 5)
    make_view(digits, "few", ViewSpec(keep=few))
    picked = (by_id[plain], by_id[corrected], real.sha256, by_id[plain])
    view = make_view(digits, "picked", ViewSpec(base="few", images=picked))
    held = {each.image_id: each.class_index for each in members(digits, view)}
    assert (held[plain], held[corrected]) == (8, 3)
    assert real.id in held
    again = make_view(digits, "again", ViewSpec(base="picked", images=picked))
    assert members(digits, again) == members(digits, view)  # what stands there is not repeated
    both = make_view(digits, "both", ViewSpec(base="few", images=(by_id[plain],), add_synthetic={"3": 1}))
    assert synthetic(digits, both) == {plain, corrected}
    with pytest.raises(ViewError, match="1 synthetic images of '8' are needed, but there are 0"):
        make_view(digits, "x", ViewSpec(images=(by_id[plain],), add_synthetic={"8": 1}))
    for image_id, reason in ((rejected, "was rejected"), (unsure, "is marked unsure")):
        with pytest.raises(ViewError, match=f"{by_id[image_id]} {reason}, so it has no class"):
            make_view(digits, "x", ViewSpec(images=(by_id[image_id],)))
    with pytest.raises(ViewError, match="1 of the 2 images asked for are not here, the first is 'abc'"):
        make_view(digits, "x", ViewSpec(images=(by_id[plain], "abc")))


def test_a_spec_is_kept_and_an_older_one_is_read(digits: Workspace) -> None:
    add_synthetic(digits, 2, 8)
    spec = ViewSpec(add_synthetic={"8": 1}, jobs=(1,), oversample_classes=("8",), seed=3)
    assert ViewSpec.from_json(make_view(digits, "v", spec).spec) == spec
    stored = ViewSpec(keep={"8": 5}, seed=2).to_json()
    old = {key: value for key, value in stored.items() if key in OLD_FIELDS}
    first = digits.db.one("SELECT id FROM images WHERE split = 'train'")
    assert first is not None
    view = views.create(digits.db, "old", old, [(first["id"], 8)])
    assert ViewSpec.from_json(view.spec) == ViewSpec(keep={"8": 5}, seed=2)
    assert baseline_view(digits).name == "old"


OLD_FIELDS = {
    *("keep", "long_tail", "fraction", "replace", "add_synthetic", "oversample", "curated", "order", "seed"),
    "base",
}
"""What a view's spec held in 0.1."""


def test_rejected_images_never_enter_and_corrected_ones_count_under_their_new_class(
    digits: Workspace,
) -> None:
    rejected, corrected, plain = add_synthetic(digits, 3, 8)
    record(digits, [LabelEntry(rejected, "reject", "ann", "human", "op-1")])
    record(digits, [LabelEntry(corrected, "class", "ann", "human", "op-2", 3)])
    with pytest.raises(ViewError, match="2 synthetic images of '8' are needed, but there are 1"):
        make_view(digits, "too many", ViewSpec(add_synthetic={"8": 2}))
    view = make_view(digits, "right", ViewSpec(add_synthetic={"8": 1, "3": 1}))
    classes = {
        each.image_id: each.class_index for each in members(digits, view) if each.origin == "synthetic"
    }
    assert classes == {plain: 8, corrected: 3}


def test_the_curated_view_holds_confirmed_images_only(digits: Workspace) -> None:
    make_view(digits, "imbalanced", ViewSpec(keep={"8": 5}))
    with pytest.raises(ViewError, match="no synthetic image is labeled with a class"):
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
        (ViewSpec(keep={"8": 1000}), "this class has only 126 real training images"),
        (ViewSpec(keep={"nine": 1}), "no class called 'nine'"),
        (ViewSpec(keep={"8": -1}), "cannot be negative"),
        (ViewSpec(long_tail=0.0), "must be above 0"),
        (ViewSpec(fraction=1.5), "at most 1"),
        (ViewSpec(base="nowhere"), "no view called 'nowhere'"),
        (ViewSpec(order="best"), "order of synthetic images"),  # type: ignore[arg-type]
        (ViewSpec(keep={str(i): 0 for i in range(10)}), "would be empty"),
        (ViewSpec(add_synthetic={"8": 1}), "1 synthetic images of '8' are needed, but there are 0"),
        (ViewSpec(replace=0.5), "synthetic images of '0' are needed, but there are 0"),
        (ViewSpec(add_synthetic={"8": -1}), "cannot be negative"),
        (ViewSpec(replace=-0.1), "must be above 0"),
        (
            ViewSpec(add_synthetic={"8": 1}, min_confidence=1.2),
            r"--min-confidence is 1\.2; it must be in 0 \.\. 1",
        ),
        (ViewSpec(add_synthetic={"8": 1}, max_ood=-1), "--max-ood is -1; it must be in"),
        (ViewSpec(oversample_classes=("nine",)), "no class called 'nine'"),
        (ViewSpec(max_ood=0.5), "give their number with --add-synthetic"),
        (ViewSpec(images=("f" * 64,)), "1 of the 1 images asked for are not here"),
    ],
)
def test_impossible_views_are_refused_with_the_reason(
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
