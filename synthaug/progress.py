"""Signatures of progress callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Progress = Callable[[int, int, str], None]
"""Called with (units done, total units, description of the current work)."""

EpochProgress = Callable[[dict[str, Any]], None]
"""Called after each epoch of a classifier with its measurements: "epoch", "epochs", "loss" ..."""

RunProgress = Callable[[int, int, dict[str, Any]], None]
"""Called with (training runs done, total runs, measurements of the current run's last epoch)."""

StepProgress = Callable[[str, int, int, float], None]
"""Called with (phase, steps done, total steps, loss) after every step; raising an exception stops the training."""
