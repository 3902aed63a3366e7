"""The queues of suspects, over a workspace whose errors, copies and disputes were put there."""

from __future__ import annotations

import numpy as np
import pytest

from synthaug.errors import UnknownName, UserError
from synthaug.reading import feature_space
from synthaug.reading.suspects import Suspects, saved, saved_names, suspects
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.stages.selections import save_selection
from synthaug.store import generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.store.models import Score
from synthaug.workspace import Workspace
from tests.made import add_gray_image, add_untrained_model

CLASSES = ("cat", "dog")
PER_CLASS = 30


def found(workspace: Workspace, kind: str) -> Suspects:
    """A queue, in the features that were scored."""
    return suspects(workspace, kind, feature_space.load(workspace))


@pytest.fixture
def pets(tmp_path) -> tuple[Workspace, list[int]]:  # type: ignore[no-untyped-def]
    """60 real images, 30 cats and 30 dogs two apart in the features; then 4 synthetic cats. Nothing is wrong yet."""
    workspace = Workspace.create(tmp_path / "work", CLASSES)
    rng = np.random.default_rng(0)
    count = 2 * PER_CLASS + 4
    ids = []
    for number in range(count):
        real = number < 2 * PER_CLASS
        ids.append(add_gray_image(workspace, number, "real" if real else "synthetic"))
    truth = np.array([0] * PER_CLASS + [1] * PER_CLASS + [0] * 4)
    job = jobs.submit(workspace.db, "generate", {}, 4)
    for position, image_id in enumerate(ids[2 * PER_CLASS :]):
        generations.add(
            workspace.db, Generation(job, position, image_id, 0, "a cat", 0, {}, 0, "digits", "r")
        )
    features = np.eye(4)[truth] * 2 + rng.normal(size=(count, 4)) * 0.2
    score(workspace, ids, features, np.where(truth[:, None] == [0, 1], 0.9, 0.1))
    return workspace, ids


def score(workspace: Workspace, ids: list[int], features, probs, repeats=None) -> None:  # type: ignore[no-untyped-def]
    """Predictions and scores of a model of its own."""
    model = add_untrained_model(workspace, name="m")
    models.add_predictions(workspace.db, model.id, ids, probs.astype(np.float32), features.astype(np.float32))
    repeat(workspace, model.id, ids, repeats or {})


def repeat(workspace: Workspace, model_id: int, ids: list[int], repeats: dict[int, int]) -> None:
    """Scores in which image -> earlier image are near-duplicates."""
    scores = [Score(each, (0, 0), (0, 0), None, None, None, None, repeats.get(each)) for each in ids]
    models.replace_scores(workspace.db, model_id, scores)


def say(workspace: Workspace, image_id: int, class_index: int | None, who: str = "me") -> None:
    """A label, or a rejection."""
    value = "reject" if class_index is None else "class"
    op_id = f"{who}-{image_id}-{class_index}"
    label.record(workspace, [LabelEntry(image_id, value, who, "human", op_id, class_index)])  # type: ignore[arg-type]


def test_label_errors_are_the_swapped_ones(pets: tuple[Workspace, list[int]]) -> None:
    workspace, ids = pets
    swapped = {ids[3], ids[40], ids[41]}
    for number, image_id in enumerate(ids[: 2 * PER_CLASS]):
        say(workspace, image_id, (number >= PER_CLASS) ^ (image_id in swapped))
    queue = found(workspace, "label-errors")
    assert set(queue.ids) == swapped
    assert queue.marked == queue.ids
    assert queue.captions[queue.ids.index(ids[3])].startswith("dog→cat")
    assert "60 labeled real training images" in queue.note


def test_without_labels_there_are_no_label_errors(pets: tuple[Workspace, list[int]]) -> None:
    workspace, ids = pets
    assert found(workspace, "label-errors").ids == ()
    say(workspace, ids[0], 0)
    assert "two classes" in found(workspace, "label-errors").note


def test_of_duplicates_the_best_is_kept_and_what_is_rejected_is_settled(
    pets: tuple[Workspace, list[int]],
) -> None:
    workspace, ids = pets
    a, b, c, d = ids[2 * PER_CLASS :]
    repeat(workspace, models.newest(workspace.db).id, ids, {b: a, c: a, d: ids[5]})
    say(workspace, c, 0)
    queue = found(workspace, "duplicates")
    assert queue.ids == (ids[5], d, c, a, b)  # real before synthetic, labeled before not
    assert queue.captions == ("keep", f"like {ids[5]}", "keep", f"like {c}", f"like {c}")
    assert queue.marked == (d, a, b)
    say(workspace, d, None)
    say(workspace, a, None)
    assert found(workspace, "duplicates").ids == (c, b)


def test_disagreements_are_of_the_label_or_else_the_prompt_with_the_prediction(
    pets: tuple[Workspace, list[int]],
) -> None:
    workspace, ids = pets
    assert found(workspace, "disagreements").ids == ()
    unlike = ids[2 * PER_CLASS]
    say(workspace, unlike, 1)  # prompted and predicted as a cat
    say(workspace, ids[0], 1)
    queue = found(workspace, "disagreements")
    assert set(queue.ids) == {unlike, ids[0]}
    assert set(queue.captions) == {"dog→cat 90%"}
    say(workspace, unlike, 0, "another")
    say(workspace, ids[0], None, "another")
    assert found(workspace, "disagreements").ids == ()


def test_an_unknown_kind_is_refused_and_without_features_there_is_nothing(workspace: Workspace) -> None:
    assert suspects(workspace, "duplicates", None).ids == ()
    with pytest.raises(UnknownName, match="kind of suspects"):
        suspects(workspace, "ghosts", None)


def test_a_selection_is_kept_by_name_and_in_its_order(pets: tuple[Workspace, list[int]]) -> None:
    workspace, ids = pets
    assert save_selection(workspace, "  odd ones ", [ids[5], ids[2]]) == "odd ones"
    save_selection(workspace, "a", [ids[0]])
    assert saved_names(workspace) == ["a", "odd ones"]
    assert saved(workspace, "odd ones").ids == (ids[5], ids[2])
    save_selection(workspace, "a", [ids[1]])
    assert saved(workspace, "a").ids == (ids[1],)
    with pytest.raises(UnknownName, match="saved selection"):
        saved(workspace, "nothing")


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb"])
def test_a_selection_needs_a_name(pets: tuple[Workspace, list[int]], name: str) -> None:
    workspace, ids = pets
    with pytest.raises(UserError, match="1 to 60 printable characters"):
        save_selection(workspace, name, ids)


def test_only_images_that_are_there_are_saved(pets: tuple[Workspace, list[int]]) -> None:
    workspace, _ = pets
    with pytest.raises(UserError, match="no images are selected"):
        save_selection(workspace, "a", [])
    with pytest.raises(UnknownName, match="image"):
        save_selection(workspace, "a", [999])
