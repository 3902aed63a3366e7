CREATE INDEX current_tags_by_image ON current_tags (image_id);

CREATE INDEX generations_by_image ON generations (image_id);

CREATE INDEX labels_by_image ON labels (image_id);

CREATE INDEX labels_by_reading ON labels (reading) WHERE reading IS NOT NULL;

CREATE INDEX labels_with_landmarks ON labels (image_id) WHERE landmarks IS NOT NULL;

CREATE INDEX notes_by_image ON notes (image_id);

CREATE INDEX predictions_without_features ON predictions (model_id, image_id, probs, cross_fitted);

CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE INDEX tag_log_by_image ON tag_log (image_id, tag);

CREATE INDEX view_images_by_image ON view_images (image_id, view_id);

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 100),
    role TEXT NOT NULL CHECK (role IN ('owner', 'reviewer', 'annotator')),
    password_hash TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE classes (
    position INTEGER PRIMARY KEY CHECK (position >= 0),
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE comparisons (
    id INTEGER PRIMARY KEY,
    baseline_view_id INTEGER NOT NULL REFERENCES views (id),
    augmented_view_id INTEGER NOT NULL REFERENCES views (id),
    result TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE cross_fits (
    model_id INTEGER PRIMARY KEY REFERENCES models (id),
    recipe TEXT NOT NULL,
    features TEXT,
    folds INTEGER NOT NULL CHECK (folds >= 2),
    seed INTEGER NOT NULL,
    images INTEGER NOT NULL,
    accuracy REAL NOT NULL,
    log_loss REAL NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE current_label_ids (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    label_id INTEGER NOT NULL REFERENCES labels (id)
) STRICT;

CREATE TABLE current_tags (
    image_id INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL,
    PRIMARY KEY (tag, image_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE exports (
    id INTEGER PRIMARY KEY,
    view_id INTEGER NOT NULL REFERENCES views (id),
    format TEXT NOT NULL,
    path TEXT NOT NULL,
    images INTEGER NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE feature_rows (
    set_id INTEGER NOT NULL REFERENCES feature_sets (id),
    image_id INTEGER NOT NULL REFERENCES images (id),
    file_row INTEGER NOT NULL,
    PRIMARY KEY (set_id, image_id),
    UNIQUE (set_id, file_row)
) STRICT, WITHOUT ROWID;

CREATE TABLE feature_sets (
    id INTEGER PRIMARY KEY,
    extractor TEXT NOT NULL,
    revision TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (extractor, revision)
) STRICT;

CREATE TABLE "generations" (
    job_id INTEGER NOT NULL REFERENCES jobs (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    image_id INTEGER NOT NULL REFERENCES images (id),
    class_position INTEGER REFERENCES classes (position),
    prompt TEXT NOT NULL,
    prompt_index INTEGER NOT NULL,
    slots TEXT NOT NULL,
    seed INTEGER NOT NULL,
    generator TEXT NOT NULL,
    revision TEXT NOT NULL,
    details TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
    PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE gray_images (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 16),
    acquisition TEXT NOT NULL
) STRICT;

CREATE TABLE image_counts (
    origin TEXT PRIMARY KEY,
    images INTEGER NOT NULL,
    labeled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
    width INTEGER NOT NULL CHECK (width > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    split TEXT NOT NULL CHECK (split IN ('train', 'test')),
    origin TEXT NOT NULL CHECK (origin IN ('real', 'synthetic')),
    source TEXT NOT NULL,
    caption TEXT,
    added_at TEXT NOT NULL
) STRICT;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    params TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '{}',
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    created_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT
) STRICT;

CREATE TABLE label_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE TABLE "labels" (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    value TEXT NOT NULL CHECK (value IN ('class', 'reject', 'unsure', 'undo')),
    class_position INTEGER REFERENCES classes (position),
    annotator TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'accepted', 'imported', 'automatic')),
    op_id TEXT NOT NULL UNIQUE,
    undoes INTEGER UNIQUE REFERENCES "labels" (id),
    model_id INTEGER REFERENCES models (id),
    reason TEXT CHECK (trim(reason) <> ''),
    created_at TEXT NOT NULL,
    previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64), landmarks TEXT CHECK (landmarks IS NULL OR (value = 'class' AND json_valid(landmarks))), reading TEXT CHECK (reading IN ('second', 'settlement')),
    CHECK ((value = 'class') = (class_position IS NOT NULL)),
    CHECK ((value = 'undo') = (undoes IS NOT NULL))
) STRICT;

CREATE TABLE landmark_predictions (
    model_id INTEGER NOT NULL REFERENCES models (id),
    image_id INTEGER NOT NULL REFERENCES images (id),
    points TEXT NOT NULL,
    doubt REAL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (model_id, image_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    person TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    recipe TEXT NOT NULL,
    revision TEXT NOT NULL,
    seed INTEGER NOT NULL,
    view_id INTEGER REFERENCES views (id),
    file TEXT NOT NULL,
    metrics TEXT NOT NULL,
    environment TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE notes (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    annotator TEXT NOT NULL,
    text TEXT NOT NULL CHECK (length(text) <= 2000),
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)),
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE predictions (
    model_id INTEGER NOT NULL REFERENCES models (id),
    image_id INTEGER NOT NULL REFERENCES images (id),
    probs BLOB NOT NULL,
    features BLOB NOT NULL,
    created_at TEXT NOT NULL, cross_fitted BLOB,
    PRIMARY KEY (model_id, image_id)
) STRICT;

CREATE TABLE retired_values (
    id INTEGER PRIMARY KEY,
    slot TEXT NOT NULL,
    value TEXT NOT NULL,
    retired INTEGER NOT NULL CHECK (retired IN (0, 1)),
    person TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    view_id INTEGER NOT NULL REFERENCES views (id),
    recipe TEXT NOT NULL,
    seed INTEGER NOT NULL,
    test_fingerprint TEXT NOT NULL,
    metrics TEXT NOT NULL,
    environment TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (view_id, recipe, seed, test_fingerprint)
) STRICT;

CREATE TABLE "scores" (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    features TEXT NOT NULL,
    model_id INTEGER REFERENCES models (id),
    pca_x REAL NOT NULL,
    pca_y REAL NOT NULL,
    umap_x REAL NOT NULL,
    umap_y REAL NOT NULL,
    entropy REAL,
    margin REAL,
    ood_real REAL,
    ood_synthetic REAL,
    duplicate_of INTEGER REFERENCES images (id),
    scored_at TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    token_sha256 TEXT NOT NULL UNIQUE CHECK (length(token_sha256) = 64),
    account_id INTEGER REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    address TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tag_log (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL CHECK (length(tag) BETWEEN 1 AND 60),
    tagged INTEGER NOT NULL CHECK (tagged IN (0, 1)),
    person TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE view_images (
    view_id INTEGER NOT NULL REFERENCES views (id),
    position INTEGER NOT NULL,
    image_id INTEGER NOT NULL REFERENCES images (id),
    class_position INTEGER NOT NULL REFERENCES classes (position),
    PRIMARY KEY (view_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE views (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER image_counts_add AFTER INSERT ON images
BEGIN
    INSERT INTO image_counts VALUES (NEW.origin, 1, 0) ON CONFLICT (origin) DO UPDATE SET images = images + 1;
END;

CREATE TRIGGER image_counts_label AFTER INSERT ON current_label_ids
BEGIN
    UPDATE image_counts SET labeled = labeled + 1 WHERE origin = (SELECT origin FROM images WHERE id = NEW.image_id);
END;

CREATE TRIGGER image_counts_unlabel AFTER DELETE ON current_label_ids
BEGIN
    UPDATE image_counts SET labeled = labeled - 1 WHERE origin = (SELECT origin FROM images WHERE id = OLD.image_id);
END;

CREATE TRIGGER labels_are_never_deleted BEFORE DELETE ON labels
BEGIN
    SELECT RAISE(ABORT, 'the label log is append-only');
END;

CREATE TRIGGER labels_are_never_updated BEFORE UPDATE ON labels
BEGIN
    SELECT RAISE(ABORT, 'the label log is append-only');
END;

CREATE TRIGGER labels_decide_what_counts AFTER INSERT ON labels
BEGIN
    DELETE FROM current_label_ids WHERE image_id = NEW.image_id;
    INSERT INTO current_label_ids
    SELECT image_id, id FROM standing_labels WHERE image_id = NEW.image_id ORDER BY rank DESC, id DESC LIMIT 1;
END;

CREATE TRIGGER tag_log_decides AFTER INSERT ON tag_log
BEGIN
    DELETE FROM current_tags WHERE image_id = NEW.image_id AND tag = NEW.tag;
    INSERT INTO current_tags SELECT NEW.image_id, NEW.tag WHERE NEW.tagged = 1;
END;

CREATE TRIGGER tag_log_is_never_deleted BEFORE DELETE ON tag_log
BEGIN
    SELECT RAISE(ABORT, 'the tag log is append-only');
END;

CREATE TRIGGER tag_log_is_never_updated BEFORE UPDATE ON tag_log
BEGIN
    SELECT RAISE(ABORT, 'the tag log is append-only');
END;

CREATE TRIGGER test_labels_are_frozen BEFORE INSERT ON labels
WHEN NEW.reason IS NULL AND EXISTS (SELECT 1 FROM frozen_labels WHERE image_id = NEW.image_id) AND NOT (
    NEW.landmarks IS NOT NULL
    AND NEW.class_position IS (SELECT class_position FROM current_labels WHERE image_id = NEW.image_id)
    AND NOT EXISTS (SELECT 1 FROM current_landmarks WHERE image_id = NEW.image_id)
)
BEGIN
    SELECT RAISE(ABORT, 'a labeled real test image keeps its label');
END;

CREATE VIEW current_labels AS
SELECT current_label_ids.image_id, label_id, value, class_position, annotator, source, created_at
FROM current_label_ids JOIN labels ON labels.id = current_label_ids.label_id;

CREATE VIEW current_landmarks AS
SELECT image_id, id AS label_id, landmarks, annotator, source, created_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY image_id ORDER BY rank DESC, id DESC) AS place
    FROM standing_labels WHERE landmarks IS NOT NULL
)
WHERE place = 1;

CREATE VIEW frozen_labels AS
SELECT current_label_ids.image_id
FROM current_label_ids
JOIN images ON images.id = current_label_ids.image_id
JOIN labels ON labels.id = current_label_ids.label_id
WHERE images.split = 'test' AND images.origin = 'real' AND (value = 'class' OR reason IS NOT NULL);

CREATE VIEW standing_labels AS
SELECT labels.*,
    CASE WHEN source = 'automatic' THEN 0 WHEN source = 'imported' THEN 1 WHEN reading = 'second' THEN 2 ELSE 3 END AS rank
FROM labels
WHERE value <> 'undo' AND NOT EXISTS (SELECT 1 FROM labels AS later WHERE later.undoes = labels.id);
