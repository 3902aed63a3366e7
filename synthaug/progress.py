"""How long work reports how far it is: the signatures, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Progress = Callable[[int, int, str], None]
"""(units done, units in all, what it is at)."""

EpochProgress = Callable[[dict[str, Any]], None]
"""What the training loop of a classifier measured in an epoch: "epoch", "epochs", "loss" ..."""

RunProgress = Callable[[int, int, dict[str, Any]], None]
"""(training runs done, runs in all, the epoch of the present run)."""

StepProgress = Callable[[str, int, int, float], None]
"""(phase, steps done, steps in all, loss), after every step; raise in it to stop."""
