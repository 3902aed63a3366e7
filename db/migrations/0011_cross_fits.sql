-- What is said of images that a model was trained on by models fitted without them (cross-fitting). The model's own
-- prediction stays beside it.
ALTER TABLE predictions ADD COLUMN cross_fitted BLOB;

-- How the latest cross-fitting of a model was done, and how good it was. "features" is the revision of the feature
-- extractor; NULL where the images themselves were learned from.
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
