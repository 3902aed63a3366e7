"""Images over HTTP: originals, review copies and small WebP thumbnails, addressed by the hash of their pixels.

A gray image of more than 8 bits is served as its default 8-bit picture, and as ``.gray.png`` at full depth.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from fastapi import APIRouter, Query
from fastapi.responses import Response
from PIL import Image

from synthaug.errors import UnknownName
from synthaug.grayscale import as_picture
from synthaug.images import decode_full, encode_png
from synthaug.stages.pixels import naming_image

from .byte_cache import ByteCache

if TYPE_CHECKING:
    from synthaug.workspace import Workspace

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
MEDIA_NAME = re.compile(r"([0-9a-f]{64})(\.png|\.webp|\.review\.png|\.gray\.png)")
GRAY_16 = b"\x10\x00"  # bytes 24 and 25 of a PNG: 16 bits, gray
THUMBNAIL_BYTES = 64 * 1024**2  # some 30,000 thumbnails of 64 px
MIN_SIZE, MAX_SIZE = 16, 512


def opened(png: bytes) -> Image.Image:
    """A stored image; for 16-bit gray, its default 8-bit picture."""
    if png[24:26] == GRAY_16:
        return Image.fromarray(as_picture(decode_full(png)))
    return Image.open(io.BytesIO(png))


def thumbnail(png: bytes, size: int) -> bytes:
    """A WebP of at most ``size`` px per side; lossless if the image is already that small."""
    with opened(png) as image:
        return small_webp(image, size)


def small_webp(image: Image.Image, size: int) -> bytes:
    """An image as a WebP no wider or higher than ``size`` px."""
    fits = max(image.size) <= size
    small = image.convert("RGB")
    if not fits:
        small.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", lossless=fits, quality=80, method=2)
    return out.getvalue()


def media_router(workspace: Workspace) -> APIRouter:
    """Routes ``/media/{sha256}.png``, ``.webp?size=``, ``.review.png`` and ``.gray.png``, cached for a year."""
    router = APIRouter()
    thumbnails = ByteCache(THUMBNAIL_BYTES)

    @router.get("/media/{name}")
    def media(name: str, size: int = Query(64, ge=MIN_SIZE, le=MAX_SIZE)) -> Response:
        match = MEDIA_NAME.fullmatch(name)
        if match is None:
            raise UnknownName("image", name, ())
        sha256, kind = match.groups()
        if kind == ".review.png" and not workspace.images.has_review(sha256):
            raise UnknownName("review copy", sha256, ())
        with naming_image(workspace, sha256):
            if kind == ".webp":
                small = thumbnails.get((sha256, size), lambda: thumbnail(workspace.images.png(sha256), size))
                return Response(small, media_type="image/webp", headers=FOREVER)
            return Response(_png(workspace, sha256, kind), media_type="image/png", headers=FOREVER)

    return router


def _png(workspace: Workspace, sha256: str, kind: str) -> bytes:
    """The bytes of one of the three PNG variants of an image. Raises FileNotFoundError and UnknownName."""
    if kind == ".review.png":
        return workspace.images.review_png(sha256)
    stored = workspace.images.png(sha256)
    gray = stored[24:26] == GRAY_16
    if kind == ".gray.png" and not gray:
        raise UnknownName("gray image", sha256, ())
    # Browsers do not apply the window of the file to 16-bit images.
    return encode_png(as_picture(decode_full(stored)), {}) if gray and kind == ".png" else stored
