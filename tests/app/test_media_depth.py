"""Gray of 16 bits over HTTP: the picture, a thumbnail of it, and all the bits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient
from synthaug_app.media import media_router

from synthaug.records import Display, GrayImage, Window
from synthaug.workspace import Workspace

VALUES = np.arange(120 * 200, dtype=np.uint16).reshape(120, 200)
DISPLAY = Display((Window(12_000, 8_000, "LINEAR_EXACT"),), inverted=True)
SHOWN = 255 - np.floor(255 * np.clip((VALUES - 12_000.0) / 8_000 + 0.5, 0, 1) + 0.5)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_the_picture_the_thumbnail_and_the_depth(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ["a"])
    sha256 = workspace.images.put(GrayImage(VALUES, 15, DISPLAY), {})
    colour = workspace.images.put(np.zeros((4, 4, 3), np.uint8), {})
    app = FastAPI()
    app.include_router(media_router(workspace))
    with TestClient(app, raise_server_exceptions=False) as client:
        picture = pixels(client.get(f"/media/{sha256}.png").content)
        assert picture.shape == (120, 200, 3)
        assert np.array_equal(picture[:, :, 1], SHOWN)
        small = pixels(client.get(f"/media/{sha256}.webp?size=512").content)
        assert np.abs(small.mean(axis=2) - SHOWN).max() <= 1
        assert np.array_equal(pixels(client.get(f"/media/{sha256}.gray.png").content), VALUES)
        assert client.get(f"/media/{colour}.gray.png").status_code >= 400
