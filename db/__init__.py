"""The schema of a workspace database and the migrations that make it."""
