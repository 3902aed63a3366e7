"""Images on disk, addressed by the SHA-256 of their pixels: ``images/ab/abcdef....png``.

A file appears whole or not at all: it is written beside its place and renamed. :meth:`ImageStore.flush` makes a
batch of them durable, and is called before the database names them, so no row outlives a power cut without its file.
What is larger than the training size (a 512-px original of a 32-px image) is kept in ``images/review/`` under
the same address. Gray of more than 8 bits is stored with 16; :meth:`ImageStore.read` gives the picture of it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from synthaug.errors import ImageRejected
from synthaug.files import sync_all, write_atomically
from synthaug.grayscale import as_picture
from synthaug.images import decode_full, encode_png, pixel_hash
from synthaug.records import GrayImage, Pixels


class ImageStore:
    """The ``images/`` folder of a workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unsynced = threading.local()  # files put by this thread since its last flush

    def path(self, sha256: str) -> Path:
        """Where the image with this address lies, whether or not it is there."""
        return self.root / sha256[:2] / f"{sha256}.png"

    def review_path(self, sha256: str) -> Path:
        """Where the full-size review copy lies, if one was kept."""
        return self.root / "review" / sha256[:2] / f"{sha256}.png"

    def folders(self) -> list[Path]:
        """The folders that files lie in."""
        return [*self.root.glob("[0-9a-f][0-9a-f]"), *self.root.glob("review/[0-9a-f][0-9a-f]")]

    def addresses(self) -> Iterator[str]:
        """The address of every file that is there, named by the database or not."""
        return (path.stem for path in self.root.glob(f"[0-9a-f][0-9a-f]/{'[0-9a-f]' * 64}.png"))

    def is_empty(self) -> bool:
        """Whether no image was ever put here."""
        return next(self.addresses(), None) is None

    def put(self, pixels: Pixels | GrayImage, text: Mapping[str, str], review: Pixels | None = None) -> str:
        """Store one image, RGB (H, W, 3) uint8 or deep gray, with its provenance; returns its address."""
        sha256 = pixel_hash(pixels)
        path = self.path(sha256)
        if not self._is_there(sha256):
            if review is not None:
                self._write(self.review_path(sha256), encode_png(review, text))
            self._write(path, encode_png(pixels, text))
        return sha256

    def put_encoded(self, sha256: str, png: bytes, review: bytes | None = None) -> None:
        """Store an image that was encoded before, with its provenance; ``sha256`` must be the hash of its pixels."""
        if not self._is_there(sha256):
            if review is not None:
                self._write(self.review_path(sha256), review)
            self._write(self.path(sha256), png)

    def flush(self) -> None:
        """Make every file that this thread has put durable, with the folders that name them."""
        waiting = self._waiting()
        sync_all([*waiting, *{each.parent for each in waiting}, *{each.parent.parent for each in waiting}])
        waiting.clear()

    def _write(self, path: Path, data: bytes) -> None:
        write_atomically(path, data)
        self._waiting().add(path)

    def _waiting(self) -> set[Path]:
        if not hasattr(self._unsynced, "paths"):
            self._unsynced.paths = set()
        paths: set[Path] = self._unsynced.paths
        return paths

    def _is_there(self, sha256: str) -> bool:
        """Whether the image is stored and sound: what a power cut emptied or cut short is written again."""
        try:
            return self.is_intact(sha256)
        except (FileNotFoundError, ImageRejected):
            return False

    def png(self, sha256: str) -> bytes:
        """The stored file's bytes. Raises FileNotFoundError."""
        return self.path(sha256).read_bytes()

    def read(self, sha256: str) -> Pixels:
        """The image as it is shown by default, (H, W, 3) uint8: what is trained on, measured and exported."""
        return as_picture(self.stored(sha256))

    def stored(self, sha256: str) -> Pixels | GrayImage:
        """The image as it is stored: RGB, or gray of more than 8 bits."""
        return decode_full(self.png(sha256))

    def is_intact(self, sha256: str) -> bool:
        """Whether the file's pixels still hash to its address. Raises FileNotFoundError, ImageRejected."""
        return pixel_hash(self.stored(sha256)) == sha256
