"""Image files, addressed by the SHA-256 of their pixels: ``images/ab/abcdef....png``.

Files are written atomically. :meth:`ImageStore.flush` syncs a batch of them and is called before the database refers
to them, so that no row survives a power cut without its file. A larger original (512 px of a 32-px image, say) is kept
in ``images/review/`` under the same address. Gray images of more than 8 bits are stored with 16 bits;
:meth:`ImageStore.read` converts them to RGB.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from synthaug.errors import ImageRejected
from synthaug.files import sync, write_atomically
from synthaug.grayscale import as_picture
from synthaug.images import decode_full, encode_png, pixel_hash
from synthaug.records import GrayImage, Pixels

SYNCS = 8
"""Number of files that are synced concurrently."""


class ImageStore:
    """The ``images/`` folder of a workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unsynced = threading.local()  # paths that this thread has written since its last flush

    def path(self, sha256: str) -> Path:
        """The path for the image with this address, which need not exist."""
        return self.root / sha256[:2] / f"{sha256}.png"

    def review_path(self, sha256: str) -> Path:
        """The path for the larger original, which need not exist."""
        return self.root / "review" / sha256[:2] / f"{sha256}.png"

    def folders(self) -> list[Path]:
        """The folders that contain image files."""
        return [*self.root.glob("[0-9a-f][0-9a-f]"), *self.root.glob("review/[0-9a-f][0-9a-f]")]

    def addresses(self) -> Iterator[str]:
        """The addresses of all stored files, whether or not the database refers to them."""
        return (path.stem for path in self.root.glob(f"[0-9a-f][0-9a-f]/{'[0-9a-f]' * 64}.png"))

    def is_empty(self) -> bool:
        """Whether no image is stored."""
        return next(self.addresses(), None) is None

    def put(self, pixels: Pixels | GrayImage, text: Mapping[str, str], review: Pixels | None = None) -> str:
        """Store an image, RGB (H, W, 3) uint8 or gray of up to 16 bits, with PNG text chunks; returns its address."""
        sha256 = pixel_hash(pixels)
        path = self.path(sha256)
        if not self._is_stored(sha256):
            if review is not None:
                self._write(self.review_path(sha256), encode_png(review, text))
            self._write(path, encode_png(pixels, text))
        return sha256

    def put_encoded(self, sha256: str, png: bytes, review: bytes | None = None) -> None:
        """Store an image that is encoded already; ``sha256`` must be the hash of its pixels."""
        if not self._is_stored(sha256):
            if review is not None:
                self._write(self.review_path(sha256), review)
            self._write(self.path(sha256), png)

    def flush(self) -> None:
        """Sync all files that this thread has stored since its last flush, and their folders."""
        waiting = self._waiting()
        paths = [*waiting, *{each.parent for each in waiting}, *{each.parent.parent for each in waiting}]
        with ThreadPoolExecutor(SYNCS) as pool:  # syncing many files takes hardly longer than one
            for _ in pool.map(sync, paths):  # raises the exception of a sync
                pass
        waiting.clear()

    def _write(self, path: Path, data: bytes) -> None:
        write_atomically(path, data)
        self._waiting().add(path)

    def _waiting(self) -> set[Path]:
        if not hasattr(self._unsynced, "paths"):
            self._unsynced.paths = set()
        paths: set[Path] = self._unsynced.paths
        return paths

    def _is_stored(self, sha256: str) -> bool:
        """Whether the image is stored intact; a file that a power cut truncated is written again."""
        try:
            return self.is_intact(sha256)
        except (FileNotFoundError, ImageRejected):
            return False

    def png(self, sha256: str) -> bytes:
        """The content of the stored file. Raises FileNotFoundError."""
        return self.path(sha256).read_bytes()

    def read(self, sha256: str) -> Pixels:
        """The image as it is displayed by default, (H, W, 3) uint8. Raises FileNotFoundError and ImageRejected."""
        return as_picture(self.stored(sha256))

    def stored(self, sha256: str) -> Pixels | GrayImage:
        """The stored image: RGB, or gray of more than 8 bits. Raises FileNotFoundError and ImageRejected."""
        return decode_full(self.png(sha256))

    def is_intact(self, sha256: str) -> bool:
        """Whether the hash of the pixels is the address. Raises FileNotFoundError and ImageRejected."""
        return pixel_hash(self.stored(sha256)) == sha256
