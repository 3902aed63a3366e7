"""The guided start: what is done, what is next, what waits and for what; every button leads where it can be done."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from synthaug_app.accounts.roles import PAGES

from synthaug.reading.guide import Counts, Step, counts_of, lacking_for_a_comparison, steps
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.store import catalog
from synthaug.workspace import Workspace

FULL = Counts(
    real=20, train=10, test=5, classes=2, models=1, synthetic=8, unreviewed=0, accepted=6, comparisons=1
)


def states(counts: Counts) -> str:
    """The six states by their first letters."""
    return "".join(step.state[0] for step in steps(counts))


def by_key(counts: Counts) -> dict[str, Step]:
    return {step.key: step for step in steps(counts)}


def test_the_way_from_nothing_to_a_verdict() -> None:
    told = [
        (Counts(), "nbbobb"),
        (Counts(real=20, unlabeled=20), "dnbobb"),
        (Counts(real=20, unlabeled=12, train=6, test=2, classes=2), "dnoobb"),
        (Counts(real=20, train=15, test=5, classes=2), "ddnobb"),
        (Counts(real=20, train=15, test=5, classes=2, models=1), "dddnbb"),
        (replace(FULL, unreviewed=8, accepted=0, comparisons=0), "ddddnb"),
        (replace(FULL, comparisons=0), "dddddn"),
        (FULL, "dddddd"),
    ]
    assert [states(counts) for counts, _ in told] == [expected for _, expected in told]


def test_each_step_has_its_count() -> None:
    assert [step.note for step in steps(replace(FULL, unlabeled=1200, unreviewed=3, models=2))] == [
        "20 images",
        "1,200 left",
        "2 models",
        "8 images",
        "3 left",
        "1 comparison",
    ]


def test_a_first_model_needs_no_test_images_and_a_comparison_does() -> None:
    counts = Counts(real=20, train=20, classes=2)
    model = by_key(counts)["model"]
    assert (model.state, model.action, model.href) == ("next", "Train it", "/train#first-model")
    assert lacking_for_a_comparison(counts) == "needs labeled test images"
    used_up = replace(FULL, test=0, comparisons=0)
    compare = by_key(used_up)["compare"]
    assert (compare.note, compare.action) == ("needs labeled test images", "Import more")


def test_where_landmarks_are_placed_the_first_model_is_one_that_places_them() -> None:
    begun = Counts(real=20, unlabeled=17, train=3, classes=1, scheme=True, placed=3)
    waiting = by_key(begun)["model"]
    assert (waiting.title, waiting.state, waiting.note) == (
        "Landmark model",
        "blocked",
        "needs 1 more image with landmarks",
    )
    ready = by_key(replace(begun, placed=4))["model"]
    assert (ready.action, ready.href) == ("Train it", "/label#landmark-model")
    unplaced = by_key(replace(begun, unlabeled=0, placed=0))["model"]
    assert (unplaced.note, unplaced.action) == ("needs 4 more images with landmarks", "Place landmarks")
    done = by_key(replace(begun, placed=4, models=1, landmark_models=1))["model"]
    assert (done.state, done.action, done.role) == ("done", "See the report", "reviewer")


@given(st.builds(Counts, *[st.integers(0, 3)] * 10, st.booleans(), st.integers(0, 5), st.integers(0, 1)))
def test_no_dead_end_and_no_button_to_what_cannot_be_done(counts: Counts) -> None:
    found = steps(counts)
    assert sum(step.state == "next" for step in found) <= 1
    for step in found:
        assert (step.state == "blocked") == (not step.action)
        assert not step.href or step.href.split("?")[0].split("#")[0] in PAGES
        assert "synthaug" not in step.note
        if step.state == "next":
            assert all(each.state in ("done", "blocked") for each in found[: found.index(step)])
    if any(step.state != "done" for step in found):
        assert any(step.state == "next" for step in found)


def test_the_counts_of_a_workspace(digits: Workspace) -> None:
    assert counts_of(digits) == Counts(real=1797, train=1297, test=500, classes=10)
    catalog.add_image(digits.db, sha256="0" * 64, size=(8, 8), split="train", origin="real", source="x/y.png")
    image_id, _ = catalog.add_image(
        digits.db, sha256="1" * 64, size=(8, 8), split="train", origin="synthetic", source="job 1"
    )
    found = counts_of(digits)
    assert (found.unlabeled, found.synthetic, found.unreviewed, found.accepted) == (1, 1, 1, 0)
    record(digits, [LabelEntry(image_id, "class", "ann", "human", "operation-1", 3)])
    found = counts_of(digits)
    assert (found.unreviewed, found.accepted) == (0, 1)
