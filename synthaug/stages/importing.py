"""Importing images: decoding them safely, storing them by the hash of their pixels, and logging their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthaug.errors import Cancelled, ImageRejected, NothingImported, UnknownName, UserError
from synthaug.images import decode_full, size_of
from synthaug.importers import detect, load_importer
from synthaug.importers.base import Importer
from synthaug.importers.dicom import KEPT, is_dicom, read_dicom
from synthaug.parsing import JsonRecord
from synthaug.progress import Progress
from synthaug.records import GrayImage, ImportItem, Json, LabelEntry, Origin, Pixels, Split
from synthaug.running.jobs import JobContext
from synthaug.stages import uploads
from synthaug.stages.class_map import ClassMap, add_classes, check, source_class
from synthaug.stages.job_records import ImportParams
from synthaug.store import catalog, gray_images, label_log, labels
from synthaug.store.gray_images import GrayRecord
from synthaug.workspace import Workspace

BATCH = 500
"""Images per transaction, few enough that other processes can write in between."""

BATCH_BYTES = 2**28
"""Bytes after which a batch ends, because the files of gray images can be large."""

MOST_HELD_OUT = 0.9  # share of the images

IMPORTER = "import"
"""The annotator of imported labels."""


@dataclass(frozen=True, slots=True)
class ImportResult(JsonRecord):
    """The outcome of an import: images added, images that already existed, and (path, reason) of rejected entries."""

    added: int
    duplicates: int
    rejected: tuple[tuple[str, str], ...]
    labels: int = 0  # labels recorded, also for existing images without one
    notes: tuple[str, ...] = ()  # assumptions about the source and changes to it, in sentences
    skipped: int = 0  # entries that the class map skips


def import_images(
    workspace: Workspace,
    source: str | Path,
    format: str = "auto",
    split: Split | None = None,
    origin: Origin = "real",
    progress: Progress | None = None,
    class_map: ClassMap | None = None,
    hold_out: float = 0.0,
) -> ImportResult:
    """Import all images of ``source``, and report those that cannot be read.

    ``split`` overrides the split of the source. Without either, images are used for training, except for a share
    ``hold_out`` (0 .. 0.9), selected by the hash of the pixels, that is used for testing. ``class_map`` maps the
    classes of the source to those of the workspace. Raises ImportFailed if the source cannot be read, and
    NothingImported if all entries were rejected.
    """
    path = Path(source)
    if not 0 <= hold_out <= MOST_HELD_OUT:
        raise UserError(
            f"the share held out for testing is {hold_out:g}; it must be in 0 .. {MOST_HELD_OUT:g}"
        )
    workspace.remove_leftovers()
    importer = load_importer(detect(path) if format == "auto" else format)
    total = importer.count(path) or 0
    if class_map is not None:
        check(class_map, workspace, source_classes(importer, path))
        add_classes(class_map, workspace)
    tally = _Tally(workspace, split, origin, class_map or ClassMap(), hold_out)
    batch: list[ImportItem] = []
    for item in importer.items(path):
        batch.append(item)
        if len(batch) == BATCH or sum(map(_bytes_of, batch)) >= BATCH_BYTES:
            tally.add(batch)
            batch.clear()
            if progress is not None:
                progress(tally.seen, total, f"{tally.seen} images read")
    tally.add(batch)
    if progress is not None:
        progress(tally.seen, tally.seen, f"{tally.added} images added")
    if tally.rejected and not tally.added + tally.duplicates:
        raise NothingImported(path.name, tally.rejected)
    return tally.result()


def source_classes(importer: Importer, source: Path) -> set[str]:
    """The classes of a source; "" stands for entries without a class."""
    return {source_class(item) for item in importer.items(source, only=())}


def run(context: JobContext) -> Json:
    """Run an import job; an upload is removed after it was imported, rejected or cancelled."""
    workspace, params = context.workspace, ImportParams.from_json(context.job.params)
    upload = params.upload
    source = params.source if upload is None else uploads.source(workspace, upload)
    try:
        result = import_images(
            workspace,
            source,
            params.format,
            params.split,
            params.origin,
            context.progress,
            class_map=params.class_map or ClassMap(),
            hold_out=params.hold_out,
        )
    except NothingImported as error:
        context.keep(rejected=error.rejected)
        uploads.remove(workspace, upload)
        raise
    except Cancelled:
        uploads.remove(workspace, upload)
        raise
    uploads.remove(workspace, upload)
    return result.to_json()


def _bytes_of(item: ImportItem) -> int:
    return len(item.data) if isinstance(item.data, bytes) else item.data.nbytes


def notes_on_films(films: int, inverted: int, deep: int, burned_in: Sequence[str]) -> tuple[str, ...]:
    """Sentences on the DICOM files of an import, and on its ``deep`` gray images of more than 8 bits."""
    sentences = []
    if films:
        sentences.append(
            f"{films} DICOM file{'s' * (films != 1)} de-identified: besides the pixels, only {', '.join(KEPT)} were "
            "kept; the names of files and folders are kept as the source of the images, and may contain names of "
            "patients"
        )
    if inverted:
        sentences.append(f"{inverted} of them stored inverted (MONOCHROME1); they are displayed correctly")
    if deep:
        sentences.append(f"{deep} gray image{'s' * (deep != 1)} of more than 8 bits kept at full depth")
    if burned_in:
        sentences.append(
            f"according to the file, text is burned into the image: {', '.join(burned_in)}; check it for names"
        )
    return tuple(sentences)


@dataclass(frozen=True, slots=True)
class _Stored:
    """An entry whose image has been stored."""

    item: ImportItem
    sha256: str
    size: tuple[int, int]  # width, height
    gray: GrayRecord | None
    class_index: int | None


class _Tally:
    """Adds entries to a workspace, and counts the outcomes."""

    def __init__(
        self, workspace: Workspace, split: Split | None, origin: Origin, class_map: ClassMap, hold_out: float
    ) -> None:
        self.workspace, self.split, self.origin = workspace, split, origin
        self.class_map, self.hold_out = class_map, hold_out
        self.classes = workspace.classes
        self.seen = self.added = self.duplicates = self.labels = self.skipped = 0
        self.films = self.inverted = self.deep = 0
        self.burned_in: list[str] = []
        self.numbered_names = all(name.isdecimal() for name in self.classes)
        self.by_number = False
        self.rejected: list[tuple[str, str]] = []
        self.pending: dict[int, LabelEntry] = {}  # of this batch, by image id; appended to the log at its end

    def add(self, items: list[ImportItem]) -> None:
        """Add one batch in one transaction."""
        stored: list[_Stored] = []
        for entry in items:
            self.seen += 1
            item = self.class_map.apply(entry)
            if item is None:
                self.skipped += 1
                continue
            if item.rejected:
                self.rejected.append((item.path, item.rejected))
                continue
            try:
                stored.append(self._store(item))
            except (ImageRejected, UnknownName) as error:
                self.rejected.append((item.path, str(error)))
        self.workspace.images.flush()
        with self.workspace.db.transaction():
            for each in stored:
                self._record(each)
            label_log.append(self.workspace.db, list(self.pending.values()))
            self.labels += len(self.pending)
            self.pending.clear()

    def _store(self, item: ImportItem) -> _Stored:
        """Store the image of an entry. Raises ImageRejected and UnknownName."""
        class_index = self._class_index(item)
        image = self._decoded(item)
        sha256 = self.workspace.images.put(image, self._text(item))
        gray = GrayRecord(image.bits, image.acquisition) if isinstance(image, GrayImage) else None
        return _Stored(item, sha256, size_of(image), gray, class_index)

    def _decoded(self, item: ImportItem) -> Pixels | GrayImage:
        """The decoded image of an entry. Raises ImageRejected."""
        if not isinstance(item.data, bytes):
            return item.data
        if not is_dicom(item.data[:132]):
            image = decode_full(item.data)
            self.deep += isinstance(image, GrayImage)
            return image
        film = read_dicom(item.data)
        self.films += 1
        self.inverted += film.display.inverted
        if film.acquisition.get("burned_in"):
            self.burned_in.append(item.path)
        return film

    def _class_index(self, item: ImportItem) -> int | None:
        if item.class_index is not None:
            return self._numbered(item.class_index)
        if item.class_name is None:
            return None
        if item.class_name not in self.classes:
            raise UnknownName("class", item.class_name, self.classes)
        return self.classes.index(item.class_name)

    def _numbered(self, number: int) -> int:
        """The class index for a number without a name: the class with this name, or else the class at this position."""
        if self.numbered_names:
            return catalog.class_index(self.workspace.db, str(number))
        if not 0 <= number < len(self.classes):
            raise UnknownName("class number", str(number), [f"0 .. {len(self.classes) - 1}"])
        self.by_number = True
        return number

    def result(self) -> ImportResult:
        """The outcome of all entries."""
        counts = (self.added, self.duplicates, tuple(self.rejected), self.labels)
        return ImportResult(*counts, self.notes(), self.skipped)

    def notes(self) -> tuple[str, ...]:
        """Assumptions about the source and changes to it, in sentences."""
        done = notes_on_films(self.films, self.inverted, self.deep, self.burned_in)
        if not self.by_number:
            return done
        meant = ", ".join(f"{number} = {name}" for number, name in enumerate(self.classes))
        return (
            f"the source numbers its classes without naming them; the order of the workspace was used: {meant}",
            *done,
        )

    def _text(self, item: ImportItem) -> dict[str, str]:
        text = {"Source": item.path, "Origin": self.origin}
        return text if item.caption is None else {**text, "Description": item.caption}

    def _record(self, stored: _Stored) -> None:
        db, item = self.workspace.db, stored.item
        split = self.split or item.split or self._drawn(stored.sha256)
        image_id, new = catalog.add_image(
            db,
            sha256=stored.sha256,
            size=stored.size,
            split=split,
            origin=self.origin,
            source=item.path,
            caption=item.caption,
        )
        if not new:
            self._refuse_or_count(item, image_id, split, stored.class_index)
            return
        self.added += 1
        if stored.gray is not None:
            gray_images.add(db, image_id, stored.gray)
        self._label(image_id, stored.class_index)

    def _drawn(self, sha256: str) -> Split:
        """The split of an image without one, which depends only on its pixels."""
        return "test" if int(sha256[:13], 16) < self.hold_out * 16**13 else "train"

    def _label(self, image_id: int, class_index: int | None) -> None:
        """Log the class of an image in the source; every import is a new operation."""
        if class_index is not None:
            op_id = label_log.new_op_id("import")
            self.pending[image_id] = LabelEntry(image_id, "class", IMPORTER, "imported", op_id, class_index)

    def _refuse_or_count(
        self, item: ImportItem, image_id: int, split: Split, class_index: int | None
    ) -> None:
        """Count an existing image as a duplicate, or reject it if its split or class contradicts the stored one."""
        image = catalog.images_by_id(self.workspace.db, [image_id])[0]
        known = self.pending.get(image_id) or labels.current(self.workspace.db, [image_id]).get(image_id)
        if image.split != split:
            reason = f"same pixels as {image.source}, which is in the {image.split} split"
            self.rejected.append((item.path, reason))
        elif class_index is not None and known is not None and known.class_index not in (None, class_index):
            reason = (
                f"same pixels as {image.source}, which is labeled {self.classes[known.class_index or 0]!r}"
            )
            self.rejected.append((item.path, reason))
        else:
            self.duplicates += 1
            if known is None:
                self._label(image_id, class_index)
