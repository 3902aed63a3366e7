from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import entropy as scipy_entropy
from sklearn.preprocessing import normalize

from synthaug.classifiers.fitted import FittedClassifier
from synthaug.classifiers.monte_carlo import head_passes
from synthaug.classifiers.recipes import RECIPES
from synthaug.cli import main
from synthaug.errors import Cancelled, UnknownName, UserError
from synthaug.images import resize
from synthaug.importers.digits import digits_arrays
from synthaug.records import LabelEntry
from synthaug.stages.acquire import FUNCTIONS, Acquisition, Search, acquire
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import label_log, labels, views
from synthaug.workspace import Workspace
from tests.files import copy_workspace
from tests.stages.helpers import add_synthetic

pytestmark = pytest.mark.slow

RECIPE = RECIPES["digits"]
SEARCH = Search("8", add=5, per_round=2, passes=4, epochs_first=3, epochs_a_round=1, ood_guard=None)
GOOD, BROKEN = 12, 6  # images of the pool: eights with noise on them, and noise alone


@pytest.fixture(scope="module")
def scarce_template(tmp_path_factory: pytest.TempPathFactory, digits_template: Path) -> Path:
    """Twelve of every digit but five eights in the view "scarce", and a pool of eights."""
    root = tmp_path_factory.mktemp("acquire") / "work"
    copy_workspace(digits_template, root)
    workspace = Workspace.open(root)
    rng = np.random.default_rng(0)
    images, classes, _ = digits_arrays()
    eights = [resize(image, (32, 32)) for image in images[classes == 8][:GOOD]]
    noisy = [np.clip(each + rng.normal(0, 12, each.shape), 0, 255).astype(np.uint8) for each in eights]
    add_synthetic(workspace, GOOD, 8, pixels=noisy)
    add_synthetic(workspace, BROKEN, 8, seed=1)
    make_view(workspace, "scarce", ViewSpec(keep={str(i): 5 if i == 8 else 12 for i in range(10)}))
    workspace.db.close()
    return root


@pytest.fixture
def scarce(scarce_template: Path, tmp_path: Path) -> Workspace:
    copy_workspace(scarce_template, tmp_path / "scarce")
    return Workspace.open(tmp_path / "scarce")


def members(workspace: Workspace, name: str) -> list[tuple[str, int]]:
    view = views.by_name(workspace.db, name)
    return [(each.sha256, each.class_index) for each in views.members(workspace.db, view.id)]


def added(workspace: Workspace, name: str) -> list[str]:
    return [sha256 for sha256, _ in members(workspace, name)[len(members(workspace, "scarce")) :]]


def broken(workspace: Workspace) -> set[str]:
    """Hashes of the noise, the pool's second job."""
    return {each.sha256 for each in labels.prompted_images(workspace.db, (2,))}


class StopAt:
    """Cancels when it is asked for the n-th time."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> bool:
        self.left -= 1
        return self.left <= 0


def test_rounds_add_up_to_the_view(scarce: Workspace) -> None:
    found = acquire(scarce, "chosen", "scarce", SEARCH, RECIPE)
    assert found.view == "chosen"
    assert [each.view for each in found.rounds] == ["chosen-round-01", "chosen-round-02", "chosen"]
    assert [each.chosen for each in found.rounds] == [2, 2, 1]
    base, end = members(scarce, "scarce"), members(scarce, "chosen")
    assert end[: len(base)] == base
    assert [class_index for _, class_index in end[len(base) :]] == [8] * 5
    assert len(set(added(scarce, "chosen"))) == 5
    assert added(scarce, "chosen")[:4] == added(scarce, "chosen-round-02")
    kept = views.by_name(scarce.db, "chosen").spec["acquisition"]
    assert {key: kept[key] for key in asdict(found.rounds[-1])} == asdict(found.rounds[-1])
    assert kept["search"]["function"] == "entropy"
    assert not list((scarce.root / "runs").glob("acquire-*"))


@pytest.mark.parametrize("function", ["entropy", "epig"])
def test_a_broken_search_goes_on_to_the_same_end(
    scarce_template: Path, tmp_path: Path, function: str
) -> None:
    """Whether it was stopped between rounds or within a training."""
    search = replace(SEARCH, function=function, ood_guard=0.99, agreement_sample=6)
    ends: list[tuple[Acquisition, list[tuple[str, int]]]] = []
    for stops in ([], [1, 3, 2, 6]):
        root = tmp_path / f"stops-{len(stops)}"
        copy_workspace(scarce_template, root)
        for number in stops:
            with pytest.raises(Cancelled):
                acquire(
                    Workspace.open(root), "chosen", "scarce", search, RECIPE, should_cancel=StopAt(number)
                )
        workspace = Workspace.open(root)
        assert "chosen" not in {view.name for view in views.all_views(workspace.db)}
        ends.append((acquire(workspace, "chosen", "scarce", search, RECIPE), members(workspace, "chosen")))
    assert ends[0] == ends[1]
    assert all(-1 <= (each.rank_agreement or 0) <= 1 for each in ends[0][0].rounds)


def test_finished_rounds_are_not_repeated(scarce: Workspace) -> None:
    first = acquire(scarce, "chosen", "scarce", SEARCH, RECIPE)
    again = acquire(scarce, "chosen", "scarce", SEARCH, RECIPE, should_cancel=lambda: True)
    assert again == first


def after_one_round(
    workspace: Workspace, search: Search
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Stop after the first round; hashes, features and passes of the pool, and features of the real images, then."""
    with pytest.raises(Cancelled):
        acquire(
            workspace,
            "chosen",
            "scarce",
            search,
            RECIPE,
            should_cancel=lambda: len(views.all_views(workspace.db)) > 1,
        )
    (weights,) = (workspace.root / "runs").glob("acquire-*.safetensors")
    classifier = FittedClassifier.load(weights)
    pool = [each.sha256 for each in labels.prompted_images(workspace.db)]
    real = [sha256 for sha256, _ in members(workspace, "scarce")]
    features = [
        classifier.features(np.stack([resize(workspace.images.read(sha256), (16, 16)) for sha256 in hashes]))
        for hashes in (pool, real)
    ]
    passes = head_passes(classifier, features[0], search.dropout, search.passes, search.seed + 1)
    return pool, features[0], passes, features[1]


@pytest.mark.parametrize("function", ["mean-posterior", "entropy"])
def test_the_best_of_the_pool_are_chosen(scarce: Workspace, function: str) -> None:
    pool, _, passes, _ = after_one_round(scarce, replace(SEARCH, function=function))
    mean = passes.mean(0)
    scores = mean[:, 8] if function == "mean-posterior" else scipy_entropy(mean, axis=1)
    assert set(added(scarce, "chosen-round-01")) == {pool[i] for i in np.argsort(-scores)[:2]}


def test_the_guard_leaves_out_what_is_farther_than_the_real_images(scarce: Workspace) -> None:
    """Farther, at unit length, from the fifth nearest real image than half of these are from theirs."""
    pool, *found = after_one_round(scarce, replace(SEARCH, ood_guard=0.5))
    passes = found[1]
    features, real = normalize(found[0]), normalize(found[2])
    own = np.sort(cdist(real, real), axis=1)[:, 5]
    far = np.sort(cdist(features, real), axis=1)[:, 4] > np.median(own)
    assert 0 < far.sum() < len(pool) - 2
    scores = np.where(far, -1, scipy_entropy(passes.mean(0), axis=1))
    assert set(added(scarce, "chosen-round-01")) == {pool[i] for i in np.argsort(-scores)[:2]}
    kept = views.by_name(scarce.db, "chosen-round-01").spec["acquisition"]
    assert (kept["left_out"], kept["beyond"]) == (far.sum(), 0)


def test_the_number_asked_for_is_kept_where_the_guard_leaves_too_few(scarce: Workspace) -> None:
    search = replace(SEARCH, add=GOOD + BROKEN, per_round=GOOD + BROKEN, ood_guard=0.001)
    (only,) = acquire(scarce, "all", "scarce", search, RECIPE).rounds
    assert (only.chosen, only.left_out) == (GOOD + BROKEN, 0)
    assert only.beyond > 0


def test_only_the_images_of_a_job_are_the_pool(scarce: Workspace) -> None:
    search = replace(SEARCH, jobs=(2,), add=4, per_round=4)
    acquire(scarce, "noise", "scarce", search, RECIPE)
    assert set(added(scarce, "noise")) <= broken(scarce)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_chooses(scarce: Workspace, function: str) -> None:
    search = replace(SEARCH, function=function, add=1, epochs_first=1)
    assert len(acquire(scarce, "one", "scarce", search, RECIPE).rounds) == 1
    assert len(added(scarce, "one")) == 1


def test_a_search_does_not_go_on_from_another(scarce: Workspace) -> None:
    acquire(scarce, "chosen", "scarce", replace(SEARCH, add=1), RECIPE)
    make_view(scarce, "other", ViewSpec(base="scarce"))
    for base, search in (("scarce", replace(SEARCH, add=1, seed=1)), ("other", replace(SEARCH, add=1))):
        with pytest.raises(UserError, match="'chosen' exists with other settings; choose another name"):
            acquire(scarce, "chosen", base, search, RECIPE)


def test_a_chosen_image_that_was_rejected_meanwhile_is_named(scarce: Workspace) -> None:
    with pytest.raises(Cancelled):
        acquire(
            scarce,
            "chosen",
            "scarce",
            SEARCH,
            RECIPE,
            should_cancel=lambda: len(views.all_views(scarce.db)) > 1,
        )
    view = views.by_name(scarce.db, "chosen-round-01")
    rejected = views.members(scarce.db, view.id)[-1].image_id
    label_log.append(scarce.db, [LabelEntry(rejected, "reject", "me", "human", "op")])
    with pytest.raises(UserError, match="1 images of the view 'chosen-round-01' are no longer in the pool"):
        acquire(scarce, "chosen", "scarce", SEARCH, RECIPE)


def test_wrong_input_is_named(scarce: Workspace) -> None:
    for search, message in (
        (replace(SEARCH, add=19), "cannot choose 19 images of '8', because the pool has 18; generate more"),
        (replace(SEARCH, label="3"), "cannot choose 5 images of '3', because the pool has 0"),
        (replace(SEARCH, add=0), "number of images to add is 0"),
        (replace(SEARCH, epochs_first=0), "epochs of the first round is 0"),
        (replace(SEARCH, dropout=0.0), "dropout rate is 0"),
        (replace(SEARCH, passes=1), "passes is 1"),
        (replace(SEARCH, ood_guard=1.5), "guard is 1.5"),
    ):
        with pytest.raises(UserError, match=message):
            acquire(scarce, "chosen", "scarce", search, RECIPE)
    for search, message in (
        (replace(SEARCH, function="entropie"), "no acquisition function called 'entropie'"),
        (replace(SEARCH, label="cat"), "'cat'"),
        (replace(SEARCH, jobs=(9,)), "'9'"),
    ):
        with pytest.raises(UnknownName, match=message):
            acquire(scarce, "chosen", "scarce", search, RECIPE)
    assert [view.name for view in views.all_views(scarce.db)] == ["scarce"]


def test_a_base_without_real_images_is_named(scarce: Workspace) -> None:
    ids = [each.image_id for each in labels.prompted_images(scarce.db)][:4]
    views.create(
        scarce.db, "drawn", asdict(ViewSpec()), [(image_id, i % 2) for i, image_id in enumerate(ids)]
    )
    with pytest.raises(UserError, match="'drawn' has no real images"):
        acquire(scarce, "chosen", "drawn", replace(SEARCH, ood_guard=0.99), RECIPE)


def test_the_command(scarce: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    options = "--base scarce --label 8 --add 3 --per-round 2 --passes 4 --epochs-first 1 --epochs-a-round 1"
    asked = ["acquire", "chosen", *options.split(), "--agreement-sample", "5", "-w", str(scarce.root)]
    with pytest.raises(SystemExit) as end:
        main([*asked, "--json"])
    assert not end.value.code
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(said) == {"view", "rounds", "rank_correlation"}
    assert said["view"] == "chosen"
    assert [each["chosen"] for each in said["rounds"]] == [2, 1]
    mean = np.mean([each["rank_agreement"] for each in said["rounds"]])
    assert said["rank_correlation"] == pytest.approx(mean)
    with pytest.raises(SystemExit):
        main(asked)
    assert capsys.readouterr().out.startswith("View 'chosen': 3 images of '8' were added in 2 rounds; ")
