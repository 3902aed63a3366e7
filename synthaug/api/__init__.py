"""The public Python API of ``import synthaug``. It is synchronous, and every call wraps one library function."""
