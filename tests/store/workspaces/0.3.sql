BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'synthaug','0001_initial','2026-11-21 07:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'synthaug','0002_generation_details','2026-11-21 07:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'synthaug','0003_label_chain','2026-11-25 13:29:24.435524+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'synthaug','0006_features','2026-11-25 13:29:24.552052+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'synthaug','0004_accounts','2026-11-25 21:19:20.570660+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'synthaug','0005_image_depth','2026-11-25 21:19:20.574203+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'synthaug','0007_landmarks','2026-11-25 21:19:20.576924+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'synthaug','0008_readers','2026-11-25 21:19:20.578523+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'synthaug','0009_tags_and_retired_values','2026-11-25 21:19:20.581039+00:00');
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
INSERT INTO "classes" VALUES(0,'cat');
INSERT INTO "classes" VALUES(1,'dog');
CREATE TABLE comparisons (
    id INTEGER PRIMARY KEY,
    baseline_view_id INTEGER NOT NULL REFERENCES views (id),
    augmented_view_id INTEGER NOT NULL REFERENCES views (id),
    result TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE current_label_ids (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    label_id INTEGER NOT NULL REFERENCES labels (id)
) STRICT;
INSERT INTO "current_label_ids" VALUES(1,4);
INSERT INTO "current_label_ids" VALUES(2,2);
INSERT INTO "current_label_ids" VALUES(3,7);
INSERT INTO "current_label_ids" VALUES(5,3);
CREATE TABLE current_tags (
    image_id INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL,
    PRIMARY KEY (tag, image_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "current_tags" VALUES(2,'clock');
INSERT INTO "current_tags" VALUES(3,'clock');
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
INSERT INTO "generations" VALUES(1,0,6,0,'a cat',0,'{"SIZE": "big"}',5,'embedded','r','{}');
CREATE TABLE gray_images (
    image_id INTEGER PRIMARY KEY REFERENCES images (id),
    bits INTEGER NOT NULL CHECK (bits BETWEEN 1 AND 16),
    acquisition TEXT NOT NULL
) STRICT;
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
INSERT INTO "images" VALUES(1,'a443b11593a77611ca3ada45644faa5e1d373d962e0f258dae5722391bc47a16',8,8,'train','real','0.png',NULL,'2026-11-21T07:00:00.000Z');
INSERT INTO "images" VALUES(2,'c5836aa5df05647a11d3fbd71ad613deb26e313948ac3e05dbf06db895ff429f',8,8,'train','real','1.png',NULL,'2026-11-21T07:00:00.000Z');
INSERT INTO "images" VALUES(3,'25c14276ed4d44cb7351d595a0635c9f576cab47c2acea49b9061ad63e86cdc1',8,8,'train','real','2.png',NULL,'2026-11-21T07:00:00.000Z');
INSERT INTO "images" VALUES(4,'da25d8a6f72ad651eba6088b00fc900bb0479f3e13038c44373e52da93984e8f',8,8,'train','real','3.png',NULL,'2026-11-21T07:00:00.000Z');
INSERT INTO "images" VALUES(5,'dd5b3694d7b1a25ebf32ada068eba71c30a2056140e7a029414dff13c1f7ff76',8,8,'test','real','4.png',NULL,'2026-11-21T07:00:00.000Z');
INSERT INTO "images" VALUES(6,'ffd3c65ad4ba124a834a8a995cccf9dc8205d31973d3a5b5ffb9ea0eab8f3ab3',8,8,'train','synthetic','job 1',NULL,'2026-11-21T07:00:00.000Z');
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
INSERT INTO "jobs" VALUES(1,'generate','done','{}',1,1,'','','{}',0,'2026-11-21T07:00:00.000Z',NULL,NULL);
CREATE TABLE label_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entries INTEGER NOT NULL,
    hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;
INSERT INTO "label_head" VALUES(1,8,'55621c3de0aaf1dfc8752c1d964508f58e01a29712b96286db7cb94b7fd40609');
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
INSERT INTO "labels" VALUES(1,1,'class',0,'import','imported','op-1',NULL,NULL,NULL,'2026-11-21T07:00:00.000Z','0000000000000000000000000000000000000000000000000000000000000000',NULL,NULL);
INSERT INTO "labels" VALUES(2,2,'class',1,'import','imported','op-2',NULL,NULL,NULL,'2026-11-21T07:00:00.000Z','504a34995ad937bbc2b2180a14a9da34e8915ee122490b37b54199c93c59babb',NULL,NULL);
INSERT INTO "labels" VALUES(3,5,'class',1,'import','imported','op-3',NULL,NULL,NULL,'2026-11-21T07:00:00.000Z','f1ff1d6387aa8b272f8b43bb76c20cfb86ab925b47e6cd6251b582604b5b81b2',NULL,NULL);
INSERT INTO "labels" VALUES(4,1,'class',1,'ann','human','op-4',NULL,NULL,NULL,'2026-11-21T07:00:00.000Z','b9d23b599b8fcd39e218e3384231f5b5af0cbbfca82edce62db2f0a173a19c13',NULL,NULL);
INSERT INTO "labels" VALUES(5,6,'reject',NULL,'ann','human','op-5',NULL,NULL,NULL,'2026-11-21T07:00:00.000Z','25915d456e10d39b93946608d47c8320553db0f59f2510c19284be71375bf8e7',NULL,NULL);
INSERT INTO "labels" VALUES(6,6,'undo',NULL,'ann','human','op-6',5,NULL,NULL,'2026-11-21T07:00:00.000Z','721d313a85849acd0423131e7e2be527ccbd206839714f620e0154ad0630a2ff',NULL,NULL);
INSERT INTO "labels" VALUES(7,3,'unsure',NULL,'ann','human','op-7',NULL,NULL,NULL,'2026-11-21T07:00:00.000Z','87b37c10f4a1f0f7683a75bc74e635daff880e951a890a36749face6b1b373a5',NULL,NULL);
INSERT INTO "labels" VALUES(8,1,'class',0,'bo','human','second-1',NULL,NULL,NULL,'2026-11-25T21:19:20.583Z','2e4d4e6c40350577db60c617972f8878a361ea5a13aef6102458070219bf6691',NULL,'second');
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
    created_at TEXT NOT NULL,
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
INSERT INTO "settings" VALUES('preset','');
CREATE TABLE tag_log (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL CHECK (length(tag) BETWEEN 1 AND 60),
    tagged INTEGER NOT NULL CHECK (tagged IN (0, 1)),
    person TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
INSERT INTO "tag_log" VALUES(1,2,'clock',1,'ada','2026-11-25T21:19:20.585Z');
INSERT INTO "tag_log" VALUES(2,3,'clock',1,'ada','2026-11-25T21:19:20.585Z');
CREATE TABLE view_images (
    view_id INTEGER NOT NULL REFERENCES views (id),
    position INTEGER NOT NULL,
    image_id INTEGER NOT NULL REFERENCES images (id),
    class_position INTEGER NOT NULL REFERENCES classes (position),
    PRIMARY KEY (view_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "view_images" VALUES(1,0,1,1);
INSERT INTO "view_images" VALUES(1,1,2,1);
CREATE TABLE views (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
INSERT INTO "views" VALUES(1,'all','{}','2026-11-21T07:00:00.000Z');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX generations_by_image ON generations (image_id);
CREATE INDEX labels_by_image ON labels (image_id);
CREATE TRIGGER labels_are_never_updated BEFORE UPDATE ON labels
BEGIN
    SELECT RAISE(ABORT, 'the label log is append-only');
END;
CREATE TRIGGER labels_are_never_deleted BEFORE DELETE ON labels
BEGIN
    SELECT RAISE(ABORT, 'the label log is append-only');
END;
CREATE TRIGGER labels_decide_what_counts AFTER INSERT ON labels
BEGIN
    DELETE FROM current_label_ids WHERE image_id = NEW.image_id;
    INSERT INTO current_label_ids
    SELECT image_id, id FROM standing_labels WHERE image_id = NEW.image_id ORDER BY rank DESC, id DESC LIMIT 1;
END;
CREATE VIEW current_labels AS
SELECT current_label_ids.image_id, label_id, value, class_position, annotator, source, created_at
FROM current_label_ids JOIN labels ON labels.id = current_label_ids.label_id;
CREATE VIEW frozen_labels AS
SELECT current_label_ids.image_id
FROM current_label_ids
JOIN images ON images.id = current_label_ids.image_id
JOIN labels ON labels.id = current_label_ids.label_id
WHERE images.split = 'test' AND images.origin = 'real' AND (value = 'class' OR reason IS NOT NULL);
CREATE INDEX sessions_by_account ON sessions (account_id);
CREATE INDEX labels_with_landmarks ON labels (image_id) WHERE landmarks IS NOT NULL;
CREATE VIEW current_landmarks AS
SELECT image_id, id AS label_id, landmarks, annotator, source, created_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY image_id ORDER BY rank DESC, id DESC) AS place
    FROM standing_labels WHERE landmarks IS NOT NULL
)
WHERE place = 1;
CREATE TRIGGER test_labels_are_frozen BEFORE INSERT ON labels
WHEN NEW.reason IS NULL AND EXISTS (SELECT 1 FROM frozen_labels WHERE image_id = NEW.image_id) AND NOT (
    NEW.landmarks IS NOT NULL
    AND NEW.class_position IS (SELECT class_position FROM current_labels WHERE image_id = NEW.image_id)
    AND NOT EXISTS (SELECT 1 FROM current_landmarks WHERE image_id = NEW.image_id)
)
BEGIN
    SELECT RAISE(ABORT, 'a labeled real test image keeps its label');
END;
CREATE VIEW standing_labels AS
SELECT labels.*,
    CASE WHEN source = 'automatic' THEN 0 WHEN source = 'imported' THEN 1 WHEN reading = 'second' THEN 2 ELSE 3 END AS rank
FROM labels
WHERE value <> 'undo' AND NOT EXISTS (SELECT 1 FROM labels AS later WHERE later.undoes = labels.id);
CREATE INDEX notes_by_image ON notes (image_id);
CREATE INDEX labels_by_reading ON labels (reading) WHERE reading IS NOT NULL;
CREATE INDEX view_images_by_image ON view_images (image_id, view_id);
CREATE INDEX tag_log_by_image ON tag_log (image_id, tag);
CREATE INDEX current_tags_by_image ON current_tags (image_id);
CREATE TRIGGER tag_log_decides AFTER INSERT ON tag_log
BEGIN
    DELETE FROM current_tags WHERE image_id = NEW.image_id AND tag = NEW.tag;
    INSERT INTO current_tags SELECT NEW.image_id, NEW.tag WHERE NEW.tagged = 1;
END;
CREATE TRIGGER tag_log_is_never_updated BEFORE UPDATE ON tag_log
BEGIN
    SELECT RAISE(ABORT, 'the tag log is append-only');
END;
CREATE TRIGGER tag_log_is_never_deleted BEFORE DELETE ON tag_log
BEGIN
    SELECT RAISE(ABORT, 'the tag log is append-only');
END;
COMMIT;
