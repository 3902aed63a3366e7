"""The settings, classes and images of a workspace."""

from __future__ import annotations

from collections.abc import Sequence

from synthaug.errors import UnknownImage, UnknownName
from synthaug.records import Framing, ImageRecord, Origin, Split
from synthaug.store.database import Database, now

IMAGE_COLUMNS = (
    "images.id, images.sha256, images.width, images.height, images.split, images.origin, images.source"
)


def get_setting(db: Database, key: str) -> str | None:
    """The value of a setting, or None."""
    row = db.one("SELECT value FROM settings WHERE key = ?", [key])
    return None if row is None else str(row["value"])


def set_setting(db: Database, key: str, value: str) -> None:
    """Set or replace a setting."""
    with db.transaction() as connection:
        connection.execute(
            "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [key, value],
        )


def add_classes(db: Database, names: Sequence[str]) -> None:
    """Append classes; their positions are the class indices."""
    with db.transaction():
        first = len(class_names(db))
        db.insert("classes", [{"position": first + i, "name": name} for i, name in enumerate(names)])


def class_names(db: Database) -> tuple[str, ...]:
    """Class names in the order of their indices."""
    return tuple(row["name"] for row in db.query("SELECT name FROM classes ORDER BY position"))


def class_index(db: Database, name: str) -> int:
    """The index of a class. Raises UnknownName."""
    names = class_names(db)
    if name not in names:
        raise UnknownName("class", name, names)
    return names.index(name)


def add_image(
    db: Database,
    *,
    sha256: str,
    size: tuple[int, int],
    split: Split,
    origin: Origin,
    source: str,
    caption: str | None = None,
) -> tuple[int, bool]:
    """Add an image of ``size`` (width, height) in pixels; returns its id, and whether it is new."""
    with db.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO images (sha256, width, height, split, origin, source, caption, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
            [sha256, *size, split, origin, source, caption, now()],
        )
        if cursor.rowcount:
            return int(cursor.lastrowid or 0), True
        row = connection.execute("SELECT id FROM images WHERE sha256 = ?", [sha256]).fetchone()
        return int(row["id"]), False


def captions(db: Database, ids: Sequence[int]) -> dict[int, str]:
    """Imported captions by image id; images without a caption are left out."""
    rows = db.query_among("SELECT id, caption FROM images WHERE caption <> '' AND id IN (:ids)", ids)
    return {row["id"]: row["caption"] for row in rows}


def find_images(
    db: Database,
    *,
    split: Split | None = None,
    origin: Origin | None = None,
    without_predictions_of: int | None = None,
) -> list[ImageRecord]:
    """The images that match all given conditions, oldest first."""
    where, values = ["1"], []
    for column, wanted in (("split", split), ("origin", origin)):
        if wanted is not None:
            where.append(f"{column} = ?")
            values.append(str(wanted))
    if without_predictions_of is not None:
        where.append("id NOT IN (SELECT image_id FROM predictions WHERE model_id = ?)")
        values.append(str(without_predictions_of))
    sql = f"SELECT {IMAGE_COLUMNS} FROM images WHERE {' AND '.join(where)} ORDER BY id"
    return [ImageRecord(*row) for row in db.query(sql, values)]


def image_ids(
    db: Database, *, origin: Origin | None = None, split: Split | None = None, unlabeled: bool = False
) -> list[int]:
    """Ids of images, ascending; with ``unlabeled``, only of those without a current label."""
    where, values = ["1"], []
    if origin is not None:
        where.append("origin = ?")
        values.append(str(origin))
    if split is not None:
        where.append("split = ?")
        values.append(str(split))
    if unlabeled:
        where.append("id NOT IN (SELECT image_id FROM current_label_ids)")
    return db.numbers(f"SELECT id FROM images WHERE {' AND '.join(where)} ORDER BY id", values)


def of_origin(db: Database, ids: Sequence[int], origin: Origin) -> list[int]:
    """The ids among ``ids`` whose images have this origin."""
    return [each.id for each in known_images(db, ids).values() if each.origin == origin]


def newest_synthetic(db: Database, count: int) -> list[int]:
    """Ids of the newest synthetic images, newest first."""
    rows = db.query("SELECT id FROM images WHERE origin = 'synthetic' ORDER BY id DESC LIMIT ?", [count])
    return [row["id"] for row in rows]


def count_images(db: Database) -> int:
    """The number of images."""
    return int(db.query("SELECT count(*) FROM images")[0][0])


def has_images(db: Database, *, split: Split, origin: Origin) -> bool:
    """Whether there is an image of this split and origin."""
    return db.one("SELECT 1 FROM images WHERE split = ? AND origin = ? LIMIT 1", [split, origin]) is not None


def is_empty(db: Database) -> bool:
    """Whether there is no image at all."""
    return db.one("SELECT 1 FROM images LIMIT 1") is None


def usual_size(db: Database) -> tuple[int, int] | None:
    """The most frequent (width, height) of the real images in pixels, or None if there are none."""
    row = db.one(
        "SELECT width, height FROM images WHERE origin = 'real' GROUP BY width, height ORDER BY count(*) DESC LIMIT 1"
    )
    return None if row is None else (int(row["width"]), int(row["height"]))


def usual_side(db: Database) -> int:
    """The longer side of the most frequent size of the real images, in pixels; 0 if there are none."""
    size = usual_size(db)
    return max(size) if size else 0


def framing(db: Database) -> Framing:
    """How networks read the images: padded if any of them is not square; otherwise it makes no difference."""
    other = db.one("SELECT 1 FROM images WHERE width <> height LIMIT 1")
    return "squeezed" if other is None else "padded"


def known_images(db: Database, ids: Sequence[int]) -> dict[int, ImageRecord]:
    """The existing images among ``ids``, by id."""
    rows = db.query_among(f"SELECT {IMAGE_COLUMNS} FROM images WHERE id IN (:ids)", ids)
    return {row["id"]: ImageRecord(*row) for row in rows}


def images_by_id(db: Database, ids: Sequence[int]) -> list[ImageRecord]:
    """The images with these ids, in the given order. Raises UnknownImage."""
    found = known_images(db, ids)
    missing = next((each for each in ids if each not in found), None)
    if missing is not None:
        raise UnknownImage(str(missing))
    return [found[each] for each in ids]


def labeled_of_split(db: Database, split: Split) -> list[tuple[int, str, int]]:
    """(id, SHA-256, class index) of the labeled real images of a split, ordered by hash."""
    rows = db.query(
        "SELECT images.id, images.sha256, current_labels.class_position FROM images"
        " JOIN current_labels ON current_labels.image_id = images.id AND current_labels.value = 'class'"
        " WHERE images.split = ? AND images.origin = 'real' ORDER BY images.sha256",
        [split],
    )
    return [(row[0], row[1], row[2]) for row in rows]


def hashes_of_split(db: Database, split: Split) -> list[tuple[str, int]]:
    """(SHA-256, class index) of the labeled real images of a split, ordered by hash; it identifies a test set."""
    return [(sha256, class_index) for _, sha256, class_index in labeled_of_split(db, split)]


def image_by_hash(db: Database, sha256: str) -> ImageRecord:
    """The image whose pixels have this hash. Raises UnknownImage."""
    row = db.one(f"SELECT {IMAGE_COLUMNS} FROM images WHERE sha256 = ?", [sha256])
    if row is None:
        raise UnknownImage(sha256)
    return ImageRecord(*row)


def files_beside(db: Database, source: str) -> list[tuple[int, str]]:
    """(id, source) of the real images from the same folder as this file, or from no folder if it has none."""
    folder, slash, _ = source.rpartition("/")
    length = len(folder + slash)
    rows = db.query(
        "SELECT id, source FROM images WHERE origin = 'real' AND substr(source, 1, ?) = ?"
        " AND instr(substr(source, ?), '/') = 0 ORDER BY id",
        [length, folder + slash, length + 1],
    )
    return [(row["id"], row["source"]) for row in rows]


def added_at(db: Database, image_id: int) -> str:
    """The time at which an image was added, in ISO 8601, UTC."""
    return str(db.query("SELECT added_at FROM images WHERE id = ?", [image_id])[0][0])
