"""DICOM projection radiographs (CR, DX, DR ...) at their full depth, de-identified.

Only the pixels, what is needed to show them, and the technical tags of :func:`_acquisition` are taken over:
no name, number, date, unique identifier or free text of the file is read into the workspace.
"""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import ImageRejected
from synthaug.grayscale import full_range, is_valid
from synthaug.images import MAX_PIXELS
from synthaug.records import Display, GrayImage, Window, WindowFunction

MODALITIES = ("CR", "DX", "DR", "RG", "MG", "PX", "IO")
"""Projection radiographs; DR is no defined term of DICOM, and is written by some devices."""

KEPT = ("modality", "laterality", "view position", "pixel spacing", "bits stored", "window")
"""What is kept of a DICOM file beside its pixels, in words."""

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_CODE = re.compile(r"[A-Z0-9][A-Z0-9 _]{0,15}")  # DICOM's value representation CS


def is_dicom(head: bytes) -> bool:
    """Whether a file that starts with these bytes (132 or more) is DICOM."""
    return head[128:132] == b"DICM"


def read_dicom(data: bytes, *, max_pixels: int = MAX_PIXELS) -> GrayImage:
    """The film in a DICOM file. Raises ImageRejected for what is no single projection radiograph."""
    try:
        import pydicom
    except ImportError as error:
        raise ImageRejected("DICOM is read with pip install 'synthaug[dicom]'") from error
    if _DEFLATED in data[:4096]:
        raise ImageRejected("deflated DICOM; save it uncompressed or as JPEG 2000")
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # pydicom's warnings and errors quote the file's values
            dataset = pydicom.dcmread(BytesIO(data))
            _check(dataset, max_pixels)
            return _film(dataset)
    except ImageRejected:
        raise
    except Exception as error:  # a parser fed broken bytes raises almost anything
        raise ImageRejected(
            f"DICOM that cannot be read: damaged or unusual ({type(error).__name__})"
        ) from None


def _check(dataset: Any, max_pixels: int) -> None:
    """Refuse, before any pixel is decoded, what is no single gray film of an acceptable size."""
    modality = str(dataset.get("Modality", ""))
    if modality not in MODALITIES:
        raise ImageRejected(f"DICOM of modality {modality[:16]!r}; read are {', '.join(MODALITIES)}")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise ImageRejected(f"multi-frame DICOM ({frames} frames); save one frame as its own file")
    kind = str(dataset.get("PhotometricInterpretation", ""))
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise ImageRejected(f"DICOM of colours {kind[:16]!r}; MONOCHROME1 and MONOCHROME2 are read")
    width, height = int(dataset.get("Columns") or 0), int(dataset.get("Rows") or 0)
    if not 0 < width * height <= max_pixels:
        raise ImageRejected(f"{width} x {height} pixels; 1 to {max_pixels:,} are allowed")
    if not 1 <= int(dataset.BitsStored) <= 16:
        raise ImageRejected(f"{dataset.BitsStored} bits stored; 1 to 16 are read")


def _film(dataset: Any) -> GrayImage:
    values, bits, slope, intercept = _values(dataset)
    windows = _windows(dataset)
    table, range_of_table = _voi_table(dataset, bits, slope, intercept)
    display = Display(
        windows or range_of_table or (_held(values, slope, intercept),),
        slope,
        intercept,
        dataset.PhotometricInterpretation == "MONOCHROME1",
        table,
    )
    return GrayImage(values, bits, display, _acquisition(dataset))


def _values(dataset: Any) -> tuple[NDArray[np.uint16], int, float, float]:
    """Stored values (H, W) as uint16, their bits, and slope and intercept that rescale them (PS3.3 C.11.1)."""
    from pydicom.pixels import apply_modality_lut

    bits, raw = int(dataset.BitsStored), dataset.pixel_array.astype(np.int64)
    if raw.shape != (dataset.Rows, dataset.Columns):
        raise ImageRejected(f"pixels of shape {raw.shape}; the file says {dataset.Rows} x {dataset.Columns}")
    low = raw & (2**bits - 1)  # above the stored bits an old file may keep an overlay
    shift = 2 ** (bits - 1) if dataset.PixelRepresentation == 1 else 0
    stored = low ^ shift  # two's complement -> offset binary: 0 .. 2**bits - 1 in the same order
    if "ModalityLUTSequence" in dataset:
        mapped = apply_modality_lut(stored - shift, dataset)
        return mapped.astype(np.uint16), int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]), 1.0, 0.0
    slope = float(dataset.get("RescaleSlope") or 1)
    intercept = float(dataset.get("RescaleIntercept") or 0)
    return stored.astype(np.uint16), bits, slope, intercept - slope * shift


def _windows(dataset: Any) -> tuple[Window, ...]:
    """The windows of the file, the first first; those that DICOM forbids are left out."""
    function: WindowFunction = str(dataset.get("VOILUTFunction") or "LINEAR")  # type: ignore[assignment]
    pairs = zip(_numbers(dataset.get("WindowCenter")), _numbers(dataset.get("WindowWidth")), strict=False)
    found = [Window(center, width, function) for center, width in pairs]
    return tuple(dict.fromkeys(each for each in found if is_valid(each)))


def _voi_table(dataset: Any, bits: int, slope: float, intercept: float) -> tuple[bytes, tuple[Window, ...]]:
    """The first VOI LUT as stored value -> 0..255, and the window that spans it; empty without one."""
    from pydicom.pixels import apply_voi

    if not dataset.get("VOILUTSequence"):
        return b"", ()
    rescaled = np.rint(slope * np.arange(2**bits) + intercept).astype(np.int64)
    entries, first, depth = (int(each) for each in dataset.VOILUTSequence[0].LUTDescriptor)
    entries, first = entries or 2**16, int(np.int16(first)) if dataset.PixelRepresentation == 1 else first
    levels = apply_voi(rescaled, dataset).astype(np.float64)
    table = np.floor(255 * np.clip(levels / (2**depth - 1), 0, 1) + 0.5).astype(np.uint8)
    return table.tobytes(), (Window(first + entries / 2, entries, "LINEAR_EXACT"),)


def _held(values: NDArray[np.uint16], slope: float, intercept: float) -> Window:
    """Black at the least value that there is, white at the largest: for a file that says nothing."""
    ends = sorted(slope * np.array([values.min(), values.max()], dtype=np.float64) + intercept)
    window = Window((ends[0] + ends[1]) / 2, ends[1] - ends[0], "LINEAR_EXACT")
    return window if is_valid(window) else full_range(16)


def _acquisition(dataset: Any) -> dict[str, Any]:
    """How the film was taken: the tags that are kept, and of those only values of the expected form."""
    spacing = _numbers(dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing"))
    view = str(dataset.get("ViewPosition") or "").strip()
    side = str(dataset.get("ImageLaterality") or dataset.get("Laterality") or "").strip()
    kept = {
        "modality": str(dataset.Modality),
        "laterality": side if side in ("L", "R", "B", "U") else None,
        "view_position": view if _CODE.fullmatch(view) else None,
        "pixel_spacing_mm": spacing if len(spacing) == 2 and min(spacing) > 0 else None,
        "bits_stored": int(dataset.BitsStored),
        "burned_in": True if dataset.get("BurnedInAnnotation") == "YES" else None,
    }
    return {name: value for name, value in kept.items() if value is not None}


def _numbers(value: Any) -> list[float]:
    """One number or several, as DICOM writes them; what is not finite is left out."""
    if value is None or value == "":
        return []
    several = [float(each) for each in (value if hasattr(value, "__iter__") else [value])]
    return [each for each in several if isfinite(each)]
