"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

OURS = ("torch", "numpy", "diffusers", "gradio", "pillow", "pyarrow", "scikit-learn")


def describe() -> dict[str, object]:
    """Processor, cores, memory, system, versions and the date."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: installed(name) for name in ("synthaug", *OURS)},
        "date": time.strftime("%Y-%m-%d"),
    }


def processor() -> str:
    """The processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def installed(name: str) -> str:
    """A package's version, or "not installed"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def multiplies_bfloat16() -> bool:
    """Whether the processor has units for bfloat16; without them it takes tens of times as long as float32."""
    from synthaug.hardware import bfloat16_unit

    return bfloat16_unit() is not None
