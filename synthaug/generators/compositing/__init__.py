"""Contextual diversification: a subject cut out of one picture and put into another."""
