"""Where the subject of a picture is, told by a segmentation model of transformers."""

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
    """A model for semantic, instance or panoptic segmentation, by folder or hub id; weights in safetensors only.

    With ``labels`` the subject is what the model gives one of these names; without, it is what lies in the picture
    rather than along its border: segments that take a smaller share of the border than of the picture.
    """

    def __init__(self, name: str | Path, *, labels: Sequence[str] = (), device: str | None = None) -> None:
        self.name = str(name)
        self._labels = frozenset(labels)
        self._pipeline = _load(self.name, device)
        known = set(self._pipeline.model.config.id2label.values())
        if self._labels - known:
            raise UserError(
                f"the segmentation model {self.name!r} knows no {', '.join(sorted(self._labels - known))}; "
                f"it knows {', '.join(sorted(known)[:20])}"
            )

    @property
    def revision(self) -> str:
        """The hub commit; "" for a folder."""
        return str(getattr(self._pipeline.model.config, "_commit_hash", None) or "")

    def mask(self, pixels: Pixels) -> Mask:
        """(H, W), true on the subject; all false where the model sees none."""
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
            raise UserError(f"{name} is no segmentation model of transformers: it has no config.json")
        if not any(Path(name).glob("*.safetensors")):
            raise UserError(f"{name} has no weights (*.safetensors); pickles are not read")
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    transformers.utils.logging.disable_progress_bar()
    try:
        return transformers.pipeline(
            "image-segmentation",
            model=_network(name),
            image_processor=transformers.AutoImageProcessor.from_pretrained(name),
            device=place,
        )
    except UserError:
        raise
    except (
        Exception
    ) as error:  # configurations, weights and the hub fail in many ways, all of them the user's
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the segmentation model {name!r} could not be loaded: {reason}; name a folder or a hub id of a model "
            "for image segmentation with safetensors weights, or leave it out to go by the border's colours"
        ) from error


def _network(name: str) -> Any:
    """The network that a model's configuration names, with all of its weights."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(name)
    kind = getattr(transformers, (config.architectures or [""])[0])
    return pretrained(kind, name, local_files_only=False)
