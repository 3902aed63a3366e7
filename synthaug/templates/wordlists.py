"""Word lists and templates: read from files, given inline, or shipped with synthaug."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from synthaug.errors import TemplateError, UnknownName


def read_word_list(path: Path | Traversable) -> tuple[str, ...]:
    """The stripped lines of a UTF-8 file without blank lines and ``#`` comments; keeps duplicates.

    Raises TemplateError for a file that is empty, unreadable or not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"word list {str(path)!r} is not UTF-8 text: {error}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise TemplateError(f"word list {str(path)!r} cannot be read: {reason}") from error
    lines = (line.strip() for line in text.split("\n"))
    words = tuple(line for line in lines if line and not line.startswith("#"))
    if not words:
        raise TemplateError(f"word list {str(path)!r} is empty; write one value per line")
    return words


def slot_option(option: str) -> tuple[str, tuple[str, ...]]:
    """Parse ``NAME=a,b,c`` or ``NAME=FILE`` to (name, values). Raises TemplateError for anything else.

    Text without a comma that ends in ``.txt`` or is the path of an existing file names a word list to read.
    """
    name, equals, written = option.partition("=")
    if not (equals and name.strip() and written.strip()):
        raise TemplateError(f"{option!r} is not a slot; write NAME=FILE or NAME=a,b,c")
    if "," not in written and (written.endswith(".txt") or _is_file(written)):
        return name.strip(), read_word_list(Path(written))
    values = tuple(value.strip() for value in written.split(","))
    if not all(values):
        raise TemplateError(f"slot {name.strip()!r} has an empty value in {written!r}")
    return name.strip(), values


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # the text is too long for a file name
        return False


@cache
def shipped_lists() -> Mapping[str, tuple[str, ...]]:
    """The word lists that come with synthaug, by file name without ``.txt``, in lower case."""
    return {name: read_word_list(path) for name, path in _text_files("wordlists").items()}


def shipped_template(name: str) -> str:
    """The text of a template that comes with synthaug. Raises UnknownName."""
    templates = _text_files("templates")
    if name not in templates:
        raise UnknownName("template", name, templates)
    return "\n".join(read_word_list(templates[name]))


def shipped_template_names() -> list[str]:
    """The names that :func:`shipped_template` accepts, sorted."""
    return sorted(_text_files("templates"))


def _text_files(folder: str) -> dict[str, Traversable]:
    """The ``.txt`` files in a folder of the assets, by name without the extension."""
    entries = (files("synthaug_assets") / folder).iterdir()
    return {each.name.removesuffix(".txt"): each for each in entries if each.name.endswith(".txt")}
