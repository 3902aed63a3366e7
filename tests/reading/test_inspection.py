"""One image with all that is known of it, against a workspace whose facts were put there by hand."""

from __future__ import annotations

import numpy as np
import pytest

from synthaug.errors import UnknownName
from synthaug.reading import feature_space, inspection
from synthaug.reading.feature_space import duplicate_groups
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.store import catalog, generations, jobs, models, views
from synthaug.store.generations import Generation
from synthaug.store.models import Model, Score
from synthaug.workspace import Workspace
from tests.made import add_gray_image, add_untrained_model
from tests.stages.test_readers import ANN, BEN, REV, say

ANGLES = (0, 10, 11, 40, 90, 95)
"""Degrees on the unit circle: where each image's two features lie. 0, 2 and 4 are synthetic."""
SCALES = (1.0, 3.0, 0.5, 2.0, 1.0, 7.0)


def add_images(workspace: Workspace, count: int) -> list[int]:
    """Images 0, 2, ... synthetic, the others real; each one colour."""
    return [
        add_gray_image(
            workspace,
            number,
            "real" if number % 2 else "synthetic",
            source=f"source {number}",
            caption="a caption" if number == 1 else None,
        )
        for number in range(count)
    ]


def add_model(workspace: Workspace, ids: list[int]) -> Model:
    """A model with the features of ANGLES, and its scores: 2 repeats 1, 5 repeats 4."""
    model = add_untrained_model(workspace, recipe="digits")
    turned = np.deg2rad(ANGLES)
    features = np.column_stack([np.cos(turned), np.sin(turned)]) * np.array(SCALES)[:, None]
    probs = np.tile(np.array([0.1, 0.6, 0.3, *[0.0] * 7], np.float32), (len(ids), 1))
    models.add_predictions(workspace.db, model.id, ids, probs, features.astype(np.float32))
    repeats = {ids[2]: ids[1], ids[5]: ids[4]}
    scores = [Score(each, (0, 0), (0, 0), None, None, None, None, repeats.get(each)) for each in ids]
    models.replace_scores(workspace.db, model.id, scores)
    return model


def generated(workspace: Workspace, image_id: int) -> int:
    """The generation of an image by a job with a template; returns the job's id."""
    job = jobs.submit(workspace.db, "generate", {"template": "a <WHAT>", "label": "3"}, 1)
    made = Generation(
        job,
        0,
        image_id,
        3,
        "a clock",
        0,
        {"WHAT": "clock"},
        99,
        "embedded",
        "r1",
        {"guidance_scale": 2.5, "start": "image"},
    )
    generations.add(workspace.db, made)
    return job


def test_how_it_was_made_and_what_a_model_says(workspace: Workspace) -> None:
    ids = add_images(workspace, len(ANGLES))
    add_model(workspace, ids)
    job = generated(workspace, ids[0])
    found = inspection.inspect(workspace, str(ids[0]), feature_space.load(workspace))
    (made,) = found.makings
    assert (made.job_id, made.template, made.prompt, dict(made.slots)) == (
        job,
        "a <WHAT>",
        "a clock",
        {"WHAT": "clock"},
    )
    assert (made.class_index, made.seed, made.generator, made.revision) == (3, 99, "embedded", "r1")
    assert (made.guidance, dict(made.details)) == (2.5, {"start": "image"})
    (guess,) = found.guesses
    assert guess.model == "reader"
    assert guess.classes == ((1, pytest.approx(0.6)), (2, pytest.approx(0.3)), (0, pytest.approx(0.1)))
    assert found.source == "source 0"
    assert inspection.inspect(workspace, str(ids[1]), None).caption == "a caption"


def test_neighbours_are_the_nearest_by_angle_of_each_origin(workspace: Workspace) -> None:
    ids = add_images(workspace, len(ANGLES))
    add_model(workspace, ids)
    found = inspection.inspect(workspace, str(ids[0]), feature_space.load(workspace))
    assert [each.image_id for each in found.real] == [ids[1], ids[3], ids[5]]
    assert [each.image_id for each in found.synthetic] == [ids[2], ids[4]]
    chord = 2 * np.sin(np.deg2rad(5))
    assert found.real[0].distance == pytest.approx(chord, abs=1e-3)
    assert found.features == "reader"


def test_near_duplicates_are_the_others_of_its_group(workspace: Workspace) -> None:
    ids = add_images(workspace, len(ANGLES))
    add_model(workspace, ids)
    space = feature_space.load(workspace)
    assert [each.image_id for each in inspection.inspect(workspace, str(ids[2]), space).duplicates] == [
        ids[1]
    ]
    assert inspection.inspect(workspace, str(ids[3]), space).duplicates == ()


def test_a_chain_of_repeats_is_one_group() -> None:
    assert duplicate_groups({5: 2, 3: 2, 9: 5, 8: 7}) == [[2, 3, 5, 9], [7, 8]]
    assert duplicate_groups({}) == []


def test_the_label_history_says_what_was_taken_back_and_what_counts(workspace: Workspace) -> None:
    (image,) = add_images(workspace, 1)
    label.record(workspace, [LabelEntry(image, "class", "ann", "human", "operation-1", 4)])
    label.record(workspace, [LabelEntry(image, "reject", "bob", "human", "operation-2")])
    label.undo(workspace, "operation-2", "cy", "operation-3")
    history = inspection.inspect(workspace, str(image), None).history
    assert [(each.value, each.annotator, each.undone_by, each.counts) for each in history] == [
        ("class", "ann", None, True),
        ("reject", "bob", "cy", False),
    ]
    assert history[0].class_index == 4


def test_the_timeline_numbers_the_readings_and_says_how_the_conflict_ended(workspace: Workspace) -> None:
    (image,) = add_images(workspace, 1)
    say(workspace, image, ANN, 3)
    say(workspace, image, BEN, 5, "operation-1")
    found = inspection.inspect(workspace, str(image), None)
    assert found.conflict == "open"
    assert [(each.annotator, each.reading, each.number) for each in found.history] == [
        ("ann", None, 1),
        ("ben", "second", 2),
    ]
    say(workspace, image, REV, 5, settles=True)
    found = inspection.inspect(workspace, str(image), None)
    assert found.conflict == "settled"
    last = found.history[2]
    assert (last.annotator, last.reading, last.number, last.counts) == ("rev", "settlement", None, True)
    label.undo(workspace, "operation-1", "ben", "operation-2")
    found = inspection.inspect(workspace, str(image), None)
    assert (found.conflict, found.history[1].number) == (None, None)


def test_the_views_and_exports_of_an_image_are_listed(workspace: Workspace) -> None:
    ids = add_images(workspace, 4)
    held = views.create(workspace.db, "mine", {}, [(ids[1], 0), (ids[1], 0)])
    views.create(workspace.db, "other", {}, [(ids[3], 0)])
    views.add_export(
        workspace.db, held.id, file_format="folder", path="out", images=2, manifest_sha256="0" * 64
    )
    holders = inspection.inspect(workspace, str(ids[1]), None).holders
    assert [(each.kind, each.name, each.view) for each in holders] == [
        ("view", "mine", "mine"),
        ("export", "out", "mine"),
    ]
    assert inspection.inspect(workspace, str(ids[0]), None).holders == ()


def test_found_by_id_and_by_hash_and_not_otherwise(workspace: Workspace) -> None:
    (image,) = add_images(workspace, 1)
    sha256 = catalog.find_images(workspace.db)[0].sha256
    assert inspection.find(workspace, str(image)) == inspection.find(workspace, sha256)
    for wrong in ("0", "99", "f" * 64, "abc", "-1", "1" * 40):
        with pytest.raises(UnknownName, match="image"):
            inspection.find(workspace, wrong)
