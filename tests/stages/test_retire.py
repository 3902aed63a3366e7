"""Retired slot values: kept in a log, left out of later jobs, and only of those."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from synthaug.cli import generating
from synthaug.errors import TemplateError, UserError
from synthaug.stages import generate, retire
from synthaug.stages.generation_params import resolve
from synthaug.stages.generation_plan import job_prompts
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec
from synthaug.store import jobs
from synthaug.workspace import Workspace

TEMPLATE = "a <STROKE> digit eight on <PAPER>"
SLOTS = {"STROKE": ["bold", "thin"], "PAPER": ["white", "lined", "old"]}


def spec(**settings: object) -> GenerationSpec:
    """A job of all six prompts."""
    return GenerationSpec(TEMPLATE, "8", 6, slots=SLOTS, **settings)  # type: ignore[arg-type]


def texts(params: GenerationParams) -> list[str]:
    """The prompts of a job."""
    return [prompt.text for prompt in job_prompts(params).between(0, params.spec.count)]


def test_a_retired_value_is_left_out_until_it_is_taken_back(workspace: Workspace) -> None:
    before = texts(resolve(workspace, spec()))
    assert len(set(before)) == 6
    retire.retire(workspace, "paper", "lined", "ann")
    params = resolve(workspace, spec())
    assert params.prompts == 4
    assert params.spec.retired == {"PAPER": ("lined",)}
    assert all("lined" not in text for text in texts(params))
    assert retire.left_out(workspace, TEMPLATE, SLOTS) == {"PAPER": ["lined"]}
    retire.take_back(workspace, "PAPER", "lined", "bob")
    assert texts(resolve(workspace, spec())) == before
    assert retire.retired(workspace) == []


def test_the_log_says_who_and_when_and_keeps_everything(workspace: Workspace) -> None:
    retire.retire(workspace, "PAPER", "old", "ann")
    retire.retire(workspace, "Paper", "old", "cleo")  # is retired already
    retire.take_back(workspace, "PAPER", "old", "bob")
    retire.retire(workspace, "PAPER", "old", "dora")
    (now,) = retire.retired(workspace)
    assert (now.slot, now.value, now.person) == ("PAPER", "old", "dora")
    rows = workspace.db.query("SELECT person, retired FROM retired_values ORDER BY id")
    assert [tuple(row) for row in rows] == [("ann", 1), ("bob", 0), ("dora", 1)]


def test_a_job_that_is_queued_keeps_what_it_was_queued_with(workspace: Workspace) -> None:
    job = generate.submit(workspace, spec())
    before = texts(GenerationParams.from_json(jobs.get(workspace.db, job).params))
    retire.retire(workspace, "PAPER", "lined", "ann")
    stored = GenerationParams.from_json(jobs.get(workspace.db, job).params)
    assert texts(stored) == before
    later = jobs.get(workspace.db, generate.submit(workspace, spec())).params
    retire.take_back(workspace, "PAPER", "lined", "ann")
    assert "lined" not in " ".join(texts(GenerationParams.from_json(later)))


def test_a_job_of_an_older_release_leaves_nothing_out(workspace: Workspace) -> None:
    params = resolve(workspace, spec()).to_json()
    del params["retired"]
    retire.retire(workspace, "PAPER", "lined", "ann")
    assert len(set(texts(GenerationParams.from_json(params)))) == 6


def test_a_job_may_ask_for_the_retired_ones(workspace: Workspace) -> None:
    retire.retire(workspace, "PAPER", "lined", "ann")
    assert resolve(workspace, spec(retired={})).prompts == 6
    assert resolve(workspace, spec(retired={"STROKE": ["bold"]})).prompts == 3


def test_values_that_cannot_be_retired_are_refused(workspace: Workspace) -> None:
    for value in SLOTS["PAPER"]:
        retire.retire(workspace, "PAPER", value, "ann")
    with pytest.raises(TemplateError, match="every value of PAPER is retired"):
        generate.submit(workspace, spec())
    with pytest.raises(UserError, match="is not retired"):
        retire.take_back(workspace, "STROKE", "bold", "ann")
    with pytest.raises(UserError, match="needs a name"):
        retire.retire(workspace, "STROKE", "bold", " ")
    with pytest.raises(UserError, match="500 characters"):
        retire.retire(workspace, "STROKE", "b" * 501, "ann")


def run(root: Path, *arguments: str) -> dict[str, object]:
    """The command's JSON."""
    answer = CliRunner().invoke(generating.cli, ["retire", *arguments, "--workspace", str(root), "--json"])
    assert answer.exception is None, answer.output
    found: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    return found


def test_the_command_retires_lists_and_takes_back(workspace: Workspace) -> None:
    root = workspace.root
    assert run(root)["retired"] == []
    found = run(root, "PAPER=old", "SUM=a=b", "--annotator", "ann")
    assert found["retired"] == [{"slot": "SUM", "value": "a=b"}, {"slot": "PAPER", "value": "old"}]
    found = run(root, "PAPER=old", "--undo", "--annotator", "ann")
    assert found["retired"] == [{"slot": "SUM", "value": "a=b"}]
