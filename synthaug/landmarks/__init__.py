"""Landmarks on images and the angles between them: schemes, their geometry, and files of placed landmarks."""
