"""The spec of a generation job: the same after JSON, and readable from jobs of earlier releases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthaug.errors import UserError
from synthaug.hardware import CPUFormat, fastest_cpu_format
from synthaug.stages.drawing import load
from synthaug.stages.generation_params import UNPROMPTED, resolve
from synthaug.stages.generation_spec import GenerationParams, GenerationSpec, Start
from synthaug.stages.view import ViewSpec, make_view
from synthaug.workspace import Workspace

words = st.text(max_size=8)
scales = st.floats(0, 100)
specs = st.builds(
    GenerationSpec,
    words,
    st.none() | words,
    st.integers(1, 10**7),
    generator=st.none() | words,
    steps=st.none() | st.integers(1, 1000),
    guidance=st.none() | scales | st.integers(0, 100) | st.tuples(scales, scales),
    guidance_interval=st.none() | st.tuples(st.floats(0, 0.5), st.floats(0.5, 1)),
    guidance_by_slot=st.dictionaries(words, st.dictionaries(words, scales, max_size=2), max_size=2),
    seed=st.integers(),
    slots=st.dictionaries(words, st.lists(words, max_size=3), max_size=2),
    duplicates=st.sampled_from(["keep", "skip"]),
    stratify=st.none() | words,
    start=st.sampled_from(get_args(Start)),
    strength=st.none() | st.floats(0.01, 1),
    sources=st.none() | words,
    compile=st.booleans(),
    cpu_format=st.sampled_from([None, *get_args(CPUFormat)]),
)


@given(specs)
def test_json_gives_the_same_spec_back(spec: GenerationSpec) -> None:
    data = spec.to_json()
    assert GenerationSpec.from_json(data) == spec
    stored = json.loads(json.dumps(data))
    assert stored == data
    assert GenerationSpec.from_json(stored) == spec


@given(
    specs,
    words,
    st.integers(1, 10**9),
    st.none() | st.lists(st.integers(1), min_size=1, max_size=4).map(tuple),
    st.none() | st.tuples(st.integers(1, 4096), st.integers(1, 4096)),
)
def test_json_gives_the_same_params_back(
    spec: GenerationSpec,
    generator: str,
    prompts: int,
    source_ids: tuple[int, ...] | None,
    size: tuple[int, int] | None,
) -> None:
    fixed = replace(spec, generator=generator, sources=None)  # as resolve leaves it
    params = GenerationParams(fixed, generator, prompts, source_ids, size)
    assert GenerationParams.from_json(json.loads(json.dumps(params.to_json()))) == params


def test_fields_missing_in_an_older_release_have_their_defaults() -> None:
    old: dict[str, Any] = {"template": "a cat", "label": "cat", "count": 3, "guidance": [1.0, 5.0]}
    assert GenerationSpec.from_json(old) == GenerationSpec("a cat", "cat", 3, guidance=(1.0, 5.0))


def test_fields_of_a_newer_release_are_refused() -> None:
    newer = {**GenerationSpec("a cat", "cat", 3).to_json(), "negative_prompt": "dog"}
    with pytest.raises(UserError, match="'negative_prompt'; upgrade synthaug"):
        GenerationSpec.from_json(newer)


def test_a_job_keeps_its_sources_whatever_becomes_of_the_view(digits: Workspace) -> None:
    make_view(digits, "few", ViewSpec(keep={"8": 3}))
    asked = GenerationSpec("an eight", "8", 4, generator="digits", start="image", sources="few")
    params = resolve(digits, asked)
    assert params.source_ids is not None
    assert len(params.source_ids) == 3
    assert GenerationParams.from_json(json.loads(json.dumps(params.to_json()))) == params
    everything = resolve(digits, replace(asked, sources=None)).source_ids
    assert set(params.source_ids) < set(everything or ())


def test_defaults_of_the_workspace_are_fixed_in_the_job(digits: Workspace) -> None:
    params = resolve(digits, GenerationSpec("{a|b}", "8", 4))
    assert (params.generator, params.prompts, params.size) == ("digits", 2, (32, 32))
    assert params.spec.generator == "digits"
    assert resolve(digits, GenerationSpec(" ", None, 4)).spec.template == UNPROMPTED


def test_a_job_keeps_the_number_format_it_was_queued_with(digits: Workspace) -> None:
    """Else a job that goes on after an upgrade, or on another machine, would change its images halfway."""
    params = resolve(digits, GenerationSpec("an eight", "8", 4))
    assert params.spec.cpu_format == fastest_cpu_format()
    assert (
        resolve(digits, replace(params.spec, sources=None, cpu_format="float32")).spec.cpu_format == "float32"
    )
    older = {name: value for name, value in params.to_json().items() if name != "cpu_format"}
    assert load(GenerationParams.from_json(older)).settings.dtype == "float32"
    with pytest.raises(UserError, match="no CPU format called 'float8'"):
        resolve(digits, replace(params.spec, cpu_format="float8"))  # type: ignore[arg-type]
