"""Access control: sessions, the log-in page, the table of roles and the middleware that enforces it."""
