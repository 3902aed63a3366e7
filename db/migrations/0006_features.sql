-- Features of extractors that are no classifiers lie in files beside the database; this says which row is whose.
CREATE TABLE feature_sets (
    id INTEGER PRIMARY KEY,
    extractor TEXT NOT NULL,
    revision TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (extractor, revision)
) STRICT;

CREATE TABLE feature_rows (
    set_id INTEGER NOT NULL REFERENCES feature_sets (id),
    image_id INTEGER NOT NULL REFERENCES images (id),
    file_row INTEGER NOT NULL,
    PRIMARY KEY (set_id, image_id),
    UNIQUE (set_id, file_row)
) STRICT, WITHOUT ROWID;

-- Scores are derived and can be computed again; without a classifier there is no entropy and no margin.
CREATE TABLE new_scores (
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

INSERT INTO new_scores
SELECT image_id, models.name, model_id, pca_x, pca_y, umap_x, umap_y, entropy, margin, ood_real, ood_synthetic,
    duplicate_of, scored_at
FROM scores JOIN models ON models.id = scores.model_id;

DROP TABLE scores;
ALTER TABLE new_scores RENAME TO scores;
