"""Real CR films and films made here, against pydicom's own windowing; and what must not come through."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import data_store
import numpy as np
import pydicom
import pytest
from PIL import Image, PngImagePlugin
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from synthaug.errors import ImageRejected
from synthaug.grayscale import as_picture
from synthaug.images import decode, decode_full, encode_png, pixel_hash
from synthaug.importers.dicom import is_dicom, read_dicom
from synthaug.importers.folder import FolderImporter
from synthaug.records import GrayImage
from synthaug.stages.backup import backup, restore
from synthaug.stages.importing import import_images
from synthaug.stages.verify import verify
from synthaug.store import catalog, gray_images
from synthaug.workspace import Workspace

FILMS = Path(data_store.__file__).parent / "data"
PATIENT = "Zyxwv^Rover"


def film(values: np.ndarray, **tags: Any) -> Dataset:
    """A CR film of these stored values, with everything that a device writes of a patient."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = generate_uid()
    made.PatientName, made.PatientID = PATIENT, "ID-4711-0815"
    made.PatientComments, made.InstitutionName = "bites-when-held", "Kleintierpraxis Sundern"
    made.StudyDate, made.PatientBirthDate, made.AccessionNumber = "20190203", "20110405", "ACC-99887"
    made.Modality, made.SamplesPerPixel, made.PhotometricInterpretation = "CR", 1, "MONOCHROME2"
    made.Rows, made.Columns = values.shape[-2:]
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.PixelRepresentation = int(values.dtype.kind == "i")
    made.PixelData = values.tobytes()
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def look_up(descriptor: list[int], entries: np.ndarray) -> Dataset:
    """An item of a LUT sequence."""
    made = Dataset()
    made.add_new("LUTDescriptor", "US", descriptor)
    made.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return made


def written(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def ramp(bits: int = 12, dtype: type = np.uint16) -> np.ndarray:
    """Every value of a depth once, signed or not."""
    first = 0 if dtype is np.uint16 else -(2 ** (bits - 1))
    return np.arange(first, first + 2**bits).astype(dtype).reshape(-1, 64)


def shown_by_pydicom(data: bytes, full: float) -> np.ndarray:
    """8 bits of what pydicom's own look-up gives, whose output spans 0 .. ``full``."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    levels = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(np.float64)
    gray = np.floor(255 * levels / full + 0.5)
    return 255 - gray if dataset.PhotometricInterpretation == "MONOCHROME1" else gray


@pytest.mark.parametrize(
    ("name", "bits"), [("RG1_UNCR.dcm", 15), ("RG3_UNCR.dcm", 10), ("RG3_J2KR.dcm", 10), ("RG3_J2KI.dcm", 10)]
)
def test_a_real_film_keeps_its_depth_and_looks_as_pydicom_shows_it(name: str, bits: int) -> None:
    data = (FILMS / name).read_bytes()
    image = read_dicom(data)
    raw = pydicom.dcmread(FILMS / name).pixel_array
    assert (image.bits, image.values.dtype) == (bits, np.uint16)
    assert np.array_equal(image.values, raw)
    picture = as_picture(image)
    assert np.array_equal(picture[:, :, 0], shown_by_pydicom(data, 2**bits - 1))
    assert np.array_equal(picture[:, :, 0], picture[:, :, 2])


def test_a_real_film_says_how_it_was_taken() -> None:
    tibia = read_dicom((FILMS / "RG3_UNCR.dcm").read_bytes())
    expected = {"modality": "CR", "laterality": "R", "view_position": "AP", "bits_stored": 10}
    assert tibia.acquisition == expected
    window = tibia.display.windows[0]
    assert (window.center, window.width, window.function, tibia.display.inverted) == (
        550,
        1024,
        "LINEAR",
        True,
    )
    assert (
        "pixel_spacing_mm" not in read_dicom((FILMS / "RG1_UNCR.dcm").read_bytes()).acquisition
    )  # 0 x 0 in it


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_every_window_function_with_a_rescale(function: str, photometric: str, dtype: type) -> None:
    tags = {"RescaleSlope": 2.5, "RescaleIntercept": -1024, "WindowCenter": 700, "WindowWidth": 1500}
    data = written(
        film(ramp(dtype=dtype), **tags, VOILUTFunction=function, PhotometricInterpretation=photometric)
    )
    lowest, highest = (0, 4095) if dtype is np.uint16 else (-2048, 2047)
    y_min, y_max = lowest * 2.5 - 1024, highest * 2.5 - 1024  # the output range that pydicom spans
    dataset = pydicom.dcmread(io.BytesIO(data))
    levels = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    share = (levels - y_min) / (y_max - y_min)
    expected = np.floor(255 * share + 0.5)
    expected = 255 - expected if photometric == "MONOCHROME1" else expected
    assert np.abs(as_picture(read_dicom(data))[:, :, 0] - expected).max() <= (function == "SIGMOID")


def test_a_narrow_window_is_a_step() -> None:
    data = written(film(ramp(), WindowCenter=2000, WindowWidth=1))
    shown = as_picture(read_dicom(data))[:, :, 0].ravel()
    assert np.array_equal(shown, np.where(np.arange(4096) > 1999.5, 255, 0))


def test_a_voi_lut_of_the_file_is_the_default() -> None:
    lut = look_up([1000, 500, 14], np.linspace(0, 1, 1000) ** 2 * 16383)
    data = written(film(ramp(), VOILUTSequence=[lut], WindowCenter=50, WindowWidth=10))
    image = read_dicom(data)
    assert np.array_equal(as_picture(image)[:, :, 0], shown_by_pydicom(data, 16383))
    assert image.display.windows[0].center == 50
    again = decode_full(encode_png(image, {}))
    assert isinstance(again, GrayImage)
    assert again.display == image.display


def test_a_modality_lut_of_the_file_is_applied() -> None:
    lut = look_up([4096, 0, 16], 65535 - 8 * np.arange(4096))
    lut.ModalityLUTType = "US"
    data = written(film(ramp(), ModalityLUTSequence=[lut], WindowCenter=50000, WindowWidth=20000))
    image = read_dicom(data)
    assert np.array_equal(image.values, 65535 - 8 * ramp().astype(int))
    assert np.array_equal(as_picture(image)[:, :, 0], shown_by_pydicom(data, 65535))


def test_without_a_window_the_full_range_of_values_is_shown() -> None:
    shown = as_picture(read_dicom(written(film(ramp()[20:30]))))
    assert (shown.min(), shown.max()) == (0, 255)


def test_an_overlay_above_the_stored_bits_is_no_part_of_the_film() -> None:
    values = ramp()
    assert np.array_equal(read_dicom(written(film(values | 0x8000))).values, values)


def test_the_store_keeps_all_bits_and_gives_the_picture(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "work", ["a"])
    image = read_dicom((FILMS / "RG1_UNCR.dcm").read_bytes())
    sha256 = workspace.images.put(image, {"Source": "RG1"})
    stored = workspace.images.stored(sha256)
    assert isinstance(stored, GrayImage)
    assert np.array_equal(stored.values, image.values)
    assert (stored.bits, stored.display) == (image.bits, image.display)
    assert np.array_equal(workspace.images.read(sha256), as_picture(image))
    assert workspace.images.is_intact(sha256)
    with Image.open(workspace.images.path(sha256)) as png:
        assert np.array_equal(np.asarray(png), image.values)  # what any other program reads


def test_no_patient_data_is_kept(tmp_path: Path) -> None:
    tags = {"WindowCenter": 700, "WindowWidth": 900, "WindowCenterWidthExplanation": "Dr. Qwertz"}
    tags |= {"ViewPosition": "Zyxwv^Rover", "ImageLaterality": "L", "PixelSpacing": [0.1, 0.2]}
    dataset = film(ramp(), **tags, BurnedInAnnotation="YES")
    (tmp_path / "films").mkdir()
    (tmp_path / "films/IM000001").write_bytes(written(dataset))
    workspace = Workspace.create(tmp_path / "work", ["a"])
    result = import_images(workspace, tmp_path / "films")
    assert result.added == 1
    assert "1 DICOM file de-identified" in result.notes[0]
    assert "may contain names of patients" in result.notes[0]
    assert "IM000001; check it for names" in result.notes[1]
    [image] = catalog.find_images(workspace.db)
    assert gray_images.of_images(workspace.db, [image.id])[image.id].acquisition == {
        "modality": "CR",
        "laterality": "L",
        "pixel_spacing_mm": [0.1, 0.2],
        "bits_stored": 12,
        "burned_in": True,
    }
    workspace.db.close()
    secrets = [
        str(dataset[name].value).encode() for name in ("PatientID", "PatientComments", "InstitutionName")
    ]
    secrets += [b"Zyxwv", b"Rover", b"20190203", b"20110405", b"ACC-99887", b"Qwertz", b"bites"]
    secrets.append(str(dataset.SOPInstanceUID).encode())
    held = b"".join(path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert [secret for secret in secrets if secret in held] == []
    assert all(secret in written(dataset) for secret in secrets)


def test_films_are_found_by_their_content(tmp_path: Path) -> None:
    data = written(film(ramp()))
    for name in ("hips/IM1", "hips/1.2.840.113619.2.55", "hips/a.dcm", "hips/b.DICOM"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "hips/README").write_text("no film " * 50)
    (tmp_path / "hips/DICOMDIR").write_bytes(data)
    (tmp_path / "hips/short.1").write_bytes(b"DICM")
    found = [item.path for item in FolderImporter().items(tmp_path)]
    assert found == ["hips/1.2.840.113619.2.55", "hips/IM1", "hips/a.dcm", "hips/b.DICOM"]
    assert is_dicom(data[:132])


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"NumberOfFrames": 3}, "has 3 frames"),
        ({"Modality": "CT"}, "modality is 'CT'"),
        ({"PhotometricInterpretation": "RGB"}, "colours are 'RGB'"),
        ({"Rows": 60_000, "Columns": 60_000}, "60000 x 60000 pixels"),
        ({"BitsStored": 32}, "32 bits are stored"),
        ({"PixelData": b"\0" * 10}, "cannot be read"),
    ],
)
def test_anything_but_a_single_film_is_refused(tags: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImageRejected) as refused:
        read_dicom(written(film(ramp(), **tags)))
    assert reason in str(refused.value)


def test_broken_files_are_rejected_whatever_is_broken() -> None:
    data = written(film(ramp(), WindowCenter=700, WindowWidth=900))
    rng = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(
            data[: rng.integers(132, 1200)] if rng.random() < 0.3 else data[:1200] + data[-200:]
        )
        for place in rng.integers(132, len(broken), 4):
            broken[place] = rng.integers(256)
        with pytest.raises(ImageRejected):
            read_dicom(bytes(broken))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_png_and_tiff_are_kept(kind: str) -> None:
    values = (ramp(16)[:100].astype(int) + 40000).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(values).save(out, kind)
    image = decode_full(out.getvalue())
    assert isinstance(image, GrayImage)
    assert image.bits == 16
    assert np.array_equal(image.values, values)
    assert np.array_equal(decode(out.getvalue())[:, :, 0], np.floor(values / 65535 * 255 + 0.5))


def test_a_tiff_whose_zero_is_white_is_shown_so() -> None:
    out = io.BytesIO()
    Image.fromarray(ramp()).save(out, "TIFF", tiffinfo={262: 0})
    shown = decode(out.getvalue())[:, :, 0].ravel()
    assert (shown[0], shown[-1]) == (255, 0)


def test_the_address_is_that_of_the_values() -> None:
    one = read_dicom(written(film(ramp(), WindowCenter=700, WindowWidth=900)))
    other = read_dicom(written(film(ramp(), WindowCenter=100, WindowWidth=90)))
    assert pixel_hash(one) == pixel_hash(other)
    assert pixel_hash(one) != pixel_hash(as_picture(one))


REST = '"slope": 1, "intercept": 0, "table": ""}'
STRANGE = [
    "",
    "{",
    "[]",
    '{"bits": 12}',
    '{"bits": 12, "windows": [], ' + REST,
    '{"bits": 12, "windows": [[NaN, 1, "LINEAR"]], ' + REST,
    '{"bits": 99, "windows": [[5, 10, "LINEAR"]], ' + REST,
    '{"bits": 12, "windows": [[5, 10, "MAGIC"]], ' + REST,
]


@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_display_in_a_png_is_not_believed(text: str) -> None:
    chunks, out = PngImagePlugin.PngInfo(), io.BytesIO()
    chunks.add_itxt("Display", text)
    Image.fromarray(ramp()).save(out, "PNG", pnginfo=chunks)
    image = decode_full(out.getvalue())
    assert isinstance(image, GrayImage)
    assert image.display.windows[0].width == 4095


def test_films_are_verified_and_backed_up_with_all_their_bits(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films/IM000001").write_bytes(written(film(ramp(), WindowCenter=700, WindowWidth=900)))
    workspace = Workspace.create(tmp_path / "work", ["a"])
    import_images(workspace, tmp_path / "films")
    assert verify(workspace).problems == ()
    [image] = catalog.find_images(workspace.db)
    backup(workspace, tmp_path / "backup")
    again = restore(tmp_path / "backup", tmp_path / "again")
    stored = again.images.stored(image.sha256)
    assert isinstance(stored, GrayImage)
    assert np.array_equal(stored.values, ramp())
