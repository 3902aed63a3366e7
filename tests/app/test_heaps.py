"""How many heaps the threads of the server share, as glibc itself counts them."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

COUNT_HEAPS = """
import ctypes, sys, threading
if sys.argv[2] == "shared":
    from synthaug_app.heaps import share_heaps
    share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(16)
def allocate():
    together.wait()
    for _ in range(1000):
        libc.malloc(ctypes.c_size_t(100))
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
"""


def heaps(tmp_path: Path, how: str) -> int:
    """The heaps of a process in which sixteen threads allocate at the same time."""
    report = tmp_path / f"{how}.xml"
    subprocess.run([sys.executable, "-c", COUNT_HEAPS, report, how], check=True)
    return report.read_text(encoding="ascii").count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has several heaps")
def test_threads_share_two_heaps(tmp_path: Path) -> None:
    assert heaps(tmp_path, "shared") <= 2 < heaps(tmp_path, "own")
