-- Several readers. "second": an answer that stands beside another person's and does not replace it; "settlement":
-- what a reviewer said of readings that differ. Leases say who looks at an image now. Notes are appended, never changed.
ALTER TABLE labels ADD COLUMN reading TEXT CHECK (reading IN ('second', 'settlement'));

DROP VIEW standing_labels;

-- Labels that were not taken back; a person's outranks a second reading, that an imported one, that an automatic one.
CREATE VIEW standing_labels AS
SELECT labels.*,
    CASE WHEN source = 'automatic' THEN 0 WHEN source = 'imported' THEN 1 WHEN reading = 'second' THEN 2 ELSE 3 END AS rank
FROM labels
WHERE value <> 'undo' AND NOT EXISTS (SELECT 1 FROM labels AS later WHERE later.undoes = labels.id);

CREATE TABLE leases (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    person TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    annotator TEXT NOT NULL,
    text TEXT NOT NULL CHECK (length(text) <= 2000),
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)),
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX notes_by_image ON notes (image_id);

CREATE INDEX labels_by_reading ON labels (reading) WHERE reading IS NOT NULL;

CREATE INDEX view_images_by_image ON view_images (image_id, view_id);
