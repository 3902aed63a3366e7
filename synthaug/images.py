"""Bytes in, RGB pixels out, safely; and back: PNG with provenance, thumbnails, atlases.

An image is addressed by its pixels (``pixel_hash``), so the same picture saved twice, as PNG and as BMP,
is one image.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from synthaug.errors import ImageRejected
from synthaug.records import Pixels

MAX_PIXELS = 50_000_000
"""The largest image taken, width x height; a 50-megapixel RGB array is 150 MB."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
WEBP_MAX_SIDE = 16383
PNG_LEVEL = 3
"""zlib level: as small as 6 for 32-px images, 2.5 times as fast for 512-px ones and 18% larger."""

_NAMES = ", ".join(FORMATS)

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {  # EXIF orientation -> what makes the picture upright (EXIF 2.32, tag 0x0112)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_GRAY_DEPTHS = (8, 10, 12, 14, 16)


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """The picture in ``data`` as RGB, (H, W, 3) uint8; ``ImageRejected`` where it is not one we take.

    The size is checked before any pixel is decoded. Transparency is laid over white. Gray of more than
    8 bits is divided by the full range of the smallest depth among 8, 10, 12, 14 and 16 bits that holds
    its maximum, so a 12-bit radiograph in a 16-bit file is not black, and zero stays black. EXIF
    orientation is applied; colour profiles are not.
    """
    if not data:
        raise ImageRejected("the file is empty (0 bytes)")
    with _open(data, max_pixels) as image:
        try:
            image.load()
        except Exception as error:  # a decoder fed broken bytes raises almost anything
            raise ImageRejected(f"corrupt or truncated {image.format}: {error}") from error
        return np.array(_upright(_rgb(image)), dtype=np.uint8)


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """The image with its header read, known to be one frame of an acceptable size."""
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageRejected(
            f"not an image we read ({_NAMES}): {len(data):,} bytes starting {data[:8]!r}"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageRejected(f"too large: more than the {max_pixels:,} pixels allowed") from error
    except Exception as error:  # as in decode: broken headers raise almost anything
        raise ImageRejected(f"corrupt image header: {error}") from error
    width, height = image.size
    if width * height == 0:
        raise ImageRejected(f"no pixels: {width} x {height}")
    if width * height > max_pixels:
        raise ImageRejected(f"too large: {width} x {height} is more than the {max_pixels:,} pixels allowed")
    try:
        animated = image.format != "MPO" and getattr(image, "is_animated", False)
        if image.format == "PNG":
            _verify_png(data)
    except Exception as error:
        raise ImageRejected(f"corrupt or truncated {image.format}: {error}") from error
    if animated:
        raise ImageRejected(f"animated or multi-page {image.format}; save one frame as its own image")
    return image


def _verify_png(data: bytes) -> None:
    """Check every chunk's CRC: a decoder alone does not notice a flipped bit in the pixels."""
    with Image.open(BytesIO(data), formats=("PNG",)) as image:
        image.verify()


def _rgb(image: Image.Image) -> Image.Image:
    """``image`` in mode RGB."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode.startswith("I"):
        return Image.fromarray(_eight_bit(np.asarray(image).astype(np.int64))).convert("RGB")
    if image.mode == "F":
        raise ImageRejected("floating-point gray has no defined range; save it as 8 or 16 bits")
    if image.has_transparency_data:
        colour = image.convert("RGBA")
        paper = Image.new("RGBA", colour.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, colour).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError as error:
        raise ImageRejected(f"colour mode {image.mode} cannot be converted to RGB") from error


def _eight_bit(gray: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Gray of up to 16 bits scaled to 0..255 by the full range of the smallest depth that holds it."""
    lowest, highest = int(gray.min()), int(gray.max())
    if lowest < 0 or highest >= 2**16:
        raise ImageRejected(f"gray values {lowest} .. {highest}; 0 .. 65535 is allowed")
    full = next(2**depth - 1 for depth in _GRAY_DEPTHS if highest < 2**depth)
    scaled: NDArray[np.uint8] = ((gray * 255 + full // 2) // full).astype(np.uint8)
    return scaled


def _upright(image: Image.Image) -> Image.Image:
    """Apply EXIF orientation; an unreadable EXIF block says nothing of it and costs nobody an image."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # the pixels are sound; only the metadata is broken, in any way it likes
        orientation = 1
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def pixel_hash(pixels: Pixels) -> str:
    """The content address of an image: SHA-256 hex of ``RGB``, width, height (big-endian uint32), bytes."""
    height, width = pixels.shape[:2]
    digest = hashlib.sha256(b"RGB" + struct.pack(">II", width, height))
    digest.update(np.ascontiguousarray(pixels, dtype=np.uint8).data)
    return digest.hexdigest()


def encode_png(pixels: Pixels, text: Mapping[str, str]) -> bytes:
    """A PNG of ``pixels`` with ``text`` as iTXt chunks in key order; the same input gives the same bytes."""
    chunks = PngImagePlugin.PngInfo()
    for key in sorted(text):
        chunks.add_itxt(key, text[key])
    return _encoded(Image.fromarray(pixels), "PNG", pnginfo=chunks, compress_level=PNG_LEVEL)


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """``pixels`` at ``size`` (width, height), antialiased bicubic; the aspect ratio follows ``size``."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def atlas_columns(count: int) -> int:
    """Columns of an atlas of ``count`` tiles: the smallest square that holds them."""
    return max(1, ceil(sqrt(count)))


def atlas(images: Sequence[Pixels], tile: int) -> bytes:
    """One WebP with every image centred in a ``tile`` x ``tile`` cell, row by row, ``atlas_columns`` wide."""
    columns = atlas_columns(len(images))
    if columns * tile > WEBP_MAX_SIDE:
        raise ValueError(f"{len(images)} tiles of {tile} px exceed WebP's {WEBP_MAX_SIDE} px a side")
    rows = max(1, ceil(len(images) / columns))
    sheet = Image.new("RGB", (columns * tile, rows * tile))
    for index, pixels in enumerate(images):
        image = Image.fromarray(pixels)
        image.thumbnail((tile, tile))
        row, column = divmod(index, columns)
        left, top = (tile - image.width) // 2, (tile - image.height) // 2
        sheet.paste(image, (column * tile + left, row * tile + top))
    return _webp(sheet)


def _webp(image: Image.Image) -> bytes:
    return _encoded(image, "WEBP", quality=85, method=2)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
