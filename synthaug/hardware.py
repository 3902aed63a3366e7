"""What the machine computes fast in. Import on use: needs torch."""

from __future__ import annotations

import platform

import torch


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has matrix units for bfloat16: CUDA from 8.0 on, CPUs with AMX.

    Without such units bfloat16 is slower than float32; with AMX, convolutions run five to eight times faster.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def mixed_precision(device: torch.device, *, wanted: bool = True) -> torch.autocast:
    """A context in which matrix products run in bfloat16, where the device has units for it and it is wanted."""
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted and multiplies_bfloat16(device))


def describe_device(device: torch.device) -> str:
    """The device in words, for the records of a training: "2 CPU cores with AMX", "NVIDIA H200"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    units = " with AMX" if multiplies_bfloat16(device) else ""
    return f"{torch.get_num_threads()} CPU cores{units} ({platform.machine()})"
