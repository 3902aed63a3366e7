"""Number formats, compilation and device names for the hardware at hand. torch is imported on use."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch

CPUFormat = Literal["float32", "bfloat16"]
"""Number format of networks that draw on a CPU."""


BFLOAT16_UNITS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
"""Flags of /proc/cpuinfo and the names of the units that they stand for, the fastest first."""


@cache
def bfloat16_unit() -> str | None:
    """The unit of this machine's CPU that multiplies bfloat16, such as "AMX", which Linux alone tells; else None."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return None
    return next((name for flag, name in BFLOAT16_UNITS.items() if flag in flags), None)


def fastest_cpu_format() -> CPUFormat:
    """bfloat16 if this machine's CPU multiplies it, else float32."""
    return "bfloat16" if bfloat16_unit() else "float32"


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16: GPUs from CUDA capability 8.0 on, and CPUs with AMX or AVX512-BF16.

    Without such units bfloat16 is slower than float32. Convolutions run five to eight times faster with AMX, and twice
    as fast with AVX512-BF16.
    """
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and fastest_cpu_format() == "bfloat16"


def mixed_precision(device: torch.device, *, wanted: bool = True) -> torch.autocast:
    """A context in which matrix products run in bfloat16, if it is ``wanted`` and the device has units for it."""
    import torch

    # Without a cache of converted weights, which a forward pass uses once anyway: a thread that compiles holds its lock
    # while it waits for the interpreter, and a thread that leaves the context waits for the lock, for ever.
    return torch.autocast(
        device.type, torch.bfloat16, enabled=wanted and multiplies_bfloat16(device), cache_enabled=False
    )


def compiled(function: Callable[..., Any], threads: int) -> Callable[..., Any]:
    """``function`` compiled for ``threads`` concurrent threads; the function itself if there is no C++ compiler."""
    import torch
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        return function
    options: dict[str, Any] | None = {"cpp.threads": 1} if threads > 1 else None
    made: Callable[..., Any] = torch.compile(function, dynamic=False, options=options)
    return made


def describe_device(device: torch.device) -> str:
    """The name of the device for a training record, such as "2 CPU cores with AMX (x86_64)" or "NVIDIA H200"."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    unit = bfloat16_unit()
    units = f" with {unit}" if unit else ""
    return f"{torch.get_num_threads()} CPU cores{units} ({platform.machine()})"
