"""Reading stored images; the errors name the image and say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import ImageLost, ImageRejected, UnknownImage
from synthaug.grayscale import as_levels, as_picture
from synthaug.images import as_square, decode_full, levels_as_square
from synthaug.records import Framing, GrayImage, Pixels
from synthaug.store import catalog, labels
from synthaug.store.image_store import ImageStore
from synthaug.workspace import Workspace

UNREADABLE = (ImageRejected, OSError, SyntaxError)
"""Errors from reading a file; Pillow raises SyntaxError for a broken PNG."""


def read_image(workspace: Workspace, sha256: str, *, full_size: bool = False) -> Pixels:
    """An image (H, W, 3) uint8, or its larger original if there is one. Raises ImageLost and UnknownImage."""
    return as_picture(read_stored(workspace, sha256, full_size=full_size))


def read_stored(workspace: Workspace, sha256: str, *, full_size: bool = False) -> Pixels | GrayImage:
    """An image as stored: RGB, or gray of more than 8 bits. Raises ImageLost and UnknownImage."""
    with naming_image(workspace, sha256):
        if full_size and workspace.images.has_review(sha256):
            return decode_full(workspace.images.review_png(sha256))
        return workspace.images.stored(sha256)


def read_file(images: ImageStore, sha256: str) -> Pixels | GrayImage:
    """An image as stored, read without a database. Raises ImageLost."""
    try:
        return images.stored(sha256)
    except UNREADABLE as error:
        raise ImageLost(
            f"the image file {images.path(sha256)} {_problem(error)}; copy it from a backup, or find all "
            "problems with: synthaug verify",
            sha256,
        ) from error


@contextmanager
def naming_image(workspace: Workspace, sha256: str) -> Iterator[None]:
    """Replace errors from reading an image. Raises ImageLost, or UnknownImage if the workspace does not have it."""
    try:
        yield
    except UNREADABLE as error:
        known = labels.by_hash(workspace.db, [sha256])
        if sha256 not in known:
            raise UnknownImage(sha256) from error
        image = catalog.images_by_id(workspace.db, [known[sha256].image_id])[0]
        again = f"import {image.source} again or " if image.origin == "real" else ""
        raise ImageLost(
            f"the file of image {image.id}, {workspace.images.path(sha256)}, {_problem(error)}; "
            f"{again}copy it from a backup, and find all such images with: synthaug verify",
            sha256,
        ) from error


def _problem(error: Exception) -> str:
    return "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({error})"


def load_pixels(
    workspace: Workspace, hashes: Sequence[str], size: int, framing: Framing = "squeezed"
) -> NDArray[np.uint8]:
    """Images as displayed, (N, size, size, 3) uint8, resized with antialiasing. Raises ImageLost."""
    pixels: NDArray[np.uint8] = levels(partial(read_image, workspace), hashes, size, framing)
    return pixels


def load_levels(
    workspace: Workspace, hashes: Sequence[str], size: int, framing: Framing = "squeezed"
) -> NDArray[np.unsignedinteger[Any]]:
    """Images (N, size, size, 3) at full depth: uint8, or uint16 if any of them is gray of more than 8 bits.

    Such an image is converted with its window to 65,536 levels before it is resized. Raises ImageLost.
    """
    return levels(partial(read_stored, workspace), hashes, size, framing)


def levels(
    read: Callable[[str], Pixels | GrayImage], hashes: Sequence[str], size: int, framing: Framing
) -> NDArray[np.unsignedinteger[Any]]:
    """Like :func:`load_levels`, for images that ``read`` returns by their SHA-256."""
    pixels: NDArray[np.unsignedinteger[Any]] = np.empty((len(hashes), size, size, 3), np.uint8)
    known: dict[str, int] = {}  # an image that a view repeats is read once
    for i, sha256 in enumerate(hashes):
        first = known.setdefault(sha256, i)
        if first != i:
            pixels[i] = pixels[first]
            continue
        image = read(sha256)
        if isinstance(image, GrayImage):
            if pixels.dtype == np.uint8:
                pixels = deepened(pixels)
            pixels[i] = levels_as_square(as_levels(image), size, framing)[:, :, None]
        else:
            shown = as_square(image, size, framing)
            pixels[i] = shown if pixels.dtype == np.uint8 else deepened(shown)
    return pixels


def deepened(pixels: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.uint16]:
    """Levels 0..255 scaled to 0..65535."""
    return pixels.astype(np.uint16) * np.uint16(257)


def in_batches(count: int, size: int) -> Iterator[slice]:
    """Slices that cover ``range(count)``."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
