"""The landmark scheme of a workspace; there is none until one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthaug.errors import UserError
from synthaug.landmarks.scheme import Scheme, load_scheme, scheme_from_json, with_classes
from synthaug.store import catalog
from synthaug.workspace import Workspace

SETTING = "landmark_scheme"


def current_scheme(workspace: Workspace) -> Scheme | None:
    """The scheme in use, or None."""
    text = catalog.get_setting(workspace.db, SETTING)
    return scheme_from_json(text) if text else None


def required_scheme(workspace: Workspace) -> Scheme:
    """The scheme in use. Raises UserError if there is none."""
    scheme = current_scheme(workspace)
    if scheme is None:
        raise UserError("this workspace has no landmark scheme; choose one with: synthaug landmarks use hip")
    return scheme


def use_scheme(
    workspace: Workspace,
    scheme: str | Path | Scheme,
    *,
    classes: Sequence[str] | None = None,
    thresholds: Sequence[float] | None = None,
    no_class: bool = False,
) -> Scheme:
    """Use a scheme, one of the package by name, or that of a TOML file; returns it as the workspace keeps it.

    ``classes``: names of this workspace, in ascending order of the angle; ``thresholds`` in degrees part them.
    ``no_class``: angles make no class here. Raises UserError.
    """
    if no_class and (classes is not None or thresholds is not None):
        raise UserError("no class is to be made by angles, but classes or thresholds were given; choose one")
    scheme = scheme if isinstance(scheme, Scheme) else load_scheme(scheme)
    scheme = replace(scheme, classes=None) if no_class else with_classes(scheme, classes, thresholds)
    for each in scheme.classes.names if scheme.classes else ():
        if each not in workspace.classes:
            raise UserError(
                f"the scheme {scheme.name!r} makes the class {each!r}, and this workspace has "
                f"{', '.join(workspace.classes[:10])}; say which of these its angles make, the smallest angle "
                "first (--classes A,B), or that they make none (--no-class)"
            )
    catalog.set_setting(workspace.db, SETTING, scheme.to_json())
    return scheme


def stop_using(workspace: Workspace) -> None:
    """Use no scheme; the landmarks in the log are kept."""
    catalog.set_setting(workspace.db, SETTING, "")
