"""What the archive of a watched folder and the journal know of each other: whose reports lie where, and what goes on.

A run whose reports lie in the work folder has not been put away. File, reports and journal are changed in this order,
so that a watcher that is killed at any instant finds at its next start how far it had come.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import EtlError, GuardError, JournalError
from etl.journal import open_journal
from etl.report_folder import REPORTS
from etl.settings import load_settings
from etl.watch.decisions import CHECKED, WORK, Arrival, Outcome, after_run
from etl.watch.folder import WatchFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl.journal import Journal
    from etl.journal.model import RunRecord


@dataclass(slots=True)
class Archive:
    """The archive of a folder. `pending`: by the name of a file, the folder of the reports of its run that goes on.

    `warn` is told what could not be done and is done at the next start.
    """

    folder: WatchFolder
    config: Path | None
    marker: str | None
    warn: Callable[[str], None]
    pending: dict[str, Path] = field(default_factory=dict)

    def new_folder(self, name: str, *, dry_run: bool) -> Path:
        """Return the folder of the reports of a file: that of its run which goes on, else one that nobody has."""
        return self.pending.get(name) or self.folder.new_folder(name, CHECKED if dry_run else WORK)

    def record_of(self, out: Path) -> RunRecord | None:
        """Return the run whose reports belong in this folder, None where none was begun. Raises EtlError."""
        with self._journal() as journal:
            return next((one for one in journal.runs_below(str(out.parent)) if one.new.out == str(out)), None)

    def put_away(
        self, arrival: Arrival, out: Path, outcome: Outcome, *, run: str | None, why: str
    ) -> tuple[Path | None, Path | None]:
        """Move a file and the reports of its run to their place, and tell the journal.

        Returns the folder, None where there is nothing to keep, and the file in it, None where another file had taken
        its place meanwhile. `run`: its id, None: to be looked up. Raises OSError.
        """
        self.pending.pop(arrival.name, None)
        kept = self.folder.take_in(out, arrival, self.marker)
        place = self.folder.put_away(out, outcome, why)
        if place is None:
            return None, None
        moved = {str(self.folder.path / arrival.name): str(place / kept.name)} if kept else {}
        self._tell_journal(out, place, moved, run)
        return place, place / kept.name if kept else None

    def set_aside(self, record: RunRecord, why: str) -> None:
        """Put away the reports of a run whose file is another one now, or is run anew. Raises OSError."""
        out = Path(record.new.out)
        if self.pending.get(_name_of(record)) == out:
            del self.pending[_name_of(record)]
        # Where nothing was written, the next start would still ask what became of it.
        out.mkdir(exist_ok=True)
        place = self.folder.put_away(out, Outcome.STOPPED, why)
        if place is not None:
            self._tell_journal(out, place, {}, record.id)

    def recover(self) -> None:
        """Put away what had ended before a watcher was killed, and remember which runs are to go on.

        Raises EtlError: reports lie here of which the journal knows nothing; OSError.
        """
        journal = open_journal(load_settings(self.config, os.environ, Path.cwd()), create=False)
        records: list[RunRecord] = []
        if journal is not None:
            with journal:
                records = journal.runs_below(str(self.folder.work))
        known = {Path(record.new.out).name for record in records}
        for folder in self.folder.work_folders():
            if folder.name not in known and any((folder / name).exists() for name in REPORTS):
                raise JournalError(
                    "this is a run under way, of which this journal knows nothing", code="watch-foreign",
                    where=str(folder), hint="start where that run was started, with its etl.toml; or move it away",
                )  # fmt: skip
        for record in records:
            self._recover_one(record)
        self.folder.sweep(known)

    def _recover_one(self, record: RunRecord) -> None:
        out, name = Path(record.new.out), _name_of(record)
        facts = int(record.new.files[0]["bytes"]), str(record.new.files[0]["sha256"])
        place, outcome = self.folder.archived(out), _outcome_of(record)
        if place is None and self.folder.held_in(out, *facts):
            place = self.folder.put_away(out, outcome or Outcome.STOPPED)
        if place is not None:
            kept = self.folder.held_in(place, *facts)
            self._tell_journal(out, place, {str(self.folder.path / name): str(kept)} if kept else {}, record.id)
            return
        arrival = self.folder.find(name, *facts)
        if arrival is None:
            self.set_aside(record, "the file that it had read is no longer here")
        elif name in self.pending:
            self.set_aside(record, "a later run of the same file goes on")
        elif outcome is None:
            self.pending[name] = out
        else:
            self.put_away(arrival, out, outcome, run=record.id, why="")

    def _tell_journal(self, out: Path, place: Path, paths: dict[str, str], run: str | None) -> None:
        """Tell the journal where reports and file of a run are now, if one was begun."""
        try:
            if run is None:
                record = self.record_of(out)
                if record is None:
                    return
                run = record.id
            with self._journal() as journal:
                journal.move(run, str(place), paths)
        except EtlError as error:
            self.warn(f"{place.name}: {error.message}; the next start tells the journal where it is")

    def _journal(self) -> Journal:
        journal = open_journal(load_settings(self.config, os.environ, Path.cwd()))
        if journal is None:
            raise AssertionError("BUG: a journal that is made where there is none")
        return journal


def cannot_archive(path: Path, error: OSError) -> GuardError:
    """Return what to tell where a file could not be put away; its run is in the journal."""
    return GuardError(
        f"the file cannot be put away: {error.strerror}", code="watch-archive", where=str(path),
        hint="look at the folder's permissions and room; the next start puts it away without sending it again",
    )  # fmt: skip


def _name_of(record: RunRecord) -> str:
    return Path(record.new.given[0]).name


def _outcome_of(record: RunRecord) -> Outcome | None:
    """Return where the file of a run belongs; None where the run died, or is to go on."""
    if record.exit_code is None:
        return None
    what = after_run(record.exit_code, record.stop_code)
    return what if isinstance(what, Outcome) else None
