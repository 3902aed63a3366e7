"""Data shipped with synthaug: word lists, templates, the embedded model."""
