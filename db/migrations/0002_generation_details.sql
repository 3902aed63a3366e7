-- An unconditional generator is asked for no class; "details" says what else decided an image's pixels.
-- SQLite cannot drop a NOT NULL: the table is made anew and the rows move over. Nothing refers to it.
CREATE TABLE generations_new (
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

INSERT INTO generations_new
SELECT job_id, position, image_id, class_position, prompt, prompt_index, slots, seed, generator, revision, '{}'
FROM generations;

DROP TABLE generations;

ALTER TABLE generations_new RENAME TO generations;

CREATE INDEX generations_by_image ON generations (image_id);
