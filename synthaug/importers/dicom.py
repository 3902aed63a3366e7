"""The reader of DICOM projection radiographs (CR, DX, DR ...) at their full depth, without identifying data.

It keeps only the pixels, the settings for displaying them and the technical attributes of :class:`Acquisition`. No
name, number, date, unique identifier or free text of a file reaches the workspace.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from io import BytesIO
from math import isfinite
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

import numpy as np
from numpy.typing import NDArray

from synthaug.errors import ImageRejected
from synthaug.grayscale import full_range, is_valid
from synthaug.images import MAX_PIXELS
from synthaug.records import Display, GrayImage, Window, WindowFunction

if TYPE_CHECKING:
    from pydicom import Dataset

MODALITIES = ("CR", "DX", "DR", "RG", "MG", "PX", "IO")
"""Modalities of projection radiographs; DICOM does not define DR, but some devices write it."""

KEPT = ("modality", "laterality", "view position", "pixel spacing", "bits stored", "window")
"""The attributes of a DICOM file that are kept besides its pixels, in words."""

Side = Literal["L", "R", "B", "U"]
"""Left, right, both, or unpaired (DICOM PS3.3 C.8.7.1 and C.7.3)."""


class Acquisition(TypedDict, total=False):
    """The technical attributes of a film that are kept; absent if the file has none of the expected form."""

    modality: str  # one of ``MODALITIES``
    laterality: Side
    view_position: str  # a code string, such as "AP"
    pixel_spacing_mm: list[float]  # between rows, between columns
    bits_stored: int  # 1 .. 16
    burned_in: bool  # true: the device says that the pixels contain text


_DEFLATED = b"1.2.840.10008.1.2.1.99"
_CODE = re.compile(r"[A-Z0-9][A-Z0-9 _]{0,15}")  # a code string (DICOM's value representation CS)


def is_dicom(head: bytes) -> bool:
    """Whether a file that starts with these bytes (at least 132) is DICOM."""
    return head[128:132] == b"DICM"


def read_dicom(data: bytes, *, max_pixels: int = MAX_PIXELS) -> GrayImage:
    """The film in a DICOM file. Raises ImageRejected for anything but a single projection radiograph."""
    try:
        import pydicom
    except ImportError as error:
        raise ImageRejected("reading DICOM needs pydicom: pip install 'synthaug[dicom]'") from error
    if _DEFLATED in data[:4096]:
        raise ImageRejected("deflated DICOM is not read; save it uncompressed or as JPEG 2000")
    try:
        with warnings.catch_warnings(action="ignore"):  # pydicom quotes values of the file in its warnings
            dataset = pydicom.dcmread(BytesIO(data))
            _check(dataset, max_pixels)
            return _film(dataset)
    except ImageRejected:
        raise
    except Exception as error:  # for a damaged file, a parser can raise almost anything
        raise ImageRejected(
            f"the DICOM file cannot be read; it is damaged or unusual ({type(error).__name__})"
        ) from None


def _check(dataset: Dataset, max_pixels: int) -> None:
    """Raises ImageRejected for anything but a single gray film of an acceptable size, before decoding any pixel."""
    modality = str(dataset.get("Modality", ""))
    if modality not in MODALITIES:
        raise ImageRejected(f"the DICOM modality is {modality[:16]!r}; {', '.join(MODALITIES)} are read")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise ImageRejected(f"the DICOM file has {frames} frames; save one frame as a file of its own")
    kind = str(dataset.get("PhotometricInterpretation", ""))
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise ImageRejected(f"the DICOM colours are {kind[:16]!r}; MONOCHROME1 and MONOCHROME2 are read")
    width, height = int(dataset.get("Columns") or 0), int(dataset.get("Rows") or 0)
    if not 0 < width * height <= max_pixels:
        raise ImageRejected(
            f"the image has {width} x {height} pixels; 1 to {max_pixels:,} pixels are allowed"
        )
    if not 1 <= int(dataset.BitsStored) <= 16:
        raise ImageRejected(f"{dataset.BitsStored} bits are stored per pixel; 1 to 16 are read")


def _film(dataset: Dataset) -> GrayImage:
    values, bits, slope, intercept = _values(dataset)
    windows = _windows(dataset)
    table, range_of_table = _voi_table(dataset, bits, slope, intercept)
    display = Display(
        windows or range_of_table or (_full_window(values, slope, intercept),),
        slope,
        intercept,
        dataset.PhotometricInterpretation == "MONOCHROME1",
        table,
    )
    return GrayImage(values, bits, display, _acquisition(dataset))


def _values(dataset: Dataset) -> tuple[NDArray[np.uint16], int, float, float]:
    """Stored values (H, W), their bits, and the slope and intercept that rescale them (DICOM PS3.3 C.11.1)."""
    from pydicom.pixels import apply_modality_lut

    bits, raw = int(dataset.BitsStored), dataset.pixel_array.astype(np.int64)
    if raw.shape != (dataset.Rows, dataset.Columns):
        raise ImageRejected(
            f"the pixels have the shape {raw.shape}, but the file says {dataset.Rows} x {dataset.Columns}"
        )
    low = raw & (2**bits - 1)  # old files may store an overlay in the higher bits
    shift = 2 ** (bits - 1) if dataset.PixelRepresentation == 1 else 0
    stored = low ^ shift  # two's complement to offset binary, 0 .. 2**bits - 1: keeps the order
    if "ModalityLUTSequence" in dataset:
        mapped = apply_modality_lut(stored - shift, dataset)
        return mapped.astype(np.uint16), int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]), 1.0, 0.0
    slope = float(dataset.get("RescaleSlope") or 1)
    intercept = float(dataset.get("RescaleIntercept") or 0)
    return stored.astype(np.uint16), bits, slope, intercept - slope * shift


def _windows(dataset: Dataset) -> tuple[Window, ...]:
    """The windows of the file in order, without those that DICOM does not allow."""
    function: WindowFunction = str(dataset.get("VOILUTFunction") or "LINEAR")  # type: ignore[assignment]
    pairs = zip(_numbers(dataset.get("WindowCenter")), _numbers(dataset.get("WindowWidth")), strict=False)
    found = [Window(center, width, function) for center, width in pairs]
    return tuple(dict.fromkeys(each for each in found if is_valid(each)))


def _voi_table(
    dataset: Dataset, bits: int, slope: float, intercept: float
) -> tuple[bytes, tuple[Window, ...]]:
    """The first VOI LUT as a table from stored value to 0..255, and the window it spans; both empty without one."""
    from pydicom.pixels import apply_voi

    if not dataset.get("VOILUTSequence"):
        return b"", ()
    rescaled = np.rint(slope * np.arange(2**bits) + intercept).astype(np.int64)
    entries, first, depth = (int(each) for each in dataset.VOILUTSequence[0].LUTDescriptor)
    entries, first = entries or 2**16, int(np.int16(first)) if dataset.PixelRepresentation == 1 else first
    levels = apply_voi(rescaled, dataset).astype(np.float64)
    table = np.floor(255 * np.clip(levels / (2**depth - 1), 0, 1) + 0.5).astype(np.uint8)
    return table.tobytes(), (Window(first + entries / 2, entries, "LINEAR_EXACT"),)


def _full_window(values: NDArray[np.uint16], slope: float, intercept: float) -> Window:
    """The window from the smallest to the largest rescaled value, for a file without a window."""
    ends = sorted(slope * np.array([values.min(), values.max()], dtype=np.float64) + intercept)
    window = Window((ends[0] + ends[1]) / 2, ends[1] - ends[0], "LINEAR_EXACT")
    return window if is_valid(window) else full_range(16)


def _acquisition(dataset: Dataset) -> Acquisition:
    """The attributes of the film that are kept, where their values have the expected form."""
    spacing = _numbers(dataset.get("PixelSpacing") or dataset.get("ImagerPixelSpacing"))
    view = str(dataset.get("ViewPosition") or "").strip()
    side = str(dataset.get("ImageLaterality") or dataset.get("Laterality") or "").strip()
    kept: Acquisition = {"modality": str(dataset.Modality)}
    for known in get_args(Side):
        if side == known:
            kept["laterality"] = known
    if _CODE.fullmatch(view):
        kept["view_position"] = view
    if len(spacing) == 2 and min(spacing) > 0:
        kept["pixel_spacing_mm"] = spacing
    kept["bits_stored"] = int(dataset.BitsStored)
    if dataset.get("BurnedInAnnotation") == "YES":
        kept["burned_in"] = True
    return kept


def _numbers(value: Iterable[float] | float | str | None) -> list[float]:
    """The finite numbers of an attribute with one number, several or none."""
    if value is None or value == "":
        return []
    several = [value] if isinstance(value, float | int | str) else value
    return [number for number in map(float, several) if isfinite(number)]
