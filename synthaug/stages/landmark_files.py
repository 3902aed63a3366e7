"""Exporting and importing landmarks as COCO keypoints or CSV, and importing angles from captions."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from synthaug.errors import UserError
from synthaug.files import new_file
from synthaug.landmarks.captions import angles_in
from synthaug.landmarks.coco import coco_text, read_coco
from synthaug.landmarks.geometry import class_by_angles, sides_look_swapped
from synthaug.landmarks.rows import LandmarkRow
from synthaug.landmarks.scheme import Scheme
from synthaug.landmarks.table import read_table, write_table
from synthaug.records import ImageRecord, LabelEntry, Landmarks
from synthaug.stages.landmark_answers import PLACES, placed
from synthaug.stages.landmark_scheme import required_scheme
from synthaug.store import catalog, label_log, labels, landmarks
from synthaug.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LandmarkImport:
    """The outcome of an import. ``swapped`` are images that were recorded although left and right look swapped."""

    recorded: int
    unchanged: int  # images that already have these landmarks
    skipped: tuple[tuple[str, str], ...]  # image, reason
    swapped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """The content of a file of landmarks, and the number of images in it."""

    content: bytes
    images: int


def export_landmarks(workspace: Workspace, path: Path) -> int:
    """Write the current landmarks to FILE.json (COCO keypoints) or FILE.csv; returns the number of images.

    Rejected images and landmarks of other schemes are left out. Raises UserError.
    """
    suffix = path.suffix
    if suffix not in (".json", ".csv"):
        raise UserError(f"{path} ends with {suffix!r}; give FILE.json (COCO keypoints) or FILE.csv (a table)")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent}; create it first, or choose another")
    found = exported(workspace, suffix)
    with new_file(path, durable=True) as file:
        file.write(found.content)
    return found.images


def exported(workspace: Workspace, suffix: str) -> Exported:
    """What :func:`export_landmarks` writes to a file that ends with ".json" or ".csv". Raises UserError."""
    scheme = required_scheme(workspace)
    rows = [row for row in _rows(workspace, scheme) if row.points or suffix == ".csv"]
    return Exported(_text(scheme, rows, suffix).encode(), len(rows))


def _text(scheme: Scheme, rows: Sequence[LandmarkRow], suffix: str) -> str:
    if suffix == ".json":
        return coco_text(scheme, rows)
    table = io.StringIO(newline="")
    write_table(table, scheme, rows)
    return table.getvalue()


def _rows(workspace: Workspace, scheme: Scheme) -> list[LandmarkRow]:
    db = workspace.db
    ids = sorted(landmarks.placed_images(db))
    images, current, answers = (
        catalog.known_images(db, ids),
        labels.current(db, ids),
        landmarks.current(db, ids),
    )
    classes = workspace.classes
    rows = []
    for image_id in ids:
        image, answer, index = images[image_id], answers[image_id], current[image_id].class_index
        if answer.landmarks.scheme != scheme.name or not _of_scheme(scheme, answer.landmarks):
            continue
        rows.append(
            LandmarkRow(
                key=image.sha256,
                points=answer.landmarks.points,
                angles=answer.landmarks.angles,
                file_name=image.source,
                image_id=image.id,
                width=image.width,
                height=image.height,
                class_name="" if index is None else classes[index],
                annotator=answer.annotator,
                placed_at=answer.created_at,
            )
        )
    return rows


def _of_scheme(scheme: Scheme, answer: Landmarks) -> bool:
    """Whether the landmarks and angles are those of the scheme."""
    known = {angle.name for angle in scheme.angles}
    return set(answer.points) in (set(), set(scheme.names)) and set(answer.angles) <= known


def import_landmarks(
    workspace: Workspace, path: Path, annotator: str, reason: str | None = None
) -> LandmarkImport:
    """Record the landmarks of FILE.json (COCO keypoints) or FILE.csv as this annotator's.

    An image is found by its SHA-256, its id or the name of the file it was imported from. The class is the one its
    angles make, else the one it has. Rows that cannot be recorded are skipped, with the reason. With ``reason``, the
    rows correct real test images, which are frozen, and no others. Raises UserError.
    """
    required_scheme(workspace)  # said first: without one no file can be read
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    return import_content(workspace, content, str(path), annotator, reason)


def import_content(
    workspace: Workspace, content: bytes, name: str, annotator: str, reason: str | None = None
) -> LandmarkImport:
    """The same for the content of a file called ``name``, which says by its ending what is in it. Raises UserError."""
    scheme = required_scheme(workspace)
    content = content.removeprefix(b"\xef\xbb\xbf")
    suffix = PurePosixPath(name).suffix
    try:
        if suffix == ".json":
            rows = read_coco(content, scheme, name)
        elif suffix == ".csv":
            rows = read_table(io.StringIO(content.decode("utf-8"), newline=""), scheme, name)
        else:
            raise UserError(f"{name} ends with {suffix!r}; give FILE.json (COCO keypoints) or FILE.csv")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text") from error
    return _Importing(workspace, scheme, annotator, reason).run(rows)


def import_captions(workspace: Workspace, annotator: str) -> LandmarkImport:
    """Record the angles in the captions of imported images, without points, as those of this annotator."""
    scheme = required_scheme(workspace)
    if scheme.caption is None:
        raise UserError(
            f"the scheme {scheme.name!r} has no caption format, so angles cannot be read from captions"
        )
    images = catalog.find_images(workspace.db)
    captions = catalog.captions(workspace.db, [image.id for image in images])
    answered = landmarks.current(workspace.db, list(captions))
    said = {image_id: angles_in(scheme, caption) for image_id, caption in captions.items()}
    rows = [
        LandmarkRow(str(image_id), {}, angles)
        for image_id, angles in said.items()
        if angles is not None and image_id not in answered  # placed points are more precise
    ]
    return _Importing(workspace, scheme, annotator).run(rows)


class _Importing:
    """One import, which records rows in the log, and collects those that it skips with the reason."""

    def __init__(
        self, workspace: Workspace, scheme: Scheme, annotator: str, reason: str | None = None
    ) -> None:
        self.workspace, self.scheme, self.annotator = workspace, scheme, annotator
        self.reason = reason  # of a correction of test images; None: an ordinary import
        self.images = catalog.find_images(workspace.db)
        self.by_key = _keys(self.images)
        self.skipped: list[tuple[str, str]] = []
        self.swapped: list[str] = []
        self.recorded = self.unchanged = 0

    def run(self, rows: Iterable[LandmarkRow]) -> LandmarkImport:
        with self.workspace.db.transaction():
            for row in rows:
                try:
                    self._record(row)
                except UserError as error:
                    self.skipped.append((row.key, str(error)))
        return LandmarkImport(self.recorded, self.unchanged, tuple(self.skipped), tuple(self.swapped))

    def _record(self, row: LandmarkRow) -> None:
        """Record a row. Raises UserError if that is not possible."""
        image = self._image(row)
        if self.reason is not None:
            self._check_correction(row, image)
        answer = self._answer(row, image)
        known = landmarks.current(self.workspace.db, [image.id]).get(image.id)
        if (
            known is not None
            and known.landmarks == answer
            and (self.reason is not None or known.annotator == self.annotator)
        ):
            self.unchanged += 1
            return
        op_id = label_log.new_op_id("landmarks" if self.reason is None else "correction")
        index = self._class_index(image, answer)
        entry = LabelEntry(
            image.id, "class", self.annotator, "human", op_id, index, reason=self.reason, landmarks=answer
        )
        label_log.append(self.workspace.db, [entry])
        self.recorded += 1
        if sides_look_swapped(self.scheme, answer.points):
            self.swapped.append(row.key)

    def _check_correction(self, row: LandmarkRow, image: ImageRecord) -> None:
        """Raises UserError unless the row has the points of an image that only a correction may change."""
        if not labels.frozen(self.workspace.db, [image.id]):
            raise UserError(
                "not a labeled real test image; record its landmarks with: synthaug landmarks import"
            )
        if not row.points:
            raise UserError("a correction needs the landmarks, not the angles alone")

    def _image(self, row: LandmarkRow) -> ImageRecord:
        found = [self.by_key[key] for key in _possible_keys(row.key) if key in self.by_key]
        if not found or found[0] is None:
            there = "several images came" if found else "no image came"
            raise UserError(f"{there} from a file of this name, and none has it as SHA-256 or id")
        image = found[0]
        if row.width and (row.width, row.height) != (image.width, image.height):
            raise UserError(
                f"the image has {row.width} x {row.height} pixels in the file, but {image.width} x {image.height} here"
            )
        return image

    def _answer(self, row: LandmarkRow, image: ImageRecord) -> Landmarks:
        if row.points:
            return placed(self.scheme, row.points, image)
        missing = {angle.name for angle in self.scheme.angles} - set(row.angles)
        if missing:
            raise UserError(f"the row has neither all landmarks nor the angle {min(missing)!r}")
        angles = {name: round(degrees, PLACES) for name, degrees in row.angles.items()}
        return Landmarks(self.scheme.name, self.scheme.revision, {}, angles)

    def _class_index(self, image: ImageRecord, answer: Landmarks) -> int:
        name = class_by_angles(self.scheme, answer.angles)
        if name is not None:
            return catalog.class_index(self.workspace.db, name)
        now = labels.current(self.workspace.db, [image.id]).get(image.id)
        if now is None or now.class_index is None:
            raise UserError("the scheme has no classes, and the image has no label; label it first")
        return now.class_index


def _keys(images: Sequence[ImageRecord]) -> dict[str, ImageRecord | None]:
    """Images by SHA-256, by id and by name of the source file; None if several images share a name."""
    names: dict[str, ImageRecord | None] = {}
    for image in images:
        for name in {image.source, PurePosixPath(image.source).name}:
            names[name] = None if name in names else image
    return names | {str(image.id): image for image in images} | {image.sha256: image for image in images}


def _possible_keys(key: str) -> list[str]:
    """The forms in which a file can refer to an image: as given, without the folder, and without the ending."""
    name = PurePosixPath(key.replace("\\", "/"))
    return [key, name.name, name.stem]
