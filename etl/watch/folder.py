"""The watched folder: what is in it, who watches it, and the moves of files into its archive. Decides nothing.

Everything is a rename inside one file system, so that a file is in one place or the other, and nothing is overwritten.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from etl.errors import GuardError, SettingsError
from etl.journal.holders import Holder, this_process
from etl.journal.lock_files import FileLock
from etl.report_folder import REPORTS
from etl.sources.fingerprint import fingerprint
from etl.watch.decisions import FOLDERS, WHY, WORK, Arrival, Outcome, folder_name, kept_name, may_be_taken


class WatchFolder:
    """One watched folder, as long as this watcher alone holds it."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.path = path
        self.work = path / WORK
        self._lock = lock

    def look(self, marker: str | None) -> tuple[list[Arrival], set[str]]:
        """Return the files that may be taken, and the names of all there are.

        Raises OSError, JournalError, GuardError.

        Links, folders, pipes and devices are none. GuardError: another watcher has taken the folder meanwhile.
        """
        arrivals, names = [], set()
        with os.scandir(self.path) as entries:
            for entry in entries:
                names.add(entry.name)
                if may_be_taken(entry.name, marker) and (arrival := _seen(Path(entry.path))) is not None:
                    arrivals.append(arrival)
        # A share that was gone for a while has let go of its locks.
        self._lock.check()
        return arrivals, names

    def new_folder(self, name: str, below: str = WORK) -> Path:
        """Return the path of a folder for the reports of a file, which no folder here has or had."""
        shelves = [self.path / one for one in (WORK, *FOLDERS)]
        now = datetime.now().astimezone()
        free = folder_name(name, now, lambda one: any(os.path.lexists(shelf / one) for shelf in shelves))
        return self.path / below / free

    def archived(self, folder: Path) -> Path | None:
        """Return where a folder of the work folder was moved to, None where it was not."""
        places = (self.path / outcome / folder.name for outcome in Outcome)
        return next((place for place in places if place.is_dir()), None)

    def take_in(self, folder: Path, arrival: Arrival, marker: str | None) -> Path | None:
        """Move a file, and its marker, beside its reports; return where it is, None where it is no longer that file.

        Raises OSError.
        """
        source = self.path / arrival.name
        if _seen(source) != arrival:
            return None
        folder.mkdir(exist_ok=True)
        kept = folder / kept_name(_unlike_reports(arrival.name), _names_in(folder))
        source.rename(kept)
        moved = _seen(kept)
        if moved is None or replace(moved, name=arrival.name) != arrival:
            # Another file took its place between the two looks. It has not been read, so it goes back.
            if not os.path.lexists(source):
                kept.rename(source)
            return None
        if marker is not None:
            name = f"{arrival.name}{marker}"
            with contextlib.suppress(FileNotFoundError):
                (self.path / name).rename(folder / kept_name(name, _names_in(folder)))
        return kept

    def put_away(self, folder: Path, outcome: Outcome, why: str = "") -> Path | None:
        """Move a folder of the work folder to its place; None where it holds nothing. Raises OSError.

        `why`: is kept beside what it holds, for who finds no reports there.
        """
        # What a run that was killed was working on.
        for left in folder.glob(".work-*"):
            shutil.rmtree(left, ignore_errors=True)
        if why and folder.is_dir():
            (folder / WHY).write_text(why + "\n", encoding="utf-8", errors="backslashreplace")
        if not folder.is_dir() or not any(folder.iterdir()):
            with contextlib.suppress(OSError):
                folder.rmdir()
            return None
        shelf = self.path / outcome
        shelf.mkdir(exist_ok=True)
        place = shelf / folder.name
        if os.path.lexists(place):
            # A rename would put it in the place of an empty folder.
            place = self.new_folder(folder.name.partition("-")[2], outcome)
        folder.rename(place)
        return place

    def held_in(self, folder: Path, size: int, sha256: str) -> Path | None:
        """Return where the file of a run (its bytes and hash) lies beside its reports, None where it does not yet."""
        return next((path for path in _files_in(folder) if _is(path, size, sha256)), None)

    def find(self, name: str, size: int, sha256: str) -> Arrival | None:
        """Return the file of a run (its bytes and hash) where it still waits under its name, None where not."""
        path = self.path / name
        return _seen(path) if _is(path, size, sha256) else None

    def work_folders(self) -> list[Path]:
        """Return the folders in the work folder, of which each belongs to a file."""
        return sorted(path for path in self.work.iterdir() if path.is_dir() and not path.is_symlink())

    def sweep(self, known: Collection[str]) -> None:
        """Put away what a watcher that was killed left of a file that it refused.

        `known`: names of the folders that belong to runs.
        """
        for folder in self.work_folders():
            if folder.name in known:
                continue
            names = {path.name for path in folder.iterdir()}
            if names == {WHY}:
                (folder / WHY).unlink()
            self.put_away(folder, Outcome.REFUSED)


@contextlib.contextmanager
def watched(path: Path) -> Iterator[WatchFolder]:
    """Hold a folder for one watcher. Raises SettingsError where it cannot be watched, GuardError where another does."""
    folder = _checked(path)
    holder = Holder("watch", str(folder), WORK, this_process(), os.getpid(), time.time())

    def refused(other: Holder | None) -> GuardError:
        by = f": {other.who}, process {other.pid}, since {_moment(other.since)}" if other is not None else ""
        return GuardError(
            f"another etl watch is at this folder{by}", code="watch-under-way", where=str(path),
            hint="end that one first; two would take the same files",
        )  # fmt: skip

    lock = FileLock(folder / WORK / "lock", holder, refused)
    try:
        yield WatchFolder(folder, lock)
    finally:
        lock.release()


def _checked(path: Path) -> Path:
    """Return the folder's own path, with its work folder in it. Raises SettingsError."""
    try:
        folder = path.resolve(strict=True)
        if not folder.is_dir():
            raise _unusable(path, "this is a file, not a folder", "name the folder that files come into")
        (folder / WORK).mkdir(exist_ok=True)
        here = folder.stat().st_dev
        for name in (WORK, *FOLDERS):
            place = folder / name
            if not os.path.lexists(place):
                continue
            if place.is_symlink() or not place.is_dir():
                raise _unusable(place, "this is no folder; the archive goes here", "move it away")
            if place.stat().st_dev != here:
                raise _unusable(place, "this is another file system; files are renamed into it", "unmount it there")
    except OSError as error:
        hint = "name a folder that you may write to"
        raise _unusable(path, f"the folder cannot be watched: {error.strerror}", hint) from error
    return folder


def _unusable(path: Path, message: str, hint: str) -> SettingsError:
    return SettingsError(message, code="watch-folder", where=str(path), hint=hint)


def _seen(path: Path) -> Arrival | None:
    """Return the file as it is, None where it is gone, or no file but a link, a folder, a pipe."""
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Arrival(path.name, status.st_size, status.st_mtime_ns, status.st_ino)


def _is(path: Path, size: int, sha256: str) -> bool:
    seen = _seen(path)
    return seen is not None and seen.size == size and fingerprint(path).sha256 == sha256


def _names_in(folder: Path) -> set[str]:
    """Return the names that a file in the folder may not have."""
    return {*(path.name for path in folder.iterdir()), WHY}


def _unlike_reports(name: str) -> str:
    """Return a name that no report will ever have: those of a retry take the place of what is called like them."""
    is_like = name.casefold() in {one.casefold() for one in REPORTS} or name.casefold().startswith("to_fix")
    return f"sent-{name}" if is_like else name


def _files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S %Z}"
