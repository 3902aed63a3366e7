"""Labels by a classifier for images that nobody asked a class of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthaug.cli import main
from synthaug.errors import UserError
from synthaug.importers.digits import digits_arrays
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.stages.predict import predict
from synthaug.stages.pseudo_label import pseudo_label
from synthaug.stages.train import train
from synthaug.stages.view import ViewSpec, curated_view, make_view
from synthaug.store import catalog, generations, jobs, labels, models, views
from synthaug.store.generations import Generation
from synthaug.workspace import Workspace
from tests.files import copy_workspace
from tests.stages.helpers import add_synthetic

pytestmark = pytest.mark.slow


def add_classless(workspace: Workspace, pixels: list[np.ndarray]) -> list[int]:
    """Synthetic images as a generator without classes leaves them; their ids."""
    job = jobs.submit(workspace.db, "generate", {"test": True}, len(pixels))
    jobs.finish(workspace.db, job, "done", result={})
    made = Generation(job, 0, 0, None, "anything", 0, {}, 0, "g", "r")
    ids = []
    for position, image in enumerate(pixels):
        image_id, _ = catalog.add_image(
            workspace.db,
            sha256=workspace.images.put(image, {}),
            size=(32, 32),
            split="train",
            origin="synthetic",
            source=f"job {job}",
        )
        generations.add(workspace.db, replace(made, position=position, image_id=image_id))
        ids.append(image_id)
    return ids


def predicted(workspace: Workspace, probabilities: dict[int, list[float]]) -> str:
    """Predictions of the judge, the first classes' given; returns its revision as operation ids have it."""
    model = models.by_name(workspace.db, "judge")
    probs = np.zeros((len(probabilities), len(workspace.classes)), np.float32)
    for row, given in zip(probs, probabilities.values(), strict=True):
        row[: len(given)] = given
    _, _, features = models.all_predictions(workspace.db, model.id)
    models.add_predictions(workspace.db, model.id, list(probabilities), probs, features[: len(probs)])
    return model.revision[:16]


@pytest.fixture(scope="module")
def trained(digits_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of digits with a classifier trained for real."""
    root = tmp_path_factory.mktemp("trained") / "work"
    copy_workspace(digits_template, root)
    workspace = Workspace.open(root)
    make_view(workspace, "real", ViewSpec())
    train(workspace, "real", name="judge")
    predict(workspace)
    workspace.db.close()
    return root


@pytest.fixture
def judged(trained: Path, tmp_path: Path) -> Workspace:
    """A copy of one's own."""
    return Workspace.open(copy_workspace(trained, tmp_path / "work"))


def test_a_classifier_says_what_digits_show(judged: Workspace) -> None:
    images, truth, is_test = digits_arrays()
    # Digits that it never saw, moved so that they are new pictures; and others with hardly anything left to see.
    clear = add_classless(judged, [np.roll(pixels, 1, axis=1) for pixels in images[is_test][:40]])
    faint = add_classless(judged, [pixels // 40 for pixels in images[is_test][40:80]])
    found = pseudo_label(judged, threshold=0.8)
    assert found.model == "judge"
    total = sum(found.labeled.values())
    assert total + found.below == 80
    said = labels.current(judged.db, clear + faint)
    assert {each.source for each in said.values()} == {"automatic"}
    right = [
        said[each].class_index == digit
        for each, digit in zip(clear, truth[is_test][:40], strict=True)
        if each in said
    ]
    assert len(right) >= 30
    assert np.mean(right) >= 0.95
    assert found.below > 0
    assert sum(pseudo_label(judged, threshold=0.8).labeled.values()) == 0
    members = views.members(judged.db, curated_view(judged, "curated", "real").id)
    assert sum(member.origin == "synthetic" for member in members) == total


def test_only_confident_unlabeled_images_without_a_class_are_labeled(judged: Workspace) -> None:
    sure, exact, unsure, spoken = add_classless(judged, noise(4))
    (prompted,) = add_synthetic(judged, 1, class_index=3, seed=9)
    label.record(judged, [LabelEntry(spoken, "reject", "ann", "human", "op")])
    probabilities = {
        sure: [0.02, 0.98],
        exact: [0.75, 0.25],
        unsure: [0.7, 0.3],
        spoken: [1.0],
        prompted: [1.0],
    }
    predicted(judged, probabilities)
    found = pseudo_label(judged, "judge", 0.75)
    assert {name: count for name, count in found.labeled.items() if count} == {"0": 1, "1": 1}
    assert list(found.labeled) == list(judged.classes)
    assert found.below == 1
    said = labels.current(judged.db, list(probabilities))
    assert {each: (one.value, one.class_index) for each, one in said.items()} == {
        sure: ("class", 1),
        exact: ("class", 0),
        spoken: ("reject", None),
    }


def test_a_person_s_word_counts_and_what_was_taken_back_stays_so(judged: Workspace) -> None:
    first, second = add_classless(judged, noise(2))
    predicted(judged, {first: [0.95], second: [0.95]})
    assert pseudo_label(judged).labeled["0"] == 2
    label.record(judged, [LabelEntry(first, "class", "ann", "human", "op", 7)])
    label.undo(judged, labels.history(judged.db, second)[0].op_id, "ann", "undo")
    assert sum(pseudo_label(judged).labeled.values()) == 0
    said = labels.current(judged.db, [first, second])
    assert {each: one.class_index for each, one in said.items()} == {first: 7}


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01])
def test_a_threshold_that_is_none_is_refused(workspace: Workspace, threshold: float) -> None:
    with pytest.raises(UserError, match="must be above 0 and at most 1"):
        pseudo_label(workspace, threshold=threshold)


def test_without_a_classifier_the_error_says_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="train one first"):
        pseudo_label(workspace)


def test_the_command_tells_the_counts(judged: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (image,) = add_classless(judged, noise(1))
    predicted(judged, {image: [0.0, 0.97]})
    with pytest.raises(SystemExit) as ended:
        main(["pseudo-label", "--threshold", "0.95", "--json", "-w", str(judged.root)])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["labeled"]["1"], told["below"], told["model"]) == (1, 0, "judge")


def noise(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8))
