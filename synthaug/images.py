"""Safe decoding of image files, and encoding to PNG with provenance.

An image is addressed by its pixels (``pixel_hash``), so that the same picture saved as PNG and as BMP is one image.
Gray of more than 8 bits keeps its depth; the displayed 8-bit image is derived from it.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from synthaug.errors import ImageRejected
from synthaug.grayscale import as_picture, display_from_text, display_text, full_range
from synthaug.records import Display, Framing, GrayImage, Pixels

MAX_PIXELS = 50_000_000
"""Largest accepted image in pixels (width x height); a 50-megapixel RGB array takes 150 MB."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
PNG_LEVEL = 3
"""zlib level. Compared with level 6: the same size for 32-px images; 2.5 times as fast and 18% larger at 512 px."""

_NAMES = ", ".join(FORMATS)
_QUOTED_BYTES = re.compile(r"""b(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {  # EXIF orientation -> operation that turns the image upright (EXIF 2.32, tag 0x0112)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UINT32 = struct.Struct(">I")  # big-endian, as everywhere in a PNG
_GRAY_DEPTHS = (8, 10, 12, 14, 16)
_TIFF_PHOTOMETRIC = 262  # 0: white is zero

DISPLAY_TEXT = "Display"
"""Name of the text chunk that holds the display settings of a stored gray image (see grayscale.display_text)."""


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """The image in ``data`` as RGB, (H, W, 3) uint8. Raises ImageRejected for anything else.

    Gray of more than 8 bits is converted with the display settings that :func:`decode_full` finds.
    """
    return as_picture(decode_full(data, max_pixels=max_pixels))


def decode_full(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Pixels | GrayImage:
    """The image in ``data``: RGB, (H, W, 3) uint8, or gray of more than 8 bits. Raises ImageRejected.

    The size is checked before any pixel is decoded. Transparent areas become white. The EXIF orientation is applied;
    colour profiles are not. A gray image of more than 8 bits has the display settings that :func:`encode_png` stored.
    Without any, its window is the full range of the smallest depth among 8, 10, 12, 14 and 16 bits that holds its
    maximum: a 12-bit radiograph in a 16-bit file is then not dark, and zero stays black.
    """
    if not data:
        raise ImageRejected("the file is empty (0 bytes)")
    with _open(data, max_pixels) as image:
        try:
            image.load()
        except Exception as error:  # a decoder fed broken bytes raises almost anything
            raise ImageRejected(f"corrupt or truncated {image.format}: {_in_words(error)}") from error
        if image.mode.startswith("I"):
            return _gray(image)
        return np.array(_upright(_rgb(image)), dtype=np.uint8)


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """The image with only its header read. Raises ImageRejected for animations and unacceptable sizes."""
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageRejected(
            f"not a supported image ({_NAMES}): {len(data):,} bytes of something else"
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageRejected(f"too large: more than the {max_pixels:,} pixels allowed") from error
    except Exception as error:  # as in decode: broken headers raise almost anything
        raise ImageRejected(f"corrupt image header: {_in_words(error)}") from error
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
        raise ImageRejected(f"corrupt or truncated {image.format}: {_in_words(error)}") from error
    if animated:
        raise ImageRejected(f"animated or multi-page {image.format}; save one frame as its own image")
    return image


def _in_words(error: Exception) -> str:
    """What a decoder said, without the bytes that it quotes: they are the file's, and may be anything."""
    said = _QUOTED_BYTES.sub("...", str(error))
    return "".join(each if each.isprintable() and each.isascii() else "." for each in said)[:200]


def _verify_png(data: bytes) -> None:
    """Check the CRC of every chunk, because decoding alone does not detect a flipped bit in the pixels.

    A chunk is its length, a type of 4 bytes, its content, and the CRC of type and content (PNG, third edition, 5.3).
    Raises ValueError.
    """
    view, start = memoryview(data), len(_PNG_SIGNATURE)
    while start + 12 <= len(data):
        (length,) = _UINT32.unpack_from(data, start)
        end = start + 8 + length
        if end + 4 > len(data):
            break
        kind = bytes(view[start + 4 : start + 8])
        if zlib.crc32(view[start + 4 : end]) != _UINT32.unpack_from(data, end)[0]:
            raise ValueError(f"wrong checksum of chunk {kind.decode('latin-1')}")
        if kind == b"IEND":
            return
        start = end + 4
    raise ValueError("the file ends before its last chunk")


def _rgb(image: Image.Image) -> Image.Image:
    """``image`` converted to RGB. Raises ImageRejected."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
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


def _gray(image: Image.Image) -> Pixels | GrayImage:
    """A gray image of up to 16 bits; RGB if 8 bits suffice and the file has no display settings."""
    wide = np.asarray(_upright(image)).astype(np.int64)
    lowest, highest = int(wide.min()), int(wide.max())
    if lowest < 0 or highest >= 2**16:
        raise ImageRejected(f"the gray values are {lowest} .. {highest}; they must be in 0 .. 65535")
    values = wide.astype(np.uint16)
    stored = display_from_text(getattr(image, "text", {}).get(DISPLAY_TEXT, ""))
    if stored is not None:
        return GrayImage(values, *stored)
    bits = next(depth for depth in _GRAY_DEPTHS if highest < 2**depth)
    white_is_zero = image.format == "TIFF" and getattr(image, "tag_v2", {}).get(_TIFF_PHOTOMETRIC) == 0
    gray = GrayImage(values, bits, Display((full_range(bits),), inverted=white_is_zero))
    return gray if bits > 8 else as_picture(gray)


def _upright(image: Image.Image) -> Image.Image:
    """``image`` with its EXIF orientation applied; an unreadable EXIF block is ignored."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # broken metadata raises many kinds of error, but the pixels are intact
        orientation = 1
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)


def size_of(image: Pixels | GrayImage) -> tuple[int, int]:
    """Width and height of an image in pixels."""
    height, width = (image.values if isinstance(image, GrayImage) else image).shape[:2]
    return int(width), int(height)


def pixel_hash(image: Pixels | GrayImage) -> str:
    """The content address of an image: SHA-256 over its kind, width and height (big-endian uint32) and bytes, in hex.

    The kind is ``RGB``, or ``GRAY16`` with big-endian values. Display settings are not part of the hash.
    """
    if isinstance(image, GrayImage):
        return _digest(b"GRAY16", image.values.astype(">u2"))
    return _digest(b"RGB", np.ascontiguousarray(image, dtype=np.uint8))


def _digest(kind: bytes, pixels: NDArray[Any]) -> str:
    height, width = pixels.shape[:2]
    digest = hashlib.sha256(kind + struct.pack(">II", width, height))
    digest.update(np.ascontiguousarray(pixels).view(np.uint8).data)
    return digest.hexdigest()


def encode_png(image: Pixels | GrayImage, text: Mapping[str, str]) -> bytes:
    """A PNG of ``image`` with ``text`` as iTXt chunks in key order; the same input gives the same bytes.

    A gray image of more than 8 bits is written with 16 bits, and its display settings as one more chunk.
    """
    if isinstance(image, GrayImage):
        shown = {**text, DISPLAY_TEXT: display_text(image.bits, image.display)}
        return _png(Image.fromarray(image.values), shown)
    return _png(Image.fromarray(image), text)


def _png(image: Image.Image, text: Mapping[str, str]) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for key in sorted(text):
        chunks.add_itxt(key, text[key])
    out = BytesIO()
    image.save(out, "PNG", pnginfo=chunks, compress_level=PNG_LEVEL)
    return out.getvalue()


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """``pixels`` (H, W, 3) resized to exactly ``size`` (width, height), by bicubic interpolation with antialiasing."""
    height, width = pixels.shape[:2]
    if (width, height) == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def inside_square(width: int, height: int, side: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of an image in the middle of a square of ``side`` px, its shape kept."""
    longest = max(width, height)
    across, down = (max(1, round(each * side / longest)) for each in (width, height))
    return (side - across) // 2, (side - down) // 2, across, down


def as_square(pixels: Pixels, side: int, framing: Framing) -> Pixels:
    """``pixels`` (H, W, 3) as (side, side, 3); see :data:`.records.Framing`. A square image is only resized."""
    height, width = pixels.shape[:2]
    if framing == "squeezed" or width == height:
        return resize(pixels, (side, side))
    left, top, across, down = inside_square(width, height, side)
    square = np.zeros((side, side, 3), np.uint8)
    square[top : top + down, left : left + across] = resize(pixels, (across, down))
    return square


def levels_as_square(levels: NDArray[np.uint16], side: int, framing: Framing) -> NDArray[np.uint16]:
    """The same of gray ``levels`` (H, W)."""
    height, width = levels.shape
    if framing == "squeezed" or width == height:
        return resize_levels(levels, (side, side))
    left, top, across, down = inside_square(width, height, side)
    square = np.zeros((side, side), np.uint16)
    square[top : top + down, left : left + across] = resize_levels(levels, (across, down))
    return square


def resize_levels(levels: NDArray[np.uint16], size: tuple[int, int]) -> NDArray[np.uint16]:
    """Gray ``levels`` (H, W) resized to ``size`` (width, height), by the method of :func:`resize`."""
    image = Image.fromarray(levels.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    resized: NDArray[np.uint16] = np.clip(np.rint(np.asarray(image)), 0, 65535).astype(np.uint16)
    return resized
