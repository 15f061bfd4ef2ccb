"""Bytes that have no file of their own → files in a private folder, which is gone when nobody needs them any more."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

from etl.errors import SourceError

BLOCK_BYTES = 1 << 20
MAX_BYTES = 8 << 30
"""Of one table that is spooled: ten million rows of forty columns are about 4 GB."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_folders: set[Path] = set()


class Spool:
    """A folder that its owner alone can open; it is removed with the Spool, at the latest with the process.

    Who reads from it keeps the Spool (`SourceFile.spool`). `parent`: where it is made, None: among temporary files.
    """

    def __init__(self, parent: Path | None = None) -> None:
        """Make the folder. Raises SourceError."""
        try:
            if parent is not None:
                parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix="etl-", dir=parent)).absolute()
        except OSError as error:
            raise _not_written(error, "", parent) from error
        self._parent = parent
        _folders.add(self.folder)
        self._count = 0
        self._end = weakref.finalize(self, _remove, self.folder, os.getpid())

    def keep(self) -> None:
        """Leave the folder where it is, also after this process: a run that is cut off reads it again."""
        self._end.detach()
        _folders.discard(self.folder)

    def remove(self) -> None:
        """Remove the folder now, kept or not."""
        self._end.detach()
        _remove(self.folder, os.getpid())

    def require_room(self, needed: int, name: str) -> None:
        """Raise SourceError if less than `needed` bytes are free."""
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise _no_room(name, f"{in_words(needed)} are needed, {in_words(free)} are free", self._parent)

    def write(self, blocks: Iterable[bytes], name: str) -> Path:
        """Return a new file that holds `blocks`; it is called by a number, never by a name from elsewhere.

        Raises SourceError, with `name` as its place: no room, or more than MAX_BYTES. What `blocks` raises goes on
        as it is; no part of a file is left.
        """
        self._count += 1
        path = self.folder / str(self._count)
        try:
            with _create(path, name, self._parent) as file:
                written = 0
                for block in blocks:
                    written += len(block)
                    if written > MAX_BYTES:
                        raise too_large(name)
                    try:
                        file.write(block)
                    except OSError as error:
                        raise _not_written(error, name, self._parent) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path


def remove_all() -> None:
    """Remove the folders of this process at once, for who is about to end it without its finalizers."""
    for folder in tuple(_folders):
        _remove(folder, os.getpid())


def too_large(name: str) -> SourceError:
    """Return the SourceError for a table of more than MAX_BYTES."""
    return SourceError(
        f"this is more than {in_words(MAX_BYTES)} of table, the limit",
        code="source-too-large",
        where=name,
        hint="split it into smaller files",
    )


def in_words(size: int) -> str:
    """Return a number of bytes for people: `1.5 GB`."""
    amount = float(size)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB".replace(".0 ", " ")


def _create(path: Path, name: str, parent: Path | None) -> _File:
    try:
        return _File(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise _not_written(error, name, parent) from error


class _File:
    """An unbuffered file: what cannot be written is told by `write`, not by the end of a `with`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def write(self, block: bytes) -> None:
        left = memoryview(block)
        while left:
            left = left[os.write(self._descriptor, left) :]


def _remove(folder: Path, owner: int) -> None:
    # A forked child inherits the finalizer, and the folder is not its own.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
        _folders.discard(folder)


def _not_written(error: OSError, name: str, parent: Path | None) -> SourceError:
    if error.errno in _NO_ROOM:
        return _no_room(name, error.strerror or "the disk is full", parent)
    hint = "let this folder be written to" if parent else "set TMPDIR to a folder that you may write to"
    return SourceError(
        f"a copy cannot be written to {parent or tempfile.gettempdir()}: {error.strerror or error}",
        code="spool", where=name, hint=hint,
    )  # fmt: skip


def _no_room(name: str, reason: str, parent: Path | None) -> SourceError:
    other = "" if parent else ", or set TMPDIR to a folder on a larger disk"
    return SourceError(
        f"there is no room for a copy in {parent or tempfile.gettempdir()} ({reason})",
        code="spool-no-room", where=name, hint=f"make room there{other}",
    )  # fmt: skip
