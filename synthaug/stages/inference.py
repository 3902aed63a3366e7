"""Running networks on stored images in any process; a worker needs only the network and the image files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import ImageLost, UserError
from synthaug.executors import job_folder, load_executor
from synthaug.executors.base import ExecutorSpec, Task, Work
from synthaug.features import load_extractor
from synthaug.features.base import FeatureExtractor
from synthaug.progress import Progress
from synthaug.records import Framing, ImagePlace
from synthaug.stages.pixels import in_batches, levels, naming_image, read_file
from synthaug.store.image_store import ImageStore
from synthaug.workspace import Workspace

Floats = NDArray[np.float32]
Outputs = tuple[list[int], dict[str, Floats]]
"""Ids of images (N), and the outputs of a network for them, (N, ...) by name."""


class Predictor:
    """Predicts with the classifier in the file ``model``; a maker of :mod:`synthaug.executors`."""

    def __init__(self, model: str, images: ImagePlace, threads: int) -> None:
        from synthaug.classifiers.fitted import FittedClassifier

        use_threads(threads)
        self._classifier = FittedClassifier.load(Path(model))
        self._images = ImageStore.at(images)

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[Mapping[str, bytes]]:
        """The files "probs" (N, K) and "features" (N, D) of the images with the hashes ``payload``."""
        recipe = self._classifier.recipe
        pixels = levels(partial(read_file, self._images), payload, recipe.image_size, recipe.framing)
        probs, features = self._classifier.predict(pixels)
        yield {"probs": array_bytes(probs), "features": array_bytes(features)}


class Extraction:
    """Extracts features; a maker. ``name``, ``side`` and ``framing`` are as for :func:`.features.load_extractor`."""

    def __init__(
        self, name: str, side: int, framing: Framing, revision: str, images: ImagePlace, threads: int
    ) -> None:
        use_threads(threads)
        self._extractor = extractor_of(name, side, framing)
        if self._extractor.revision != revision:
            raise UserError(
                f"{name} is a different network on this worker than on the head; install the same packages"
            )
        self._images = ImageStore.at(images)

    def make(self, payload: Any, should_cancel: Callable[[], bool]) -> Iterator[Mapping[str, bytes]]:
        """The file "features" (N, D) of the images with the hashes ``payload``."""
        extractor = self._extractor
        pixels = levels(partial(read_file, self._images), payload, extractor.image_size, extractor.framing)
        yield {"features": array_bytes(extractor.features(pixels))}


@lru_cache(maxsize=1)
def extractor_of(name: str, side: int, framing: Framing) -> FeatureExtractor:
    """The extractor, loaded once per process. Raises UnknownName and UserError."""
    return load_extractor(name, side, framing)


def look_at(
    workspace: Workspace,
    images: Sequence[tuple[int, str]],
    maker: str,
    params: Mapping[str, Any],
    *,
    name: str,
    created_at: str,
    batch: int,
    executor: ExecutorSpec | None = None,
    progress: Progress | None = None,
    note: str = "",
) -> Iterator[Outputs]:
    """The outputs of a maker of this module for (id, SHA-256) pairs, in their order, in batches of size ``batch``.

    ``name`` and ``created_at`` identify the network, so that shards of another one are not used. Raises ImageLost and
    UserError.
    """
    spec = executor or ExecutorSpec()
    tasks = {task.key: (task, part) for task, part in _tasks(images, spec.shard_size or batch)}
    shared = {"images": workspace.images.place, "threads": threads()} if images else {}
    work = Work(f"{__name__}:{maker}", {**params, **shared})
    runner = load_executor(spec, job_folder(spec, workspace.root, name, created_at))
    done = 0
    _report(progress, done, len(images), note)
    try:
        for part in runner.run(work, [task for task, _ in tasks.values()], lambda: False):
            if part.files:
                ids = [image_id for image_id, _ in images[tasks[part.task.key][1]]]
                yield ids, {each: read_array(data) for each, data in part.files.items()}
                done += len(ids)
                _report(progress, done, len(images), note)
    except ImageLost as error:
        with naming_image(workspace, error.sha256):
            raise error.__cause__ or error from None


def threads() -> int:
    """The number of threads of torch; with equal numbers in all workers, a CPU gives identical results."""
    import torch

    return torch.get_num_threads()


def use_threads(count: int) -> None:
    """Set the number of threads of torch in this process."""
    import torch

    torch.set_num_threads(count)


def _report(progress: Progress | None, done: int, total: int, note: str) -> None:
    if progress is not None:
        progress(done, total, note)


def _tasks(images: Sequence[tuple[int, str]], size: int) -> Iterator[tuple[Task, slice]]:
    """Batches, each named by its first and last image and a hash of all, with its position among ``images``."""
    for part in in_batches(len(images), size):
        hashes = [sha256 for _, sha256 in images[part]]
        digest = hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]
        yield Task(f"{images[part][0][0]:010d}-{images[part][-1][0]:010d}-{digest}", hashes), part


def array_bytes(values: Floats) -> bytes:
    """The bytes of an .npy file with the array."""
    out = io.BytesIO()
    np.save(out, values, allow_pickle=False)
    return out.getvalue()


def read_array(data: bytes) -> Floats:
    """The array in the bytes of an .npy file."""
    found: Floats = np.load(io.BytesIO(data), allow_pickle=False)
    return found
