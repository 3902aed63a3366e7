"""Contextual diversification: cutting the subject out of one image and placing it in another."""
