"""Every error synthaug raises on purpose.

    SynthaugError                 base: catch this to catch them all
    ├── UserError                 the input was wrong; the command line exits 2
    │   ├── TemplateError         a prompt template that cannot be read
    │   ├── ImageRejected         one file that is not an image we take
    │   ├── ImageLost             an image of the workspace whose file is gone or damaged
    │   ├── ImportFailed          a source that cannot be imported at all
    │   │   └── NothingImported   a source of which every entry was rejected
    │   ├── ExportFailed          a set that the chosen format cannot hold
    │   ├── ViewError             a dataset view that cannot be made
    │   ├── LabelRefused          one entry that the label log does not take
    │   ├── UnknownName           a class, view, model, recipe ... that does not exist
    │   │   └── UnknownImage      an image that is not here
    │   └── WorkspaceError        no workspace, a read-only one, a full disk
    │       ├── WorkspaceDamaged  what verify found
    │       └── WorkspaceInUse    another synthaug works on it
    └── Cancelled                 the person asked a running job to stop

A message names what was wrong, the value seen, and what is allowed or to do next.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from pathlib import Path


class SynthaugError(Exception):
    """Base of every deliberate error."""


class UserError(SynthaugError):
    """The input was wrong; nothing was lost and trying again with other input may work."""


class TemplateError(UserError):
    """A prompt template that cannot be read; ``position`` is the offending character's offset."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class ImageRejected(UserError):
    """One file that is not an image we take; ``reason`` fits a table cell."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ImageLost(UserError):
    """An image of the workspace whose file is gone or damaged."""


class ImportFailed(UserError):
    """A source that cannot be imported at all."""


class NothingImported(ImportFailed):
    """A source of which every entry was rejected; ``rejected`` holds (path, reason)."""

    def __init__(self, source: str, rejected: Sequence[tuple[str, str]]) -> None:
        path, reason = rejected[0]
        which = f"all {len(rejected)} entries of {source} were" if len(rejected) > 1 else f"{source} was"
        super().__init__(f"nothing was imported: {which} rejected; {path}: {reason}")
        self.rejected = tuple(rejected)


class ExportFailed(UserError):
    """A set that the chosen format cannot hold."""


class ViewError(UserError):
    """A dataset view that cannot be made."""


class LabelRefused(UserError):
    """One entry that the label log does not take; ``op_id`` says which of those that were sent."""

    def __init__(self, message: str, op_id: str) -> None:
        super().__init__(message)
        self.op_id = op_id


class UnknownName(UserError):
    """A name that stands for nothing here."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        listed = ", ".join(repr(each) for each in names[:20]) if names else "none yet"
        super().__init__(f"no {kind} called {name!r}; there is: {listed}")


class UnknownImage(UnknownName):
    """An image that is not here, by the id or SHA-256 that was asked for."""

    def __init__(self, name: str) -> None:
        UserError.__init__(self, f"there is no image {name!r}; give the id or the whole SHA-256 of an image")


class WorkspaceError(UserError):
    """No workspace, a read-only one, or a full disk."""


class WorkspaceDamaged(WorkspaceError):
    """What :func:`synthaug.stages.verify.verify` found; ``problems`` says it, a line each."""

    def __init__(self, root: Path, problems: Sequence[str]) -> None:
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        super().__init__(f"{count} in {root}: {'; '.join(problems[:5])}")
        self.problems = tuple(problems)


class WorkspaceInUse(WorkspaceError):
    """Another synthaug works on this workspace."""


class Cancelled(SynthaugError):
    """The person asked a running job to stop."""


_FULL = "the disk is full; free some space or choose another disk"
_FULL_TEXTS = ("No space left on device", "database or disk is full")
"""What libraries say that wrap the system's error in one of their own."""
_FORBIDDEN = "it may not be written to; check the folder's permissions or choose another"
_TAKEN = "something else has taken that name; choose another"
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
    """An error that the user can mend, in words that say how; None: it is a failure of ours."""
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
    """The same failure in words that say what to do, where we know them: "cannot write /a/b: the disk is full"."""
    reason = _REASONS.get(error.errno or 0)
    return error if reason is None else WorkspaceError(f"cannot {doing} {path}: {reason}")
