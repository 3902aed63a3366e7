"""Check the integrity of a workspace: every image's pixels against its address, and the database itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synthaug.errors import ImageRejected
from synthaug.store import catalog
from synthaug.store.label_chain import verify_chain
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Verification:
    """How many images were checked, and what is wrong, in words."""

    images: int
    problems: tuple[str, ...]


def verify(workspace: Workspace, progress: Callable[[int, int, str], None] | None = None) -> Verification:
    """Read everything; change nothing."""
    problems = workspace.db.integrity_problems() + verify_chain(workspace.db)
    images = catalog.find_images(workspace.db)
    for done, image in enumerate(images):
        if progress is not None and done % 100 == 0:
            progress(done, len(images), "checking images")
        path = workspace.images.path(image.sha256).relative_to(workspace.root)
        try:
            if not workspace.images.is_intact(image.sha256):
                problems.append(f"{path}: its pixels are not those that were stored")
        except FileNotFoundError:
            problems.append(f"{path} is missing")
        except (ImageRejected, OSError) as error:
            problems.append(f"{path} cannot be read: {error}")
    return Verification(len(images), tuple(problems))
