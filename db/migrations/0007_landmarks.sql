-- Landmarks are part of the answer they come with: the label log holds them, and its chain of hashes covers them.
ALTER TABLE labels ADD COLUMN landmarks TEXT CHECK (landmarks IS NULL OR (value = 'class' AND json_valid(landmarks)));

CREATE INDEX labels_with_landmarks ON labels (image_id) WHERE landmarks IS NOT NULL;

-- Of each image the landmarks that count: those of the highest rank, the latest. A later label without landmarks says
-- nothing of them.
CREATE VIEW current_landmarks AS
SELECT image_id, id AS label_id, landmarks, annotator, source, created_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY image_id ORDER BY rank DESC, id DESC) AS place
    FROM standing_labels WHERE landmarks IS NOT NULL
)
WHERE place = 1;

-- Where a model sees them; doubt: how far off it expects to be, in pixels of the image.
CREATE TABLE landmark_predictions (
    model_id INTEGER NOT NULL REFERENCES models (id),
    image_id INTEGER NOT NULL REFERENCES images (id),
    points TEXT NOT NULL,
    doubt REAL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (model_id, image_id)
) STRICT, WITHOUT ROWID;

-- A labeled real test image keeps its label; landmarks that come with this very class are taken once.
DROP TRIGGER test_labels_are_frozen;

CREATE TRIGGER test_labels_are_frozen BEFORE INSERT ON labels
WHEN NEW.reason IS NULL AND EXISTS (SELECT 1 FROM frozen_labels WHERE image_id = NEW.image_id) AND NOT (
    NEW.landmarks IS NOT NULL
    AND NEW.class_position IS (SELECT class_position FROM current_labels WHERE image_id = NEW.image_id)
    AND NOT EXISTS (SELECT 1 FROM current_landmarks WHERE image_id = NEW.image_id)
)
BEGIN
    SELECT RAISE(ABORT, 'a labeled real test image keeps its label');
END;
