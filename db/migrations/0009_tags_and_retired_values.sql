-- Tags on images: a log of who put a tag on or took it off, and when. The latest line of an image and tag holds.
CREATE TABLE tag_log (
    id INTEGER PRIMARY KEY,
    image_id INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL CHECK (length(tag) BETWEEN 1 AND 60),
    tagged INTEGER NOT NULL CHECK (tagged IN (0, 1)),
    person TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX tag_log_by_image ON tag_log (image_id, tag);

-- What holds now follows from the log; kept beside it, so that a filter need not read the history.
CREATE TABLE current_tags (
    image_id INTEGER NOT NULL REFERENCES images (id),
    tag TEXT NOT NULL,
    PRIMARY KEY (tag, image_id)
) STRICT, WITHOUT ROWID;

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

-- Slot values that generation leaves out, as a log too: the latest line of a slot and value holds.
CREATE TABLE retired_values (
    id INTEGER PRIMARY KEY,
    slot TEXT NOT NULL,
    value TEXT NOT NULL,
    retired INTEGER NOT NULL CHECK (retired IN (0, 1)),
    person TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
