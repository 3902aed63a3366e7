"""A source's classes as the workspace's: another one, none, not imported, added first."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthaug
from synthaug.errors import NothingImported, UserError
from synthaug.running.jobs import JobQueue, run_to_end
from synthaug.stages.class_map import ClassMap
from synthaug.stages.handlers import HANDLERS, submit_import
from synthaug.stages.importing import import_images
from synthaug.store import catalog, labels
from synthaug.workspace import Workspace
from tests.test_cli import Shell, shell

from .test_importing import picture

__all__ = ["shell"]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two big hips, a small one, two unlabeled ones, one that belongs to nobody."""
    names = ("big/a", "big/b", "Small/c", "unlabeled/d", "unlabeled/e", "notes/f")
    for seed, name in enumerate(names):
        picture(tmp_path / "films" / f"{name}.png", seed)
    return tmp_path / "films"


@pytest.fixture
def hips(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "work", ["Big", "Small"])


def classes_by_source(workspace: Workspace) -> dict[str, str | None]:
    """The current class of every image."""
    images = catalog.find_images(workspace.db)
    current = labels.current(workspace.db, [each.id for each in images])
    indices = {each.source: current[each.id].class_index if each.id in current else None for each in images}
    return {path: None if index is None else workspace.classes[index] for path, index in indices.items()}


def test_folders_become_classes_none_or_nothing(hips: Workspace, films: Path) -> None:
    mapping = ClassMap({"big": "Big", "unlabeled": None}, skip=("notes",))
    result = import_images(hips, films, class_map=mapping)
    assert (result.added, result.labels, result.skipped, result.rejected) == (5, 3, 1, ())
    assert classes_by_source(hips) == {
        "Small/c.png": "Small",
        "big/a.png": "Big",
        "big/b.png": "Big",
        "unlabeled/d.png": None,
        "unlabeled/e.png": None,
    }


def test_a_class_that_is_missing_is_added_once(hips: Workspace, films: Path) -> None:
    mapping = ClassMap({"big": "Big"}, skip=("notes",), add=("unlabeled",))
    import_images(hips, films, class_map=mapping)
    again = import_images(hips, films, class_map=mapping)
    assert hips.classes == ("Big", "Small", "unlabeled")
    assert (again.added, again.duplicates) == (0, 5)
    assert classes_by_source(hips)["unlabeled/d.png"] == "unlabeled"


def test_numbers_get_names(hips: Workspace, tmp_path: Path) -> None:
    images = [picture(tmp_path / f"{seed}.png", seed).read_bytes() for seed in range(4)]
    pq.write_table(pa.table({"image": images, "label": [1, 0, -1, 7]}), tmp_path / "train.parquet")
    mapping = ClassMap({"1": "Big", "0": "Small", "": "Small"}, skip=("7",))
    result = import_images(hips, tmp_path / "train.parquet", class_map=mapping)
    assert list(classes_by_source(hips).values()) == ["Big", "Small", "Small"]
    assert (result.skipped, result.notes) == (1, ())


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (
            ClassMap({"unlabelled": None}),
            "the source has no class 'unlabelled'; it has: 'Small', 'big'",
        ),
        (ClassMap(skip=("",)), "the source has no class ''"),
        (
            ClassMap({"big": "Bg"}),
            "'big' is mapped to 'Bg', which is not a class of the workspace; it has: 'Big', 'Small'",
        ),
        (ClassMap({"big": None}, skip=("big",)), "'big' is both mapped and skipped"),
        (ClassMap(add=("a\nb",)), "control characters"),
        (ClassMap(add=("",)), "is empty"),
    ],
)
def test_a_map_that_cannot_be_meant_changes_nothing(
    hips: Workspace, films: Path, mapping: ClassMap, message: str
) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        import_images(hips, films, class_map=mapping)
    assert hips.classes == ("Big", "Small")
    assert catalog.count_images(hips.db) == 0


names = st.text(max_size=5)


@given(
    st.builds(
        ClassMap,
        st.dictionaries(names, st.none() | names, max_size=3),
        st.lists(names, max_size=3).map(tuple),
        st.lists(names, max_size=3).map(tuple),
    )
)
def test_a_map_survives_json(mapping: ClassMap) -> None:
    assert ClassMap.from_json(json.loads(json.dumps(mapping.to_json()))) == mapping


def test_a_map_of_something_else_is_refused() -> None:
    with pytest.raises(UserError, match=r"the mapping of classes cannot be used: classes\.a"):
        ClassMap.from_json({"classes": {"a": 3}, "skip": [], "add": []})


def test_the_command_maps(shell: Shell, hips: Workspace, films: Path) -> None:
    options = ["--map", "big=Big", "--map", "unlabeled=", "--skip", "notes"]
    said = shell.json("import", films, *options, "--workspace", hips.root)
    assert (said["added"], said["skipped"], said["labels"]) == (5, 1, 3)
    assert "--map 'big' contains no '='" in shell.error(
        "import", films, "--map", "big", "--workspace", hips.root
    )


def test_python_maps(hips: Workspace, films: Path) -> None:
    session = synthaug.open(hips.root)
    found = session.import_images(
        films, class_map=synthaug.ClassMap({"big": "Big"}, skip=("notes", "unlabeled"))
    )
    assert found.added == 3


def test_a_share_is_held_out_by_the_pixels(tmp_path: Path) -> None:
    for seed in range(200):
        picture(tmp_path / "src" / "a" / f"{seed}.png", seed)
    splits = []
    for name in ("one", "two"):
        workspace = Workspace.create(tmp_path / name, ["a"])
        import_images(workspace, tmp_path / "src", hold_out=0.2)
        splits.append({each.sha256: each.split for each in catalog.find_images(workspace.db)})
    assert splits[0] == splits[1]
    tested = list(splits[0].values()).count("test")
    assert 20 <= tested <= 60  # 40 expected, standard deviation 5.7
    with pytest.raises(UserError, match="must be in 0"):
        import_images(workspace, tmp_path / "src", hold_out=1.0)


def test_the_split_in_the_source_takes_precedence(digits: Workspace, tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "again", (), "digits")
    import_images(workspace, "digits", hold_out=0.9)
    assert len(catalog.find_images(workspace.db, split="test")) == 500


def test_a_job_of_which_everything_was_rejected_has_failed_and_says_which(
    hips: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "src/Big").mkdir(parents=True)
    for name in ("a.png", "b.dcm"):
        (tmp_path / "src/Big" / name).write_bytes(b"no image")
    job = run_to_end(hips, submit_import(hips, str(tmp_path / "src"), "auto", None, "real"), HANDLERS)
    assert job.state == "failed"
    assert "all 2 entries of src were rejected" in job.error
    assert [path for path, _ in job.result["rejected"]] == ["Big/a.png", "Big/b.dcm"]
    with pytest.raises(NothingImported):
        import_images(hips, tmp_path / "src")


def test_a_job_keeps_its_map(hips: Workspace, films: Path) -> None:
    mapping = ClassMap({"big": "Big", "unlabeled": None}, ("notes",), ("Middle",))
    job = submit_import(hips, str(films), "auto", None, "real", mapping)
    done = run_to_end(hips, job, HANDLERS)
    assert (done.state, done.result["added"], done.result["skipped"]) == ("done", 5, 1)
    assert hips.classes == ("Big", "Small", "Middle")
    with pytest.raises(UserError, match="is empty"):
        submit_import(hips, str(films), "auto", None, "real", ClassMap(add=(" ",)))
    assert len(JobQueue(hips).list()) == 1
