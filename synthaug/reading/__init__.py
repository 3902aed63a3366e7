"""Read-only queries of a workspace for the app, the command line and the Python API."""
