"""A version of torchvision's CIFAR10 that reads an exported set, which the original would refuse for its MD5 sums.

    from synthaug.exporters.torchvision_reader import SynthaugCIFAR10

    train = SynthaugCIFAR10("exports/cats", train=True, transform=...)
    image, label = train[0]

Files are checked against the SHA-256 sums in ``manifest.json`` and read without executing code in pickles.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from torchvision.datasets import CIFAR10, VisionDataset

from synthaug import cifar_pickle
from synthaug.errors import ExportFailed
from synthaug.exporters.manifest import MANIFEST, changed_files, read_manifest


class SynthaugCIFAR10(CIFAR10):  # type: ignore[misc]  # torchvision has no types
    """A ``cifar10`` export as a torchvision dataset of pairs (PIL image, class index).

    As in torchvision, ``data`` is (N, 32, 32, 3) uint8, ``targets`` a list of int and ``classes`` the class names.
    Raises ExportFailed for a folder that is not such an export or that has changed.
    """

    base_folder = ""

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        VisionDataset.__init__(self, root, transform=transform, target_transform=target_transform)
        folder = Path(root)
        manifest = read_manifest(folder / MANIFEST)
        if manifest.format != "cifar10":
            raise ExportFailed(
                f"{folder} is an export in the format {manifest.format!r}; this class reads 'cifar10'"
            )
        if changed := changed_files(folder, manifest.files):
            raise ExportFailed(
                f"{folder} differs from its manifest in the files {changed[:5]}; export it again"
            )
        names = [name for name, _ in (self.train_list if train else self.test_list)]
        batches = [cifar_pickle.load((folder / name).read_bytes()) for name in names]
        self.train = train
        planes = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data = planes.transpose(0, 2, 3, 1)
        self.targets = [label for batch in batches for label in cast(list[int], batch["labels"])]
        self.classes = list(manifest.class_names)
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}
