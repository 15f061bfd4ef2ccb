"""Removes a person from journal and kept reports, for requests of erasure. Writes their key nowhere."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import JournalError, SettingsError
from etl.history import Sent, sent_for
from etl.journal import locks
from etl.journal.model import RunRecord
from etl.kept_reports import all_folders, folders_of
from etl.masking import Masker
from etl.reports.erasure import STARTED, Place, holds, is_results, made_in, reports_in, rewrite, rows_of, unruled_in
from etl.reports.person import Person

if TYPE_CHECKING:
    from etl.journal import Journal
    from etl.settings import Settings

_WORK = ".work-*"
"""Folders in which a run or a check puts rows aside; one that was killed leaves its own."""
_CHECK_SECONDS = 86_400
"""No check takes longer; a younger work folder may be in use."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a person before anything is removed: deliveries, and folders of reports to look through."""

    sent: tuple[Sent, ...]
    folders: tuple[Path, ...]


@dataclass(slots=True)
class Forgotten:
    """What was removed, and what was not.

    `journal`: rows by table; `files`: lines by report, only where there were any; `removed`: reports made of the others
    (workbooks, pages) in which the person was; `folders`: looked through; `busy`:
    folders in which a check may be under way, not touched; `left`: files that may hold the person and are not
    rewritten; `copies`: kept copies of spreadsheets of runs in which the person was; `away`: folders of reports on
    other machines, as `machine:path`.
    """

    journal: Mapping[str, int] = field(default_factory=dict)
    files: dict[Path, int] = field(default_factory=dict)
    removed: list[Path] = field(default_factory=list)
    folders: tuple[Path, ...] = ()
    busy: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)
    away: list[str] = field(default_factory=list)


def look(journal: Journal | None, settings: Settings, key: str) -> Found:
    """Return what there is to forget. Raises JournalError, and SettingsError where `key` is blank."""
    _checked(key)
    records = journal.runs() if journal is not None else []
    sent = sent_for(journal, key) if journal is not None else []
    return Found(tuple(sent), tuple(all_folders(records, settings.folder)))


def forget(
    journal: Journal | None,
    settings: Settings,
    key: str,
    *,
    entirely: bool = False,
    progress: Callable[[Path], None] = lambda _: None,
) -> Forgotten:
    """Remove whoever has this key from the journal (all targets) and from all reports that are kept here.

    `entirely`: the note too (a keyed hash) that they were deleted through us, which keeps old files from bringing them
    back. `progress` is told of each folder. What was begun and not ended can be begun again.
    Raises GuardError while a run is under way, JournalError, SettingsError.
    """
    _checked(key)
    result = Forgotten()
    with locks.alone(settings):
        records = journal.runs() if journal is not None else []
        sent = sent_for(journal, key) if journal is not None else []
        places = _places(sent, records)
        person = Person(key, Masker(journal.masks).key(key) if journal is not None else "")
        result.folders = tuple(all_folders(records, settings.folder))
        ours = {Path(record.new.out).resolve() for record in records}
        for folder in result.folders:
            progress(folder)
            if folder not in ours and _is_busy(folder):
                result.busy.append(folder)
            else:
                _clean(folder, key, person, places.get(folder, set()), result)
        result.left += [path for path in (settings.folder / ".etl" / "sandbox.db",) if holds(path, key)]
        result.away = _away(records, result.folders)
        result.copies = _copies(sent)
        # Last: it tells which rows of the reports are the person's, should this have to be done again.
        if journal is not None:
            result.journal = journal.forget(key, keep_erasure=not entirely)
    return result


def _checked(key: str) -> None:
    if not key.strip():
        raise SettingsError("the key is blank", code="usage", where="etl forget", hint="etl forget someone@example.com")


def _places(sent: Sequence[Sent], records: Sequence[RunRecord]) -> dict[Path, set[Place]]:
    """Return where the journal knows the person's rows, by the folder of the run's reports."""
    found: dict[Path, set[Place]] = {}
    runs_in = Counter(record.new.out for record in records)
    folders = {one.run.id: folders_of(one.run, shared=runs_in[one.run.new.out] > 1) for one in sent}
    for one in sent:
        file, sheet, row = one.place
        if not file:
            continue
        for folder in folders[one.run.id]:
            found.setdefault(folder.resolve(), set()).add((file.removeprefix("'"), sheet.removeprefix("'"), str(row)))
    return found


def _clean(folder: Path, key: str, person: Person, places: set[Place], result: Forgotten) -> None:
    """Rewrite the reports in one folder, those last that say whose rows are where."""
    path = folder
    try:
        for stale in folder.glob(_WORK):
            shutil.rmtree(stale, ignore_errors=True)
        for path in folder.glob(f"{STARTED}*"):
            path.unlink(missing_ok=True)
        reports = reports_in(folder)
        places = places | {place for path in reports if is_results(path) for place in rows_of(path, person)}
        stands_here = bool(places)
        # First: as long as the other reports say whose rows are where, this can be done again.
        for path in made_in(folder):
            if stands_here or holds(path, key):
                path.unlink()
                result.removed.append(path)
        for path in reports:
            lines = rewrite(path, person, places)
            if lines:
                result.files[path] = lines
        result.left += unruled_in(folder, key)
    except OSError as error:
        raise JournalError(
            f"the person could not be removed from here: {error.strerror or error}; the journal was not touched",
            code="not-forgotten", where=str(path),
            hint="make room, or see that you may write there; the same command again removes the rest",
        ) from error  # fmt: skip


def _is_busy(folder: Path) -> bool:
    """Tell whether something reads or writes there that holds no lock, as a check does; its work folder says so."""
    try:
        return any(time.time() - work.stat().st_mtime < _CHECK_SECONDS for work in folder.glob(_WORK))
    except OSError:
        return True


def _copies(sent: Iterable[Sent]) -> list[Path]:
    """Return the copies of spreadsheets, kept for resuming, in which the person stands."""
    kept = {Path(str(file["path"])) for one in sent for file in one.run.new.files if file.get("kept")}
    return sorted(path for path in kept if path.exists())


def _away(records: Sequence[RunRecord], folders: Sequence[Path]) -> list[str]:
    """Return folders of reports that other machines wrote, and that are not here."""
    here = locks.this_process().rpartition("@")[2]
    known = set(folders)
    return sorted(
        {
            f"{record.new.who.rpartition('@')[2]}:{record.new.out}"
            for record in records
            if record.new.who.rpartition("@")[2] != here and Path(record.new.out).resolve() not in known
        }
    )
