-- Each entry of the label log holds the hash of the one before (label_hash: see store/label_hash.py), and
-- label_head that of the last. A real test image keeps its label unless a reason is given. Which label counts is
-- kept as the log grows.
DROP VIEW current_labels;

DROP VIEW standing_labels;

CREATE TABLE labels_new (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    value TEXT NOT NULL CHECK (value IN ('class', 'reject', 'unsure', 'undo')),
    class_position INTEGER REFERENCES classes (position),
    annotator TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'accepted', 'imported', 'automatic')),
    op_id TEXT NOT NULL UNIQUE,
    undoes INTEGER UNIQUE REFERENCES labels_new (id),
    model_id INTEGER REFERENCES models (id),
    reason TEXT CHECK (trim(reason) <> ''),
    created_at TEXT NOT NULL,
    previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64),
    CHECK ((value = 'class') = (class_position IS NOT NULL)),
    CHECK ((value = 'undo') = (undoes IS NOT NULL))
) STRICT;

CREATE TABLE label_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE TEMP TABLE chain (position INTEGER, id INTEGER PRIMARY KEY, previous_hash TEXT, hash TEXT);

INSERT INTO temp.chain
WITH RECURSIVE chain (position, id, previous_hash, hash) AS (
    SELECT 0, 0, '', printf('%064d', 0)
    UNION ALL
    SELECT chain.position + 1, labels.id, chain.hash, label_hash(
        chain.hash, images.sha256, labels.value, classes.name, labels.annotator, labels.source, labels.op_id,
        undone.op_id, models.revision, NULL, labels.created_at
    )
    FROM chain -- CROSS JOIN: in this order, one entry a step
    CROSS JOIN labels ON labels.id = (SELECT min(id) FROM labels WHERE id > chain.id)
    CROSS JOIN images ON images.id = labels.image_id
    LEFT JOIN classes ON classes.position = labels.class_position
    LEFT JOIN labels AS undone ON undone.id = labels.undoes
    LEFT JOIN models ON models.id = labels.model_id
)
SELECT position, id, previous_hash, hash FROM chain;

INSERT INTO labels_new
SELECT labels.id, image_id, value, class_position, annotator, source, op_id, undoes, model_id, NULL, created_at,
    previous_hash
FROM labels JOIN temp.chain ON chain.id = labels.id
ORDER BY labels.id;

INSERT INTO label_head SELECT 1, position, hash FROM temp.chain ORDER BY position DESC LIMIT 1;

DROP TABLE temp.chain;

DROP TABLE labels;

ALTER TABLE labels_new RENAME TO labels;

CREATE INDEX labels_by_image ON labels (image_id);

CREATE TRIGGER labels_are_never_updated BEFORE UPDATE ON labels
BEGIN
    SELECT RAISE(ABORT, 'the label log is append-only');
END;

CREATE TRIGGER labels_are_never_deleted BEFORE DELETE ON labels
BEGIN
    SELECT RAISE(ABORT, 'the label log is append-only');
END;

-- Labels that were not taken back; a person's outranks an imported one, that an automatic one.
CREATE VIEW standing_labels AS
SELECT labels.*, CASE source WHEN 'automatic' THEN 0 WHEN 'imported' THEN 1 ELSE 2 END AS rank
FROM labels
WHERE value <> 'undo' AND NOT EXISTS (SELECT 1 FROM labels AS later WHERE later.undoes = labels.id);

-- For each image the label that counts: of the highest rank the latest.
CREATE TABLE current_label_ids (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    label_id INTEGER NOT NULL REFERENCES labels (id)
) STRICT;

INSERT INTO current_label_ids
SELECT image_id, id FROM (
    SELECT image_id, id, row_number() OVER (PARTITION BY image_id ORDER BY rank DESC, id DESC) AS place
    FROM standing_labels
)
WHERE place = 1;

CREATE TRIGGER labels_decide_what_counts AFTER INSERT ON labels
BEGIN
    DELETE FROM current_label_ids WHERE image_id = NEW.image_id;
    INSERT INTO current_label_ids
    SELECT image_id, id FROM standing_labels WHERE image_id = NEW.image_id ORDER BY rank DESC, id DESC LIMIT 1;
END;

CREATE VIEW current_labels AS
SELECT current_label_ids.image_id, label_id, value, class_position, annotator, source, created_at
FROM current_label_ids JOIN labels ON labels.id = current_label_ids.label_id;

-- Real test images that have a class, or that an owner corrected: what measures must not change unnoticed.
CREATE VIEW frozen_labels AS
SELECT current_label_ids.image_id
FROM current_label_ids
JOIN images ON images.id = current_label_ids.image_id
JOIN labels ON labels.id = current_label_ids.label_id
WHERE images.split = 'test' AND images.origin = 'real' AND (value = 'class' OR reason IS NOT NULL);

CREATE TRIGGER test_labels_are_frozen BEFORE INSERT ON labels
WHEN NEW.reason IS NULL AND EXISTS (SELECT 1 FROM frozen_labels WHERE image_id = NEW.image_id)
BEGIN
    SELECT RAISE(ABORT, 'a labeled real test image keeps its label');
END;
