"""Tags: a log of who tagged what, and what a filter, a view and the inspector make of them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from synthaug.cli import labels as cli_labels
from synthaug.errors import UnknownName, UserError, ViewError
from synthaug.reading import facets
from synthaug.reading.inspection import inspect
from synthaug.records import LabelEntry
from synthaug.stages.label import record
from synthaug.stages.selections import save_selection
from synthaug.stages.tag import counts, tag
from synthaug.stages.view import ViewSpec, make_view
from synthaug.store import models, tags, views
from synthaug.store.models import Score
from synthaug.workspace import Workspace
from tests.made import add_gray_image, add_untrained_model
from tests.stages.helpers import add_synthetic


@pytest.fixture
def images(tmp_path: Path) -> tuple[Workspace, list[int]]:
    """Four real training images and four synthetic ones of class 0, all scored."""
    workspace = Workspace.create(tmp_path / "work", ["cat", "dog"])
    ids = [add_gray_image(workspace, 20 * level, "real") for level in range(4)]
    record(workspace, [LabelEntry(each, "class", "import", "imported", f"i{each}", 0) for each in ids])
    ids += add_synthetic(workspace, 4, 0)
    model = add_untrained_model(workspace)
    models.replace_scores(
        workspace.db, model.id, [Score(each, (0, 0), (0, 0), None, None, None, None, None) for each in ids]
    )
    return workspace, ids


def test_a_tag_that_is_already_set_is_not_logged_again(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    assert tag(workspace, ids[:3], " artefact ", "ann") == 3
    assert tag(workspace, ids[2:4], "artefact", "bob") == 1
    assert tag(workspace, [ids[0], ids[0], ids[7]], "artefact", "cleo", remove=True) == 1
    assert counts(workspace) == {"artefact": 3}
    assert tags.ids(workspace.db, "artefact") == ids[1:4]
    history = tags.history(workspace.db, ids[0])
    assert [(each.person, each.tagged) for each in history] == [("ann", True), ("cleo", False)]


def test_the_log_is_never_changed(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    tag(workspace, ids[:1], "artefact", "ann")
    for sql in ("DELETE FROM tag_log", "UPDATE tag_log SET person = 'eve'"):
        with (
            pytest.raises(sqlite3.IntegrityError, match="append-only"),
            workspace.db.transaction() as connection,
        ):
            connection.execute(sql)


@pytest.mark.parametrize("name", ["", "  ", "a,b", "x" * 61, "a\nb"])
def test_invalid_tags_are_refused(images: tuple[Workspace, list[int]], name: str) -> None:
    workspace, ids = images
    with pytest.raises(UserError, match="the tag is"):
        tag(workspace, ids[:1], name, "ann")
    assert counts(workspace) == {}


def test_missing_names_missing_images_and_unknown_images_are_refused(
    images: tuple[Workspace, list[int]],
) -> None:
    workspace, ids = images
    with pytest.raises(UserError, match="needs a name"):
        tag(workspace, ids, "keep", " ")
    with pytest.raises(UserError, match="no image"):
        tag(workspace, [], "keep", "ann")
    with pytest.raises(UnknownName):
        tag(workspace, [*ids, 999], "keep", "ann")
    assert counts(workspace) == {}


def test_the_facet_knows_images_with_several_tags(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    assert "tag" not in {each.name for each in facets.facets(workspace)}
    before = facets.version(workspace)
    tag(workspace, ids[:3], "clock", "ann")
    tag(workspace, ids[2:4], "blurred", "ann")
    assert facets.version(workspace) != before
    (facet,) = [each for each in facets.facets(workspace) if each.name == "tag"]
    assert facet.values == ("clock", "blurred")
    assert facet.sets is not None
    named = [
        {facet.values[place] for place in facet.sets[code - 1]} if code else set() for code in facet.codes
    ]
    assert named == [{"clock"}, {"clock"}, {"clock", "blurred"}, {"blurred"}, set(), set(), set(), set()]
    assert facet.codes.dtype == np.uint16


def test_a_view_takes_by_tag_and_leaves_out_by_tag(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    tag(workspace, ids[4:6], "good", "ann")
    tag(workspace, [ids[0], ids[5]], "doubtful", "ann")

    def members(name: str, spec: ViewSpec) -> set[int]:
        return {each.image_id for each in views.members(workspace.db, make_view(workspace, name, spec).id)}

    assert members("good", ViewSpec(add_synthetic={"cat": 2}, tags=("good",))) == {*ids[:4], *ids[4:6]}
    both = ViewSpec(add_synthetic={"cat": 1}, tags=("good",), without_tags=("doubtful",))
    assert members("both", both) == {*ids[1:4], ids[4]}
    assert members("real", ViewSpec(without_tags=("doubtful",))) == set(ids[1:4])
    assert ViewSpec.from_json(json.loads(json.dumps(both.to_json()))) == both


def test_views_refuse_tags_that_they_cannot_use(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    tag(workspace, ids[4:5], "good", "ann")
    with pytest.raises(UnknownName, match="no tag called 'god'"):
        make_view(workspace, "v", ViewSpec(add_synthetic={"cat": 1}, tags=("god",)))
    with pytest.raises(ViewError, match=r"there are 1 .*tagged good"):
        make_view(workspace, "v", ViewSpec(add_synthetic={"cat": 2}, tags=("good",)))
    with pytest.raises(ViewError, match="--tag"):
        make_view(workspace, "v", ViewSpec(tags=("good",)))


def test_the_inspector_knows_them(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    tag(workspace, ids[:1], "clock", "ann")
    tag(workspace, ids[:1], "blurred", "bob")
    tag(workspace, ids[:1], "clock", "bob", remove=True)
    found = inspect(workspace, str(ids[0]), None)
    assert found.tags == ("blurred",)
    assert [each.tag for each in found.taggings] == ["clock", "blurred", "clock"]


def test_the_command_tags_images_and_selections(images: tuple[Workspace, list[int]]) -> None:
    workspace, ids = images
    save_selection(workspace, "mine", ids[6:])

    def run(*arguments: str) -> dict[str, object]:
        command = ["tag", *arguments, "--workspace", str(workspace.root), "--json"]
        answer = CliRunner().invoke(cli_labels.cli, command)
        assert answer.exception is None, answer.output
        found: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
        return found

    assert run()["tags"] == {}
    assert run("keep", "--image", str(ids[0]), "--selection", "mine", "--annotator", "ann")["changed"] == 3
    assert run("keep", "--image", str(ids[0]), "--remove", "--annotator", "ann")["tags"] == {"keep": 2}
