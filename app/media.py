"""Images over HTTP: originals, review copies and small WebP thumbnails, each under the hash of its pixels."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from fastapi import APIRouter, Query
from fastapi.responses import Response
from PIL import Image

from synthaug.errors import UnknownName
from synthaug.stages.pixels import naming_image

from .byte_cache import ByteCache

if TYPE_CHECKING:
    from synthaug.workspace import Workspace

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
MEDIA_NAME = re.compile(r"([0-9a-f]{64})(\.png|\.webp|\.review\.png)")
THUMBNAIL_BYTES = 64 * 1024**2  # some 30,000 thumbnails of 64 px
MIN_SIZE, MAX_SIZE = 16, 512


def thumbnail(png: bytes, size: int) -> bytes:
    """A WebP no wider or higher than ``size`` px; lossless where the image is that small already."""
    with Image.open(io.BytesIO(png)) as image:
        fits = max(image.size) <= size
        small = image.convert("RGB")
        if not fits:
            small.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", lossless=fits, quality=80, method=2)
    return out.getvalue()


def media_router(workspace: Workspace) -> APIRouter:
    """``/media/{sha256}.png``, ``.webp?size=`` and ``.review.png``: never change, so cached for a year."""
    router = APIRouter()
    thumbnails = ByteCache(THUMBNAIL_BYTES)

    @router.get("/media/{name}")
    def media(name: str, size: int = Query(64, ge=MIN_SIZE, le=MAX_SIZE)) -> Response:
        match = MEDIA_NAME.fullmatch(name)
        if match is None:
            raise UnknownName("image", name, ())
        sha256, kind = match.groups()
        if kind == ".review.png" and not workspace.images.review_path(sha256).exists():
            raise UnknownName("review copy", sha256, ())
        with naming_image(workspace, sha256):
            if kind == ".webp":
                small = thumbnails.get((sha256, size), lambda: thumbnail(workspace.images.png(sha256), size))
                return Response(small, media_type="image/webp", headers=FOREVER)
            path = workspace.images.path(sha256) if kind == ".png" else workspace.images.review_path(sha256)
            return Response(path.read_bytes(), media_type="image/png", headers=FOREVER)

    return router
