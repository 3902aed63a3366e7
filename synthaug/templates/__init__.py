"""Prompt templates with named slots, choices and ranges, counted exactly without expanding them.

``Template.parse("<BREED> cat <PREPOSITION> the <FURNITURE>")`` looks up the shipped word lists by slot name.
"""

from __future__ import annotations

from synthaug.templates.template import Duplicates, Template
from synthaug.templates.wordlists import (
    read_word_list,
    shipped_lists,
    shipped_template,
    shipped_template_names,
    slot_option,
)

__all__ = [
    "Duplicates",
    "Template",
    "read_word_list",
    "shipped_lists",
    "shipped_template",
    "shipped_template_names",
    "slot_option",
]
