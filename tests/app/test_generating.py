"""Parts of the Generate and Fine-tune pages: marked words, cards, previews, guidance, curve and filmstrip."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthaug_app.components.finetuning import filmstrip, finished, live, loss_curve
from synthaug_app.components.finetuning.form import FormValues as TuningValues
from synthaug_app.components.finetuning.form import submit_arguments
from synthaug_app.components.generate.form import FormValues, form_values, generation_spec
from synthaug_app.components.generate.generator_card import card, figure_text
from synthaug_app.components.generate.preview import Side, preview_panel
from synthaug_app.components.generate.side_by_side import settings_of
from synthaug_app.components.generate.words import legend, marked

from synthaug.errors import UserError
from synthaug.generators.base import GeneratedImage, ModelCard
from synthaug.reading.generator_choice import GeneratorChoice, Vocabulary
from synthaug.records import Job, Prompt
from synthaug.stages.finetune import FinetunedModel
from synthaug.stages.generate import Drawn

EVIL = "<img src=x onerror=alert(1)> ${alert(2)} {{value}}"
VALUES = FormValues("a {bold|thin} eight", "8", 100, "digits", None, "", 0, "text", None, "")


def test_words_are_marked_and_the_unread_end_is_bracketed() -> None:
    known = Vocabulary(frozenset({"cat", "dark green"}), lambda text: 20)
    shown = marked("a cat, dark green, on a sofa at night", known)
    assert '<span class="sa-word-known">cat</span>' in shown
    assert '<span class="sa-word-known">dark green</span>' in shown
    assert "<s " not in shown
    assert re.search(r'sa-word-unread"[^>]*>n a sofa at night</span>', shown)
    assert "not read" in legend(["a cat, dark green, on a sofa at night"], known)


def test_unknown_words_are_struck_through_and_named() -> None:
    known = Vocabulary(frozenset({"cat"}), len)
    assert '<s class="sa-word-unknown"' in marked("a cat on a clock", known)
    assert "(clock)" in legend(["a cat on a clock", "a clock"], known)
    assert "Every word is in" in legend(["a cat"], known)
    assert marked("a clock", None) == "a clock"
    assert legend(["a clock"], None) == ""


def test_hostile_words_stay_text() -> None:
    known = Vocabulary(frozenset({"img"}), lambda text: 10)
    for shown in (marked(EVIL, known), marked(EVIL, None), legend([EVIL], known)):
        assert "<img" not in shown


def test_the_form_becomes_the_spec_of_a_job() -> None:
    assert generation_spec(VALUES._replace(guidance="1..5")).guidance == (1.0, 5.0)
    images = generation_spec(VALUES._replace(start="image", strength=0.4, sources="few"))
    assert (images.start, images.strength, images.sources) == ("image", 0.4, "few")
    left_behind = generation_spec(VALUES._replace(strength=0.4, sources="few"))
    assert (left_behind.strength, left_behind.sources) == (None, None)
    with pytest.raises(UserError, match="number of images"):
        generation_spec(VALUES._replace(images=None))


def test_the_form_opens_with_what_was_asked_for_last() -> None:
    asked = generation_spec(VALUES._replace(steps=4, guidance="1..5", start="image", strength=0.4))
    assert generation_spec(form_values(asked, "digits")) == asked


def test_two_settings_differ_in_what_was_asked_for_alone() -> None:
    (_, first), (caption, second) = settings_of(VALUES, True, "", "6")
    assert second == replace(first, guidance=6.0)
    assert "guidance 6" in caption
    assert len(settings_of(VALUES, False, "other", "6")) == 1
    ((usual, _),) = settings_of(VALUES._replace(generator=""), False, "", "")
    assert usual == "the default generator, default guidance"
    with pytest.raises(UserError, match="equal"):
        settings_of(VALUES, True, "", "")


def about(held: ModelCard, size: int | None = 5_400_000) -> GeneratorChoice:
    """A choice with this card."""
    return GeneratorChoice("name", "name", held, "folder" if size else "hub", size)


def test_a_card_shows_what_it_holds() -> None:
    held = ModelCard(
        name=EVIL,
        classes=("cat",),
        words=("cat", "dark"),
        trained_on="50,000 photos",
        num_inference_steps=8,
        guidance_interval=(0.25, 1.0),
        figures={"class_agreement": 0.912, "images_per_second": 9.5, "fid": {"value": 31.234}},
    )
    shown = card(about(held))
    assert "<img" not in shown
    for part in (
        "5.4 MB",
        "50,000 photos",
        "91.2%",
        "31.2",
        "about 9.5 images per second",
        "8 steps",
        "guided from 25% to 100%",
    ):
        assert part in shown
    assert shown.count(">cat<") == 1
    assert "Nothing was measured" in card(about(ModelCard()))
    assert "downloaded" in card(about(ModelCard(), None))


def test_figures_read_as_people_write_them() -> None:
    assert figure_text("recall", 0.5) == "50.0%"
    assert figure_text("fid", 0.5) == "0.5"
    assert figure_text("images", 10000) == "10,000"


def drawn(number: int, cut: str = "") -> Drawn:
    """One image of a preview."""
    pixels = np.full((8, 8, 3), number, np.uint8)
    return Drawn(Prompt(number, f"prompt {number}", {}), GeneratedImage(pixels, cut=cut))


def test_a_comparison_keeps_pairs_together_and_fills_in_as_it_goes() -> None:
    left, right = Side("A", [drawn(0), drawn(1)]), Side("B", [drawn(0)])
    shown = preview_panel([left, right], 2, busy=True)
    assert shown.count("<img") == 3
    assert shown.count("sa-blank") == 1
    assert shown.count("<figure>") == 2
    assert "3 of 4" in shown
    assert "prompts and the seeds are the same" in shown


def test_the_cut_end_of_a_prompt_is_reported_once() -> None:
    side = Side("A", [drawn(0, " and so on"), drawn(1)])
    shown = preview_panel([side, side], 2)
    assert "1 different prompt is longer" in shown
    assert "<q> and so on</q>" in shown


def tuning(state: str = "running", **result: Any) -> Job:
    """A job of fine-tuning."""
    config = {"method": "lora", "steps": 20, "batch_size": 4, "learning_rate": None}
    params = {"name": EVIL, "base": "digits", "view": "few", "config": config}
    when = "2026-11-21T01:02:03.000Z"
    return Job(
        id=1, kind="finetune", state=state, params=params, done=10, total=20, note="", error="", result=result,
        created_at=when, started_at=when, finished_at=None, cancel_requested=False,
    )  # type: ignore[arg-type]  # fmt: skip


def test_the_filmstrip_has_a_row_a_validation() -> None:
    rows = [
        {"step": 0, "images": ["a" * 64, "b" * 64], "prompts": ["one", EVIL]},
        {"step": 1500, "images": ["c" * 64, "d" * 64], "prompts": ["one", EVIL]},
    ]
    shown = filmstrip(rows)
    assert re.findall(r"/media/(\w)\w+\.png", shown) == list("abcd")
    assert re.findall(r'<th scope="row">([^<]+)', shown) == ["before", "step 1,500"]
    assert "<img src=x" not in shown


def test_a_loss_curve_runs_over_all_steps_and_leaves_out_what_is_no_number() -> None:
    history = [{"step": step, "loss": 1 / step} for step in range(1, 11)] + [
        {"step": 11, "loss": float("nan")}
    ]
    lines = re.findall(r'points="([^"]+)"', loss_curve(history, 20))
    assert [len(line.split()) for line in lines] == [10, 10]
    ends = [float(point.split(",")[0]) for point in (lines[0].split()[0], lines[0].split()[-1])]
    assert ends[1] - ends[0] == pytest.approx((640 - 52 - 12) * 9 / 20, abs=0.2)
    assert "<svg" not in loss_curve([], 20)


def test_a_tuning_in_every_state_stands() -> None:
    assert "<img src=x" not in live(tuning())
    assert "Generate with it" in live(tuning("done", path="/w/models/finetuned/a b"))
    assert "generator=%2Fw%2Fmodels%2Ffinetuned%2Fa+b" in live(tuning("done", path="/w/models/finetuned/a b"))
    model = FinetunedModel(EVIL, Path("/w/x"), "digits", "lora", 7, 20, "2026-11-21T01:02:03.000Z")
    assert "<img src=x" not in finished([model])
    assert finished([]) == ""


def test_the_tuning_form_becomes_the_arguments_of_a_job() -> None:
    values = ("few", "", "", "lora", "left", "behind", 20.0, 4.0, None, " one \n\n two", "")
    found = submit_arguments(TuningValues(*values))
    assert found["validation_prompts"] == ["one", "two"]
    assert (found["instance_prompt"], found["class_prompt"], found["base"]) == (None, None, None)
    with pytest.raises(UserError, match="view"):
        submit_arguments(TuningValues(None, *values[1:]))
