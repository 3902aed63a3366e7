"""Generate, label, inspect and export synthetic training images; then measure whether they helped."""

__version__ = "0.1.0"
