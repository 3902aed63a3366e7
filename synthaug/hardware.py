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


@cache
def fastest_cpu_format() -> CPUFormat:
    """bfloat16 if this machine's CPU has matrix units for it (AMX), which Linux alone tells; else float32."""
    try:
        return "bfloat16" if "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8") else "float32"
    except OSError:
        return "float32"


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has matrix units for bfloat16: GPUs from CUDA capability 8.0 on, and CPUs with AMX.

    Without such units bfloat16 is slower than float32; with AMX, convolutions run five to eight times faster.
    """
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and fastest_cpu_format() == "bfloat16"


def mixed_precision(device: torch.device, *, wanted: bool = True) -> torch.autocast:
    """A context in which matrix products run in bfloat16, if it is ``wanted`` and the device has units for it."""
    import torch

    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and multiplies_bfloat16(device))


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
    units = " with AMX" if multiplies_bfloat16(device) else ""
    return f"{torch.get_num_threads()} CPU cores{units} ({platform.machine()})"
