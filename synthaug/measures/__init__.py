"""Measures: pure functions from arrays to arrays."""
