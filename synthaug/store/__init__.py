"""The store: the SQLite database and the image files. Only this package and db/ contain SQL."""
