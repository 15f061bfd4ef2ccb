"""Locks of one machine: the system's own, on files in `.etl/locks`, so that they end with the process, however it ends.

A file is kept for good: one that is removed while somebody waits for it would be locked twice. It holds who has the
lock; a holder that let go has written so, and one that is found without has died.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from etl.errors import GuardError, JournalError
from etl.journal.holders import (
    Holder,
    digest_of,
    forgetting_under_way,
    lost,
    refusal,
    runs_under_way,
)

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PATIENCE_SECONDS = 0.3
"""Who only looks holds a lock too, for an instant, and who has just taken one has yet to write its name."""
FORGETTING_SECONDS = 60.0
"""How long a run waits for `etl forget`, which rewrites reports."""
_POLL_SECONDS = 0.01
_LOCKED_BYTE = 1 << 30
"""Where Windows locks: far behind the facts, which others must be able to read."""
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_ALL = "all.lock"
Refused = Callable[[Holder | None], GuardError]


class FileLock:
    """A lock on one file, held until `release`."""

    def __init__(self, path: Path, holder: Holder, refused: Refused | None = None) -> None:
        """Take the lock. Raises GuardError where another process has it, JournalError where nobody can lock.

        `refused` makes the GuardError of who has it; None: the words for a run.
        """
        self._path = path
        self._holder = holder
        self._refused = refused or partial(refusal, holder.target, holder.mapping)
        self._guard = threading.Lock()
        self._lost: GuardError | None = None
        self._descriptor, former = self._taken()
        has_died = former is not None and former.ended is None and former.run != holder.run
        self.died = former if has_died else None

    def check(self) -> None:
        """Return if the file that is locked is still the one that others would lock; else take that one."""
        with self._guard:
            if self._lost is not None:
                raise self._lost
            with contextlib.suppress(OSError):
                if os.path.samestat(self._path.stat(), os.fstat(self._descriptor)):
                    return
            # Somebody removed `.etl`, or put another one in its place.
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, former = self._taken()
            os.close(self._descriptor)
            self._descriptor = descriptor
            if former is not None and former.run != self._holder.run and former.since >= self._holder.since:
                self._lost = lost(former)
                raise self._lost

    def release(self) -> None:
        """Write down that the lock was let go, and let go."""
        with contextlib.suppress(OSError):
            _write(self._descriptor, replace(self._holder, ended=time.time()))
        os.close(self._descriptor)

    def _taken(self) -> tuple[int, Holder | None]:
        """Return the locked file, and who is named there as its last holder."""
        descriptor = _opened(self._path)
        try:
            if not _lock(descriptor, self._path, PATIENCE_SECONDS):
                raise self._refused(_running(descriptor))
            former = _read(descriptor)
            try:
                _write(descriptor, self._holder)
            except OSError as error:
                raise _unusable(self._path, error) from error
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, former


@contextlib.contextmanager
def locked(folder: Path, holder: Holder) -> Iterator[FileLock]:
    """Hold the lock of the holder's target and mapping, in `folder`. Raises GuardError, JournalError."""
    with _all(folder, is_alone=False, patience=FORGETTING_SECONDS):
        lock = FileLock(_path(folder, holder.target, holder.mapping), holder)
        try:
            yield lock
        finally:
            lock.release()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep all runs out. Raises GuardError where one is under way, JournalError."""
    with _all(folder, is_alone=True, patience=PATIENCE_SECONDS):
        yield


def holder_of(folder: Path, target: str, mapping: str) -> Holder | None:
    """Return who holds that lock at this moment, None if nobody does. Raises JournalError."""
    return _holder_in(_path(folder, target, mapping))


def holders(folder: Path) -> list[Holder]:
    """Return all who hold a lock at this moment, the longest first. Raises JournalError."""
    found = (_holder_in(path) for path in folder.glob("*.lock") if path.name != _ALL)
    return sorted((holder for holder in found if holder is not None), key=lambda holder: holder.since)


def _path(folder: Path, target: str, mapping: str) -> Path:
    return folder / f"{digest_of(target, mapping).hex()}.lock"


@contextlib.contextmanager
def _all(folder: Path, *, is_alone: bool, patience: float) -> Iterator[None]:
    """Hold the lock that all runs share, or hold it alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    path = folder / _ALL
    descriptor = _opened(path)
    try:
        if not _lock(descriptor, path, patience, is_shared=not is_alone):
            raise runs_under_way(holders(folder)) if is_alone else forgetting_under_way()
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        # Another user of the folder must be able to lock it too, as far as the umask lets them.
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _unusable(path, error) from error


def _holder_in(path: Path) -> Holder | None:
    """Return who holds the lock on `path`, by trying it. Raises JournalError where that cannot be told."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        return None if _try(descriptor, is_shared=True) else _running(descriptor)
    except OSError as error:
        raise _unusable(path, error) from error
    finally:
        os.close(descriptor)


def _running(descriptor: int) -> Holder | None:
    """Return the holder that the file names; waits a little for one that has the lock and has yet to say so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        holder = _read(descriptor)
        if holder is not None and holder.ended is None:
            return holder
        if time.monotonic() > end:
            return None
        time.sleep(_POLL_SECONDS)


def _lock(descriptor: int, path: Path, patience: float, *, is_shared: bool = False) -> bool:
    """Lock within `patience` seconds; False where another process has it. Raises JournalError where nobody can."""
    end = time.monotonic() + patience
    while True:
        try:
            if _try(descriptor, is_shared=is_shared):
                return True
        except OSError as error:
            raise _unusable(path, error) from error
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)


def _try(descriptor: int, *, is_shared: bool = False) -> bool:
    """Lock if nobody else has it. Raises OSError where the file system knows no locks."""
    try:
        if sys.platform == "win32":
            # There are no shared locks: runs that share one take a byte each.
            at = _LOCKED_BYTE + (os.getpid() & 0xFFFF if is_shared else 0)
            os.lseek(descriptor, at, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1 if is_shared else 0x10000)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True


def _read(descriptor: int) -> Holder | None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return Holder.of(json.loads(os.read(descriptor, 1 << 16)))
    except (OSError, ValueError, TypeError):
        # Empty, or read while it was written.
        return None


def _write(descriptor: int, holder: Holder) -> None:
    text = json.dumps(holder.as_dict()).encode()
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text)
    os.ftruncate(descriptor, len(text))
    os.fsync(descriptor)


def _unusable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"this cannot be locked, so two runs might send the same: {error.strerror or error}",
        code="lock", where=str(path), hint="the folder must be writable, and on a disk that knows locks",
    )  # fmt: skip
