"""The exceptions that synthaug raises deliberately.

    SynthaugError                 base class of all of them
    ├── UserError                 the input was wrong; the command line exits with status 2
    │   ├── TemplateError         a prompt template has a mistake
    │   ├── ImageRejected         a file is not an acceptable image
    │   ├── ImageLost             the file of a stored image is missing or damaged
    │   ├── ImportFailed          a source cannot be imported at all
    │   │   └── NothingImported   every image of a source was rejected
    │   ├── ExportFailed          the chosen format cannot hold the images
    │   ├── ViewError             a dataset view cannot be created
    │   ├── LabelRefused          the label log does not accept an entry
    │   ├── UnknownName           a class, view, model, recipe ... does not exist
    │   │   └── UnknownImage      an image is not in the workspace
    │   └── WorkspaceError        there is no workspace, it is read-only, or the disk is full
    │       ├── WorkspaceDamaged  verification found problems
    │       └── WorkspaceInUse    another synthaug process works on it
    └── Cancelled                 a running job was cancelled on request

A message says what was wrong, which value was seen, and what is allowed or what to do next.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from pathlib import Path


class SynthaugError(Exception):
    """Base class of all deliberate errors."""


class UserError(SynthaugError):
    """The input was wrong. Nothing was lost, and other input may work."""


class TemplateError(UserError):
    """A prompt template has a mistake; ``position`` is the offset of the offending character, if known."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class ImageRejected(UserError):
    """A file is not an acceptable image; ``reason`` is short enough for a table cell."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageLost(UserError):
    """The file of a stored image is missing or damaged; ``sha256`` is its address, where that is known."""

    def __init__(self, message: str, sha256: str = "") -> None:
        super().__init__(message)
        self.sha256 = sha256


class ImportFailed(UserError):
    """A source cannot be imported at all."""


class NothingImported(ImportFailed):
    """Every image of a source was rejected; ``rejected`` holds (path, reason)."""

    def __init__(self, source: str, rejected: Sequence[tuple[str, str]]) -> None:
        path, reason = rejected[0]
        which = f"all {len(rejected)} entries of {source} were" if len(rejected) > 1 else f"{source} was"
        super().__init__(f"nothing was imported: {which} rejected; {path}: {reason}")
        self.rejected = tuple(rejected)


class ExportFailed(UserError):
    """The chosen format cannot hold the images."""


class ViewError(UserError):
    """A dataset view cannot be created."""


class LabelRefused(UserError):
    """The label log does not accept an entry; ``op_id`` identifies it."""

    def __init__(self, message: str, op_id: str) -> None:
        super().__init__(message)
        self.op_id = op_id


class UnknownName(UserError):
    """A class, view, model, recipe ... of this name does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        listed = ", ".join(repr(each) for each in names[:20]) if names else "none yet"
        super().__init__(f"there is no {kind} called {name!r}; available: {listed}")


class UnknownImage(UnknownName):
    """The workspace has no image with this id or SHA-256."""

    def __init__(self, name: str) -> None:
        UserError.__init__(self, f"there is no image {name!r}; give the id or the whole SHA-256 of an image")


class WorkspaceError(UserError):
    """There is no workspace, it is read-only, or the disk is full."""


class WorkspaceDamaged(WorkspaceError):
    """:func:`synthaug.stages.verify.verify` found problems; ``problems`` describes each in one line."""

    def __init__(self, root: Path, problems: Sequence[str]) -> None:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        super().__init__(f"{count} in {root}: {'; '.join(problems[:5])}")
        self.problems = tuple(problems)


class WorkspaceInUse(WorkspaceError):
    """Another synthaug process works on this workspace."""


class Cancelled(SynthaugError):
    """A running job was cancelled on request."""


_FULL = "the disk is full; free some space or choose another disk"
_FULL_TEXTS = ("No space left on device", "database or disk is full")
"""Messages of libraries that replace the error of the operating system by one of their own."""
_FORBIDDEN = "permission denied; check the permissions of the folder or choose another"
_TAKEN = "that name is already taken; choose another"
_REASONS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.ENOTEMPTY: _TAKEN,
    errno.EEXIST: _TAKEN,
    errno.ENOTDIR: _TAKEN,
    errno.ENAMETOOLONG: "its name is too long for the file system; choose a shorter one",
}


def explain(error: Exception) -> UserError | None:
    """The error as a UserError that says what to do, or None for an internal error."""
    if isinstance(error, UserError):
        return error
    if any(text in str(error) for text in _FULL_TEXTS):
        return WorkspaceError(f"cannot write: {_FULL}")
    if not isinstance(error, OSError) or error.errno is None:
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WorkspaceError(f"cannot write {str(error.filename or 'a file')[:200]}: {_FULL}")
    if error.filename is None:
        return None
    reason = _REASONS.get(error.errno) or str(error.strerror).lower()
    return WorkspaceError(f"cannot use {str(error.filename)[:200]!r}: {reason}")


def explain_os_error(error: OSError, path: Path, doing: str = "write") -> WorkspaceError | OSError:
    """The error with a message that says what to do, such as "cannot write /a/b: the disk is full", where known."""
    reason = _REASONS.get(error.errno or 0)
    return error if reason is None else WorkspaceError(f"cannot {doing} {path}: {reason}")
