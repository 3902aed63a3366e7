-- How many images there are by origin, and how many of them have a label that counts. Kept as rows come and go: the
-- Label page asks after every answer, and counting a million images takes a second.
CREATE TABLE image_counts (
    origin TEXT PRIMARY KEY,
    images INTEGER NOT NULL,
    labeled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO image_counts
SELECT origin, count(*), count(current_label_ids.image_id)
FROM images LEFT JOIN current_label_ids ON current_label_ids.image_id = images.id
GROUP BY origin;

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
