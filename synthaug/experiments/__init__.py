"""The experiments of papers, one per module. ``load_experiment`` imports one by name, on use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from synthaug.errors import UnknownName

if TYPE_CHECKING:
    from synthaug.experiments.base import Experiment, ScaleName

EXPERIMENTS = {
    "imbalance-table": "synthaug.experiments.imbalance_table:ImbalanceTable",
    "long-tail": "synthaug.experiments.long_tail:LongTail",
    "replacement": "synthaug.experiments.replacement:Replacement",
    "rare-class": "synthaug.experiments.rare_class:RareClass",
    "cat-cnn": "synthaug.experiments.cat_cnn:CatCnn",
    "context": "synthaug.experiments.context:Context",
    "hip": "synthaug.experiments.hip.experiment:Hip",
}
"""Every class takes ``(scale, data, **options)`` and implements ``Experiment``."""


def load_experiment(name: str, scale: ScaleName, data: str | None = None, **options: Any) -> Experiment:
    """The experiment ``name`` at a scale, on ``data`` (any source that can be imported).

    Raises UnknownName for an unknown experiment, scale or option, and UserError for an invalid value.
    """
    if name not in EXPERIMENTS:
        raise UnknownName("experiment", name, EXPERIMENTS)
    module, _, attribute = EXPERIMENTS[name].partition(":")
    experiment: Experiment = getattr(import_module(module), attribute)(scale, data, **options)
    return experiment
