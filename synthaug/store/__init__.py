"""The store: SQLite and the images on disk. All SQL lives here and in db/."""
