"""Number formats of the hardware at hand."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from synthaug.hardware import multiplies_bfloat16

LEAVES_WHILE_ANOTHER_CONVERTS = """
import threading

import torch

from synthaug.hardware import mixed_precision

converting, left = threading.Event(), threading.Event()


class Weight(torch.Tensor):
    def __new__(cls, values):
        made = torch.Tensor._make_wrapper_subclass(cls, values.shape, dtype=values.dtype, requires_grad=True)
        made.values = values
        return made

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        converting.set()
        left.wait()
        return function(args[0].values, **(kwargs or {}))


def multiply():
    with mixed_precision(torch.device("cpu")):
        torch.ones(2, 2) @ Weight(torch.ones(2, 2))


thread = threading.Thread(target=multiply)
thread.start()
with mixed_precision(torch.device("cpu")):
    converting.wait()
left.set()
thread.join()
"""


@pytest.mark.skipif(
    not multiplies_bfloat16(torch.device("cpu")), reason="this CPU computes in single precision only"
)
def test_a_thread_leaves_mixed_precision_while_another_converts_a_weight() -> None:
    """As while compiling, where converting waits for the interpreter: a training of two shards stood still for ever."""
    subprocess.run([sys.executable, "-c", LEAVES_WHILE_ANOTHER_CONVERTS], check=True, timeout=120)
