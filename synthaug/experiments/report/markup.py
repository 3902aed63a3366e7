"""HTML from trusted templates, in which every value is escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup


def filled(template: str, /, *args: object, **values: object) -> Markup:
    """Fill ``{}`` and ``{name}`` of a trusted template; every value that is not Markup is escaped."""
    return Markup(template).format(*args, **values)  # noqa: S704 - the template is ours, values are escaped


def joined(parts: Iterable[Markup]) -> Markup:
    """The concatenated parts."""
    return Markup("").join(parts)
