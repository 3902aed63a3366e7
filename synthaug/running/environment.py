"""The versions, hardware and command with which a result was obtained."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version

from synthaug import __version__
from synthaug.records import Environment

PACKAGES = ("torch", "torchvision", "diffusers", "transformers", "numpy", "scikit-learn", "umap-learn")


def environment() -> Environment:
    """Facts to store with a result: versions of packages, processor, GPU, memory in GiB, threads, command."""
    import torch

    from synthaug.hardware import describe_device

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "synthaug": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "hardware": describe_device(torch.device("cuda" if torch.cuda.is_available() else "cpu")),
        "memory_gib": memory_gib(),
        "threads": torch.get_num_threads(),
        "gpu": device,
        "command": " ".join(["synthaug", *sys.argv[1:]]),
    }


def memory_gib() -> float:
    """Physical memory in GiB."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
