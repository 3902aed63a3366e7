"""Landmarks on an image and the angles between them: schemes as data, their geometry, and files that hold answers."""
