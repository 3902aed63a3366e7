from __future__ import annotations

import math
from dataclasses import replace

import pytest

from synthaug.classifiers.networks import NETWORKS
from synthaug.classifiers.optimisation import lr_factor
from synthaug.classifiers.recipes import RECIPES, find_recipe
from synthaug.errors import UnknownName, UserError


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_found_by_its_own_name_and_names_a_network(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.name == name
    assert recipe.network in NETWORKS


def test_unknown_recipe_lists_what_there_is() -> None:
    with pytest.raises(UnknownName, match=r"no recipe called 'resnet9'.*'digits'"):
        find_recipe("resnet9")


def test_digits_are_never_flipped() -> None:
    assert not RECIPES["digits"].flip


def test_long_protocol_is_the_published_one() -> None:
    r = RECIPES["resnet18-100"]
    assert (r.network, r.optimizer, r.lr, r.momentum, r.weight_decay) == ("resnet18", "sgd", 0.1, 0.9, 5e-4)
    assert (r.epochs, r.batch_size, r.warmup_epochs, r.gradient_clip) == (100, 256, 5, 0.5)
    assert (r.schedule, r.crop_padding, r.flip) == ("cosine", 4, True)


def test_cosine_climbs_to_one_then_falls_along_a_half_wave() -> None:
    factors = [lr_factor("cosine", step, 110, 10) for step in range(110)]
    assert factors[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert factors[10] == 1
    assert factors[60] == pytest.approx(0.5)
    assert factors[35] == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert 0 < factors[-1] < 0.001


def test_one_cycle_falls_linearly_and_the_schedule_none_is_constant() -> None:
    assert [lr_factor("one-cycle", step, 6, 2) for step in range(6)] == [0.5, 1, 1, 0.75, 0.5, 0.25]
    assert [lr_factor("none", step, 4, 0) for step in range(4)] == [1, 1, 1, 1]


def test_a_shortened_recipe_warms_up_for_a_quarter_at_most() -> None:
    recipe = replace(RECIPES["resnet18-100"], steps=7)
    assert recipe.for_epochs(8).warmup_epochs == 2
    assert recipe.for_epochs(50).warmup_epochs == 5
    assert (recipe.for_epochs(8).epochs, recipe.for_epochs(8).steps) == (8, None)
    for each in RECIPES.values():
        assert each.for_epochs(each.epochs) == each  # so that their runs are found again
    with pytest.raises(UserError, match="must be at least 1"):
        recipe.for_epochs(0)


def test_updates_of_a_larger_set() -> None:
    recipe = replace(RECIPES["digits"], epochs=3, batch_size=64)
    assert recipe.for_updates_of(130).steps == 9  # three batches an epoch
