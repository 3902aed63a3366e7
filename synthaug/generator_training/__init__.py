"""Trains and fine-tunes generators; drawing with them is :mod:`synthaug.generators`."""
