"""Image files, addressed by the SHA-256 of their pixels: ``images/ab/abcdef....png``.

Files are written atomically. :meth:`ImageStore.flush` syncs a batch of them and is called before the database refers
to them, so that no row survives a power cut without its file. A larger original (512 px of a 32-px image, say) is kept
in ``images/review/`` under the same address. Gray images of more than 8 bits are stored with 16 bits;
:meth:`ImageStore.read` converts them to RGB.

With a URL, the images are stored at the URL and the folder is a cache: :meth:`ImageStore.flush` uploads new files, and
a file that is not in the folder is downloaded when it is needed. The pixels of a downloaded image must match its
address.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from synthaug.errors import ImageRejected
from synthaug.files import at_once, sync_all, write_atomically
from synthaug.grayscale import as_picture
from synthaug.images import decode_full, encode_png, pixel_hash
from synthaug.records import GrayImage, ImagePlace, Pixels
from synthaug.storage import UrlFolder, cache_folder


class ImageStore:
    """The images of a workspace in a folder, which with a ``url`` is a cache of the images stored there."""

    def __init__(self, root: Path, url: str = "") -> None:
        self.root = root
        self.url = url
        self._remote = UrlFolder(url) if url else None
        self._unsynced = threading.local()  # paths that this thread has written since its last flush

    @classmethod
    def at(cls, place: ImagePlace) -> ImageStore:
        """The store at a ``place`` that another process or machine has passed."""
        folder, url = Path(place["folder"]), place["url"]
        return cls(cache_folder(url) if url and not folder.is_dir() else folder, url)

    @property
    def place(self) -> ImagePlace:
        """The location of the images, for :meth:`at`."""
        return {"folder": str(self.root.absolute()), "url": self.url}

    def path(self, sha256: str) -> Path:
        """The path in the folder for the image with this address, which need not exist."""
        return self.root / sha256[:2] / f"{sha256}.png"

    def review_path(self, sha256: str) -> Path:
        """The path in the folder for the larger original, which need not exist."""
        return self.root / "review" / sha256[:2] / f"{sha256}.png"

    def folders(self) -> list[Path]:
        """The folders that contain image files."""
        return [*self.root.glob("[0-9a-f][0-9a-f]"), *self.root.glob("review/[0-9a-f][0-9a-f]")]

    def addresses(self) -> Iterator[str]:
        """The addresses of all images in the folder, whether or not the database refers to them."""
        return (path.stem for path in self.root.glob(f"[0-9a-f][0-9a-f]/{'[0-9a-f]' * 64}.png"))

    def is_empty(self) -> bool:
        """Whether the folder has no images."""
        return next(self.addresses(), None) is None

    def put(self, pixels: Pixels | GrayImage, text: Mapping[str, str], review: Pixels | None = None) -> str:
        """Store an image, RGB (H, W, 3) uint8 or gray of up to 16 bits, with PNG text chunks; returns its address."""
        sha256 = pixel_hash(pixels)
        if not self._is_stored(sha256):
            larger = None if review is None else encode_png(review, text)
            self._write(sha256, encode_png(pixels, text), larger)
        return sha256

    def put_encoded(self, sha256: str, png: bytes, review: bytes | None = None) -> None:
        """Store an image that is encoded already; ``sha256`` must be the hash of its pixels."""
        if not self._is_stored(sha256):
            self._write(sha256, png, review)

    def flush(self) -> None:
        """Sync all files that this thread has stored since its last flush, and their folders, or upload them.

        Raises WorkspaceError.
        """
        waiting = self._waiting()
        if self._remote is None:
            folders = {each.parent for each in waiting}
            sync_all([*waiting, *folders, *{each.parent for each in folders}])
        else:
            at_once(self._upload, waiting)
        waiting.clear()

    def _write(self, sha256: str, png: bytes, review: bytes | None) -> None:
        files = {self.path(sha256): png}
        if review is not None:
            files = {self.review_path(sha256): review} | files  # the image last: it shows that both are there
        for path, data in files.items():
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
            return self.is_intact(sha256) and (self._remote is None or self._remote.has(self._name(sha256)))
        except (FileNotFoundError, ImageRejected):
            return False

    def _name(self, sha256: str) -> str:
        return self.path(sha256).relative_to(self.root).as_posix()

    def _upload(self, path: Path) -> None:
        if self._remote is not None:
            self._remote.write(path.relative_to(self.root).as_posix(), path.read_bytes())

    def png(self, sha256: str) -> bytes:
        """The content of the file of an image. Raises FileNotFoundError, and ImageRejected for a wrong download."""
        return self._bytes(self.path(sha256), sha256)

    def review_png(self, sha256: str) -> bytes:
        """The content of the file of the larger original. Raises FileNotFoundError."""
        return self._bytes(self.review_path(sha256))

    def has_review(self, sha256: str) -> bool:
        """Whether a larger original is stored."""
        path = self.review_path(sha256)
        return path.exists() or (self._remote is not None and path.stem in self._reviews)

    @cached_property
    def _real_root(self) -> Path:
        return self.root.resolve()

    @cached_property
    def _reviews(self) -> set[str]:
        """Addresses of the larger originals at the URL at the first request; later ones are in the folder."""
        names = [] if self._remote is None else self._remote.tree("review")
        return {Path(name).stem for name in names}

    def _bytes(self, path: Path, sha256: str | None = None) -> bytes:
        """The content of a file, downloaded to the folder if needed; its pixels must hash to ``sha256`` if given."""
        try:
            if not path.resolve().is_relative_to(self._real_root):
                raise ImageRejected("it is a link that leads out of the images of the workspace")
            return path.read_bytes()
        except FileNotFoundError:
            if self._remote is None:
                raise
        data = self._remote.read(path.relative_to(self.root).as_posix())
        if sha256 is not None and pixel_hash(decode_full(data)) != sha256:
            raise ImageRejected(f"its pixels are not those that were stored in {self.url}")
        write_atomically(path, data)
        return data

    def read(self, sha256: str) -> Pixels:
        """The image as it is displayed by default, (H, W, 3) uint8. Raises FileNotFoundError and ImageRejected."""
        return as_picture(self.stored(sha256))

    def stored(self, sha256: str) -> Pixels | GrayImage:
        """The stored image: RGB, or gray of more than 8 bits. Raises FileNotFoundError and ImageRejected."""
        return decode_full(self.png(sha256))

    def durable(self, sha256: str) -> Pixels | GrayImage:
        """The image at the URL, read without the cache; without a URL, the image in the folder."""
        data = self.png(sha256) if self._remote is None else self._remote.read(self._name(sha256))
        return decode_full(data)

    def restore_from_cache(self, sha256: str) -> bool:
        """Upload an image again if its file in the folder is intact; returns whether it was."""
        path = self.path(sha256)
        if self._remote is None or not path.exists() or not self.is_intact(sha256):
            return False
        for each in (self.review_path(sha256), path):
            if each.exists():
                self._upload(each)
        return True

    def is_intact(self, sha256: str) -> bool:
        """Whether the hash of the pixels is the address. Raises FileNotFoundError and ImageRejected."""
        return pixel_hash(decode_full(self.path(sha256).read_bytes())) == sha256
