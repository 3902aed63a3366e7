"""The Python API: what ``import synthaug`` offers. Synchronous; every call is one library function."""
