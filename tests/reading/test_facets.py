"""Facets and the search in prompts, against facts that were put there."""

from __future__ import annotations

from typing import Any

import numpy as np
from synthaug_app.points import decode_points, encode_facets

from synthaug.reading import facets
from synthaug.records import LabelEntry
from synthaug.stages import label
from synthaug.store import generations, jobs, models
from synthaug.store.generations import Generation
from synthaug.store.models import Score
from synthaug.workspace import Workspace
from tests.made import add_gray_image

MADE: list[dict[str, Any]] = [
    {
        "slots": {"WHAT": "clock"},
        "prompt": "A cat on the Clock",
        "generator": "one",
        "details": {"guidance_scale": 2.0},
    },
    {"slots": {"WHAT": "sofa"}, "prompt": "a cat on the sofa", "generator": "one", "details": {}},
    {"slots": {"WHAT": "sofa", "HOW": "asleep"}, "prompt": "100% cat_s", "generator": "two", "details": {}},
]


def filled(workspace: Workspace) -> list[int]:
    """Three generated images and one real, all with scores."""
    ids = []
    job = jobs.submit(workspace.db, "generate", {}, len(MADE))
    for number in range(len(MADE) + 1):
        made = MADE[number] if number < len(MADE) else None
        image_id = add_gray_image(
            workspace, number, "synthetic" if made else "real", caption=None if made else "a grey Cat"
        )
        ids.append(image_id)
        if made:
            generation = Generation(
                job,
                number,
                image_id,
                3,
                made["prompt"],
                0,
                made["slots"],
                1,
                made["generator"],
                "r",
                made["details"],
            )
            generations.add(workspace.db, generation)
    models.replace_scores(
        workspace.db,
        None,
        [Score(each, (0, 0), (0, 0), None, None, None, None, None) for each in ids],
        "lite",
    )
    label.record(workspace, [LabelEntry(ids[3], "class", "ann", "human", "operation-1", 4)])
    return ids


def said(workspace: Workspace) -> dict[str, list[str | None]]:
    """The value of every image, by facet."""
    return {
        each.name: [None if code == 0 else each.values[code - 1] for code in each.codes]
        for each in facets.facets(workspace)
    }


def test_every_image_has_its_values(workspace: Workspace) -> None:
    filled(workspace)
    assert said(workspace) == {
        "slot:HOW": [None, None, "asleep", None],
        "slot:WHAT": ["clock", "sofa", "sofa", None],
        "job": ["job 1", "job 1", "job 1", None],
        "generator": ["one", "one", "two", None],
        "guidance": ["2", None, None, None],
        "annotator": [None, None, None, "ann"],
    }


def test_an_image_that_two_jobs_made_counts_for_the_first(workspace: Workspace) -> None:
    ids = filled(workspace)
    later = jobs.submit(workspace.db, "generate", {}, 1)
    generations.add(workspace.db, Generation(later, 0, ids[0], 3, "x", 0, {}, 1, "three", "r"))
    assert said(workspace)["generator"][0] == "one"


def test_words_are_sought_in_prompts_and_captions(workspace: Workspace) -> None:
    ids = filled(workspace)
    assert facets.search(workspace, "clock CAT").tolist() == [ids[0]]
    assert facets.search(workspace, "cat").tolist() == ids
    assert facets.search(workspace, "% cat_s").tolist() == [ids[2]]  # no wildcards
    assert facets.search(workspace, "'; DROP TABLE images").tolist() == []


def test_the_rare_values_of_a_facet_are_one(workspace: Workspace, monkeypatch: Any) -> None:
    filled(workspace)
    monkeypatch.setattr(facets, "MOST_VALUES", 1)
    assert said(workspace)["slot:WHAT"] == [facets.OTHER, "sofa", "sofa", None]


def test_facet_values_are_sent_as_bytes(workspace: Workspace) -> None:
    filled(workspace)
    given = facets.facets(workspace)
    header, columns = decode_points(encode_facets(given))
    assert [each["values"] for each in header["facets"]] == [list(each.values) for each in given]
    for each in given:
        np.testing.assert_array_equal(columns[each.name], each.codes)
