"""Images addressed by the SHA-256 of their pixels: ``images/ab/abcdef....png``.

A file appears whole or not at all: it is written beside its place and renamed. :meth:`ImageStore.flush` makes a
batch of them durable, and is called before the database names them, so no row outlives a power cut without its file.
What is larger than the training size (a 512-px original of a 32-px image) is kept in ``images/review/`` under
the same address. Gray of more than 8 bits is stored with 16; :meth:`ImageStore.read` gives the picture of it.

With a URL, the images are kept behind it and the folder is a cache: :meth:`ImageStore.flush` uploads what was put, and
a file that is not in the folder is fetched when it is needed. The pixels of a fetched image must hash to its address.
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
    """The images of a workspace: a folder, which with a ``url`` is the cache of what is kept there."""

    def __init__(self, root: Path, url: str = "") -> None:
        self.root = root
        self.url = url
        self._remote = UrlFolder(url) if url else None
        self._unsynced = threading.local()  # files put by this thread since its last flush

    @classmethod
    def at(cls, place: ImagePlace) -> ImageStore:
        """The store that another process, or another machine, knows by its ``place``."""
        folder, url = Path(place["folder"]), place["url"]
        return cls(cache_folder(url) if url and not folder.is_dir() else folder, url)

    @property
    def place(self) -> ImagePlace:
        """Where the images are, for :meth:`at`."""
        return {"folder": str(self.root.absolute()), "url": self.url}

    def path(self, sha256: str) -> Path:
        """Where the file of the image with this address is, or would be, in the folder."""
        return self.root / sha256[:2] / f"{sha256}.png"

    def review_path(self, sha256: str) -> Path:
        """Where the file of the full-size review copy is, or would be, in the folder."""
        return self.root / "review" / sha256[:2] / f"{sha256}.png"

    def folders(self) -> list[Path]:
        """The folders that files lie in."""
        return [*self.root.glob("[0-9a-f][0-9a-f]"), *self.root.glob("review/[0-9a-f][0-9a-f]")]

    def addresses(self) -> Iterator[str]:
        """The address of every image in the folder, named by the database or not."""
        return (path.stem for path in self.root.glob(f"[0-9a-f][0-9a-f]/{'[0-9a-f]' * 64}.png"))

    def is_empty(self) -> bool:
        """Whether no image was ever put into the folder."""
        return next(self.addresses(), None) is None

    def put(self, pixels: Pixels | GrayImage, text: Mapping[str, str], review: Pixels | None = None) -> str:
        """Store one image, RGB (H, W, 3) uint8 or deep gray, with its provenance; returns its address."""
        sha256 = pixel_hash(pixels)
        if not self._is_there(sha256):
            larger = None if review is None else encode_png(review, text)
            self._write(sha256, encode_png(pixels, text), larger)
        return sha256

    def put_encoded(self, sha256: str, png: bytes, review: bytes | None = None) -> None:
        """Store an image that was encoded before, with its provenance; ``sha256`` must be the hash of its pixels."""
        if not self._is_there(sha256):
            self._write(sha256, png, review)

    def flush(self) -> None:
        """Make every file that this thread has put durable: on the disk with its folders, or behind the URL.

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

    def _is_there(self, sha256: str) -> bool:
        """Whether the image is stored and sound: what a power cut emptied or cut short is written again."""
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
        """The bytes of an image's file. Raises FileNotFoundError, and for a fetched one ImageRejected."""
        return self._bytes(self.path(sha256), sha256)

    def review_png(self, sha256: str) -> bytes:
        """The bytes of the review copy's file. Raises FileNotFoundError."""
        return self._bytes(self.review_path(sha256))

    def has_review(self, sha256: str) -> bool:
        """Whether a review copy was kept."""
        path = self.review_path(sha256)
        return path.exists() or (self._remote is not None and path.stem in self._reviews)

    @cached_property
    def _reviews(self) -> set[str]:
        """Addresses that had a review copy behind the URL when it was first asked; later ones are in the folder."""
        names = [] if self._remote is None else self._remote.tree("review")
        return {Path(name).stem for name in names}

    def _bytes(self, path: Path, sha256: str | None = None) -> bytes:
        """A file's bytes, fetched into the folder if need be, if its pixels hash to ``sha256``."""
        try:
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
        """The image as it is shown by default, (H, W, 3) uint8: what is trained on, measured and exported."""
        return as_picture(self.stored(sha256))

    def stored(self, sha256: str) -> Pixels | GrayImage:
        """The image as it is stored: RGB, or gray of more than 8 bits. Raises FileNotFoundError, ImageRejected."""
        return decode_full(self.png(sha256))

    def durable(self, sha256: str) -> Pixels | GrayImage:
        """The same read past the cache: what would be left if this machine were lost."""
        data = self.png(sha256) if self._remote is None else self._remote.read(self._name(sha256))
        return decode_full(data)

    def restore_from_cache(self, sha256: str) -> bool:
        """Upload an image again from the folder, if it is intact there; returns whether it was."""
        path = self.path(sha256)
        if self._remote is None or not path.exists() or not self.is_intact(sha256):
            return False
        for each in (self.review_path(sha256), path):
            if each.exists():
                self._upload(each)
        return True

    def is_intact(self, sha256: str) -> bool:
        """Whether the file's pixels still hash to its address. Raises FileNotFoundError, ImageRejected."""
        return pixel_hash(decode_full(self.path(sha256).read_bytes())) == sha256
