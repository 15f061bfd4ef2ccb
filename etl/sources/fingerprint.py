"""Which file it is that is read: a regular file, and the same one as before. Knows no format."""

from __future__ import annotations

import difflib
import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.errors import SourceError

_KINDS = (
    (stat.S_ISDIR, "a folder", 'name the files in it, or a pattern in quotes such as "FOLDER/*.csv"'),
    (stat.S_ISCHR, "a device", "copy its content to a file first"),
    (stat.S_ISBLK, "a device", "copy its content to a file first"),
    (stat.S_ISFIFO, "a pipe", "write its content to a file first"),
    (stat.S_ISSOCK, "a socket", "write its content to a file first"),
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one content of a file from another: `size` in bytes, `mtime_ns`, `sha256` in hex digits."""

    size: int
    mtime_ns: int
    sha256: str


def require_file(path: Path) -> None:
    """Return if `path` is a regular file; else raise SourceError that says what it is, or which name is near.

    A symbolic link is refused: what it points to can change between the pass that checks and the one that sends.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if stat.S_ISREG(mode):
        return
    if stat.S_ISLNK(mode):
        raise _link(path)
    kind, hint = next(((kind, hint) for is_kind, kind, hint in _KINDS if is_kind(mode)), ("no file", ""))
    raise SourceError(f"this is {kind}, not a file", code="not-a-file", where=str(path), hint=hint)


def fingerprint(path: Path) -> Fingerprint:
    """Return the fingerprint of the file; reads it whole, in constant memory. Raises SourceError."""
    require_file(path)
    try:
        with path.open("rb") as file:
            status = path.stat()
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error
    return Fingerprint(status.st_size, status.st_mtime_ns, digest)


def is_untouched(path: Path, known: Fingerprint) -> bool:
    """Whether size and time of change are still those of `known`: quick, and blind to a clock set back."""
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns)


def is_unchanged(path: Path, known: Fingerprint) -> bool:
    """Whether the content is still that of `known`: reads the file whole, whatever its time of change says."""
    try:
        return fingerprint(path).sha256 == known.sha256
    except SourceError:
        return False


@contextmanager
def speaking_of(path: Path, name: str) -> Iterator[None]:
    """Let a SourceError that is raised within speak of `name` where it names `path`."""
    try:
        yield
    except SourceError as error:
        if name == str(path) or not error.where.startswith(str(path)):
            raise
        where = name + error.where.removeprefix(str(path))
        raise SourceError(error.message, code=error.code, where=where, hint=error.hint) from error


def unreadable(path: Path, error: Exception) -> SourceError:
    """Return the SourceError for what the operating system said."""
    reason = getattr(error, "strerror", None) or str(error)
    return SourceError(
        f"the file cannot be read: {reason}",
        code="file-unreadable",
        where=str(path),
        hint="check its permissions, and whether another program holds it",
    )


def _missing(path: Path) -> SourceError:
    names = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"'{path.parent}' holds no file of a similar name"
    if not path.parent.is_dir():
        hint = f"there is no folder '{path.parent}'"
    return SourceError("there is no such file", code="file-missing", where=str(path), hint=hint)


def _link(path: Path) -> SourceError:
    try:
        hint = f"give the file itself: {path.resolve(strict=True)}"
    except (OSError, RuntimeError):
        hint = "it points nowhere; give the file itself"
    return SourceError("this is a symbolic link, not a file", code="not-a-file", where=str(path), hint=hint)
