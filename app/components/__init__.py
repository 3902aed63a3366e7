"""The widgets of the app: each is a folder with its ``.py``, ``.js`` and ``.css``."""
