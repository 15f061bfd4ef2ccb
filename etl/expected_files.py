"""Looks at a run's files, and at the run before, as far as the mapping expects something of them."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from etl.expectations import FileSeen, LastRun, TableSeen, judge, stop_of
from etl.guards import Stop
from etl.job import Job
from etl.journal.model import RunRecord, RunState
from etl.mapping.model import ExpectSpec
from etl.options import Options
from etl.records import Status
from etl.sources.addresses import is_url
from etl.sources.base import Table
from etl.sources.dialect import delimiter_of
from etl.sources.intake import STANDARD_INPUT_NAME, SourceFile

if TYPE_CHECKING:
    from etl.journal import Journal

LOOK_SECONDS = 0.4
"""Between two looks at a file that may still be written: writers flush more often."""
_TAIL_BYTES = 64 << 10
_LOOKED_AT = 50
"""Newest runs among which the last one that delivered is looked for."""


def unexpected(
    job: Job, rows: int, journal: Journal | None, options: Options, *, say: Callable[[str], None]
) -> Stop | None:
    """Return a stop that names each expectation of the mapping that the job's files break, None where all are kept.

    `rows`: as they were read; `journal`: None: no earlier run is known; `say`: hears a note. With `accept_file` a note
    takes the place of the stop; a run that has sent something is not stopped when it goes on. Raises SourceError,
    JournalError.
    """
    expect = job.plan.mapping.source.expect
    if expect is None or (journal is not None and _has_begun(journal, job.id)):
        return None
    if any(bound.table.is_part for bound in job.tables):
        say("the file holds rows to mend alone, so what the mapping expects of a file is not judged")
        return None
    if journal is None and (expect.is_new or expect.size is not None):
        say("no earlier run is known (no target is given, or there was none), so `new` and `size` are not judged")
    broken = _broken(job, expect, rows, journal, datetime.fromtimestamp(options.timing.wall()).astimezone())
    if broken and options.accept_file:
        say(f"taken by --accept-file, though it is not what the mapping expects: {'; '.join(broken)}")
        return None
    return stop_of(broken)


def _has_begun(journal: Journal, run: str) -> bool:
    return journal.find(run) is not None and bool(journal.tally(run))


def _broken(job: Job, expect: ExpectSpec, rows: int, journal: Journal | None, now: datetime) -> tuple[str, ...]:
    files = [_seen(job, file, expect) for file in job.files]
    if expect.is_complete:
        time.sleep(LOOK_SECONDS)
        files = [
            seen if file.is_untouched() else replace(seen, is_growing=True)
            for seen, file in zip(files, job.files, strict=True)
        ]
    last = last_run(journal, job, now) if expect.is_new or expect.size is not None else None
    return judge(expect, files, rows if job.limit is None else None, last, now)


def last_run(journal: Journal | None, job: Job, now: datetime) -> LastRun | None:
    """Return the last run of the mapping to the target that came to its end, took all rows and delivered some."""
    if journal is None or job.target is None:
        return None
    runs = journal.runs(limit=_LOOKED_AT, target=job.target.name, mapping=job.plan.mapping.name)
    for run in runs:
        if run.id != job.id and _counts(run):
            at = datetime.fromtimestamp(run.ended_at or run.new.started_at, now.tzinfo)
            return LastRun(run.id, at, run.rows, frozenset(str(file["sha256"]) for file in run.new.files))
    return None


def _counts(run: RunRecord) -> bool:
    delivered = sum(run.counts.get(status, 0) for status in (Status.DELIVERED, Status.UNCHANGED))
    is_part = run.new.options.get("limit") is not None or any(file.get("is_part") for file in run.new.files)
    return run.state is RunState.FINISHED and delivered > 0 and not is_part


def _seen(job: Job, file: SourceFile, expect: ExpectSpec) -> FileSeen:
    tables = [bound.table for bound in job.tables if bound.file is file]
    is_timed = file.origin is not None or not (is_url(file.name) or file.name == STANDARD_INPUT_NAME)
    changed = datetime.fromtimestamp(file.fingerprint.mtime_ns / 1e9).astimezone() if is_timed else None
    return FileSeen(
        name=file.name if is_url(file.name) else Path(file.name).name,
        sha256=file.fingerprint.sha256,
        changed_at=changed,
        tables=tuple(_table(file, table, expect) for table in tables),
        ending=_ending(file.path, tables[0], expect) if expect.is_complete and tables else "",
    )


def _table(file: SourceFile, table: Table, expect: ExpectSpec) -> TableSeen:
    name = Path(table.ref.file).name
    place = f"{name}, sheet {table.ref.sheet}" if table.ref.sheet else name
    columns = tuple(filter(None, (column.strip() for column in table.header)))
    return TableSeen(place, columns, _last_cell(file, table) if expect.last_cell else None)


def _last_cell(file: SourceFile, table: Table) -> str | None:
    """Return the first cell of the last row that is not blank; reads the table's first column once more."""
    found = None
    with file.named():
        for chunk in table.chunks([0]):
            cells = chunk.cells.iloc[:, 0][~chunk.blank]
            if len(cells):
                found = str(cells.iloc[-1]).strip()
    return found


def _ending(path: Path, table: Table, expect: ExpectSpec) -> str:
    """Return what is wrong with the end of a text file, "" for nothing; other formats tell by themselves."""
    if "delimiter" not in table.facts:
        return ""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES) & ~1)
        tail = file.read()
    # Of UTF-16 every other byte of a line end is a NUL.
    if tail.rstrip(b"\0")[-1:] not in {b"\n", b"\r"}:
        return "its last line does not end"
    if expect.last_cell:
        return ""
    line = _last_line(tail, table.facts.get("encoding", "utf-8"))
    return _short(line, table)


def _last_line(tail: bytes, encoding: str) -> str:
    try:
        lines = tail.decode(encoding, "replace").splitlines()
    except LookupError:
        return ""
    return next((line for line in reversed(lines) if line.strip()), "")


def _short(line: str, table: Table) -> str:
    delimiter = delimiter_of(table.facts["delimiter"]) or ""
    # A line with half a quoted cell is the end of a record that spans several: its cells are not here.
    if len(delimiter) != 1 or line.count('"') % 2 or not line:
        return ""
    cells = len(_cells(line, delimiter))
    return f"its last row has {cells:,} of {len(table.header):,} cells" if 0 < cells < len(table.header) else ""


def _cells(line: str, delimiter: str) -> Sequence[str]:
    return next(csv.reader([line], delimiter=delimiter), [])
