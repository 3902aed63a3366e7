"""Finding the subject of an image with a segmentation model from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synthaug.errors import UserError
from synthaug.generators.compositing.masks import Mask, border, tidy
from synthaug.records import Pixels
from synthaug.weights import pretrained

BACKGROUND = ("background", "unlabeled", "other")


class SubjectSegmenter:
    """A semantic, instance or panoptic segmentation model, given by folder or hub id; safetensors weights only.

    With ``labels``, the subject consists of the segments with one of these labels. Without, it consists of the
    segments that cover a smaller share of the border than of the whole image. Raises UserError for a model that
    cannot be loaded and for unknown labels.
    """

    def __init__(self, name: str | Path, *, labels: Sequence[str] = (), device: str | None = None) -> None:
        self.name = str(name)
        self._labels = frozenset(labels)
        self._pipeline = _load(self.name, device)
        known = set(self._pipeline.model.config.id2label.values())
        if self._labels - known:
            raise UserError(
                f"the segmentation model {self.name!r} has no label {', '.join(sorted(self._labels - known))}; "
                f"its labels are {', '.join(sorted(known)[:20])}"
            )

    @property
    def revision(self) -> str:
        """The hub commit; empty for a folder."""
        return str(getattr(self._pipeline.model.config, "_commit_hash", None) or "")

    def mask(self, pixels: Pixels) -> Mask:
        """Mask (H, W) of an image (H, W, 3) uint8, true on the subject; all false where the model finds none."""
        found = np.zeros(pixels.shape[:2], bool)
        for segment in self._pipeline(Image.fromarray(pixels)):
            area = np.asarray(segment["mask"]) > 127
            if self._is_subject(segment["label"], area):
                found |= area
        return tidy(found)

    def _is_subject(self, label: str, area: Mask) -> bool:
        if self._labels:
            return label in self._labels
        return label not in BACKGROUND and bool(area[border(*area.shape)].mean() < area.mean())


def _load(name: str, device: str | None) -> Any:
    import torch
    import transformers

    if Path(name).expanduser().exists():
        name = str(Path(name).expanduser())
        if not (Path(name) / "config.json").is_file():
            raise UserError(f"{name} is not a segmentation model for transformers: it has no config.json")
        if not any(Path(name).glob("*.safetensors")):
            raise UserError(f"{name} has no weights in safetensors; pickled weights are not read")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    transformers.utils.logging.disable_progress_bar()
    try:
        return transformers.pipeline(
            "image-segmentation",
            model=_network(name),
            image_processor=transformers.AutoImageProcessor.from_pretrained(name),
            device=device,
        )
    except UserError:
        raise
    except Exception as error:  # bad configurations, weights and hub access raise many kinds of error
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the segmentation model {name!r} could not be loaded: {reason}; give the folder or hub id of an image "
            "segmentation model with safetensors weights, or leave it out to use the colours along the border"
        ) from error


def _network(name: str) -> Any:
    """The network that the model's configuration names, with all of its weights loaded."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(name)
    kind = getattr(transformers, (config.architectures or [""])[0])
    return pretrained(kind, name, local_files_only=False)
