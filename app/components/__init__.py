"""Components of our own: each is a ``.py`` beside its ``.js`` and ``.css``."""
