"""The viewer's numbers against Python's: the same gray for every value, and every bit of a stored film."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthaug.grayscale import lookup_table
from synthaug.images import encode_png
from synthaug.records import Display, GrayImage, Window

VIEWER = Path(__file__).parents[2] / "app/components/viewer"
READ = """
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
const { readGrayPng } = await import("./gray_png.js");
const { lookupTable } = await import("./levels.js");
const { width, height, values, display } = await readGrayPng(readFileSync(process.argv[1]));
const table = Buffer.from(lookupTable(display, null)).toString("base64");
const hash = createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex");
console.log(JSON.stringify({ size: [width, height], hash, table, bits: display.bits }));
"""
LINEAR = Display((Window(2000, 1001), Window(5, 10)), 1.5, -300.25, True)


def read_by_node(path: Path) -> dict[str, Any]:
    """What the browser's module makes of a file."""
    node = Path(sys.executable).parent / "node"
    command = [node, "--input-type=module", "--eval", READ, str(path)]
    done = subprocess.run(command, cwd=VIEWER, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def smooth(height: int, width: int) -> np.ndarray:
    """Values for which a PNG encoder chooses all of its filters, row by row."""
    y, x = np.mgrid[:height, :width]
    waves = 20_000 + 9_000 * np.sin(x / 23) * np.cos(y / 31) + 300 * (y % 7) * (x > width / 2)
    noise = np.random.default_rng(0).integers(0, 40, (height, width)) * (y > height / 2)
    return (waves + noise).astype(np.uint16)


@pytest.mark.parametrize(
    "display",
    [
        LINEAR,
        Display((Window(2000, 1),)),
        Display((Window(30_000, 12_345.6, "LINEAR_EXACT"),)),
        Display((Window(30_000, 9_000, "SIGMOID"),), 0.5, 1000),
        Display((Window(5, 10),), table=bytes(range(256)) * 16, inverted=True),
    ],
    ids=["linear", "step", "exact", "sigmoid", "table"],
)
def test_every_value_looks_the_same_in_the_browser(tmp_path: Path, display: Display) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(encode_png(GrayImage(smooth(40, 60), 15, display), {"Source": "ein Bär", "Zuletzt": ""}))
    said = read_by_node(path)
    assert said["bits"] == 15
    assert base64.b64decode(said["table"]) == lookup_table(display).tobytes()


@pytest.mark.parametrize("size", [(700, 501), (1, 1), (3, 2)])
def test_every_bit_of_a_film_arrives(tmp_path: Path, size: tuple[int, int]) -> None:
    values = smooth(*size)
    path = tmp_path / "film.png"
    path.write_bytes(encode_png(GrayImage(values, 16, LINEAR), {}))
    said = read_by_node(path)
    assert said["size"] == [size[1], size[0]]
    assert said["hash"] == hashlib.sha256(values.astype("<u2").tobytes()).hexdigest()
