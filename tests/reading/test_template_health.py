"""Template health: rates by slot value, against hand-made fates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils import check_random_state

from synthaug.errors import UnknownName
from synthaug.reading import template_health
from synthaug.reading.template_health import wilson
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.store import catalog, generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace


def made_with(workspace: Workspace, values: list[str], prompted: int = 3) -> list[int]:
    """One image a value of the slot FURNITURE; returns their ids."""
    job = jobs.submit(workspace.db, "generate", {}, len(values))
    ids = []
    for position, value in enumerate(values):
        pixels = check_random_state(position).randint(0, 256, (8, 8, 3)).astype(np.uint8)
        image_id, _ = catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(pixels, {}),
            size=(8, 8),
            split="train",
            origin="synthetic",
            source=f"job {job}",
        )
        made = Generation(
            job_id=job,
            position=position,
            image_id=image_id,
            class_index=prompted,
            prompt=f"a cat on the {value}",
            prompt_index=position,
            slots={"FURNITURE": value},
            seed=position,
            generator="digits",
            revision="r",
        )
        generations.add(workspace.db, made)
        ids.append(image_id)
    return ids


def say(workspace: Workspace, image_id: int, value: str, class_index: int | None = None) -> None:
    """One label by a person."""
    entry = LabelEntry(image_id, value, "me", "human", f"operation-{image_id}", class_index)  # type: ignore[arg-type]
    label.record(workspace, [entry])


def test_counts_by_hand(workspace: Workspace) -> None:
    clock, sofa = ["clock"] * 4, ["sofa"] * 3
    ids = made_with(workspace, clock + sofa)
    for image_id in ids[:2]:
        say(workspace, image_id, "reject")
    say(workspace, ids[2], "unsure")
    say(workspace, ids[4], "class", 5)
    say(workspace, ids[5], "class", 3)
    first, second = template_health.health(workspace)
    assert (first.value, first.images, first.reviewed) == ("clock", 4, 3)
    assert (first.rejected.count, first.rejected.total) == (2, 3)
    assert (first.flipped.count, first.far.share) == (0, None)
    assert (second.value, second.reviewed, second.flipped.count, second.rejected.count) == ("sofa", 2, 1, 0)
    assert template_health.image_ids(workspace, "FURNITURE", "clock", "rejected") == [ids[1], ids[0]]
    assert template_health.image_ids(workspace, "FURNITURE", "sofa") == ids[:3:-1]
    assert template_health.image_ids(workspace, "FURNITURE", "sofa", "flipped") == [ids[4]]


def test_a_value_that_fails_is_named_and_a_small_sample_is_not(workspace: Workspace) -> None:
    ids = made_with(workspace, ["clock"] * 12 + ["sofa"] * 40 + ["shelf"] * 2)
    for number, image_id in enumerate(ids):
        rejected = number < 7 or number in (20, 52)
        say(workspace, image_id, "reject" if rejected else "class", None if rejected else 3)
    said = template_health.sentences(template_health.health(workspace))
    assert said == ["clock: 7 of 12 rejected (the others in FURNITURE: 5%)"]


def test_far_from_real_is_read_from_the_scores(workspace: Workspace) -> None:
    ids = made_with(workspace, ["clock", "clock", "sofa"])
    metadata = {"metrics": {}, "environment": {}, "file": "models/none.safetensors"}
    model = models.add(
        workspace.db, name="m", recipe="digits", revision="0" * 16, seed=0, view_id=None, **metadata
    )
    scores = [
        models.Score(image_id, (0, 0), (0, 0), 1.0, 0.5, ood_real=far, ood_synthetic=0.5, duplicate_of=None)
        for image_id, far in zip(ids, (0.99, 0.5, 0.96), strict=True)
    ]
    models.replace_scores(workspace.db, model.id, scores)
    rates = {row.value: (row.far.count, row.far.total) for row in template_health.health(workspace)}
    assert rates == {"clock": (1, 2), "sofa": (1, 1)}


def test_an_unknown_trouble_is_named(workspace: Workspace) -> None:
    with pytest.raises(UnknownName, match="sideways"):
        template_health.image_ids(workspace, "A", "b", "sideways")


@pytest.mark.parametrize(
    ("count", "total", "low", "high"), [(7, 12, 0.3195, 0.8067), (0, 10, 0.0, 0.2775), (1, 1, 0.2065, 1.0)]
)
def test_wilson_intervals_of_the_textbook(count: int, total: int, low: float, high: float) -> None:
    rate = wilson(count, total)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 1000), st.floats(0, 1))
def test_an_interval_holds_its_share(total: int, share: float) -> None:
    rate = wilson(round(share * total), total)
    assert rate.share is not None
    assert 0 <= rate.low <= rate.share + 1e-12
    assert rate.share - 1e-12 <= rate.high <= 1


@given(st.integers(1, 1000))
def test_the_interval_of_zero_in_many_begins_at_zero(total: int) -> None:
    assert wilson(0, total).low == 0
