"""What a mapping expects of a night's file, held against what came. Pure: knows no file, no journal and no clock.

A file that is late, last night's, half, or another one is worse than none: it is sent, and looks as if all were well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from etl.errors import impersonal
from etl.guards import Stop
from etl.mapping.model import ExpectSpec

CODE = "unexpected-file"
HINT = "get the file that is meant, and run it; --accept-file takes this one all the same"
_SHOWN = 5
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class TableSeen:
    """One table. `place`: how a person calls it; `columns`: its header, without blank names.

    `last_cell`: the first cell of its last row that is not blank, None where nobody asked or there is no row.
    """

    place: str
    columns: tuple[str, ...]
    last_cell: str | None = None


@dataclass(frozen=True, slots=True)
class FileSeen:
    """One file as it came. `changed_at`: None where it is not known (standard input, a remote file).

    `is_growing`: it changed while it was looked at; `ending`: what is wrong with its end, "" for nothing.
    """

    name: str
    sha256: str
    changed_at: datetime | None
    tables: tuple[TableSeen, ...]
    is_growing: bool = False
    ending: str = ""


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of this mapping to this target that came to its end and delivered."""

    id: str
    at: datetime
    rows: int
    sha256s: frozenset[str]


def judge(
    expect: ExpectSpec, files: Sequence[FileSeen], rows: int | None, last: LastRun | None, now: datetime
) -> tuple[str, ...]:
    """Return a sentence for each expectation that is broken, with its figures; empty where all is as expected.

    `rows`: in all files together, None where not all of them were read; `now`: with its zone.
    """
    return (
        *(one for file in files for one in _time(expect, file, now)),
        *(one for file in files for one in _content(expect, file, last)),
        *_size(expect, rows, last),
        *(one for file in files for table in file.tables for one in _columns(expect, table)),
        *(one for file in files for one in _completeness(expect, file)),
    )  # fmt: skip


def stop_of(broken: Sequence[str]) -> Stop | None:
    """Return the stop that says all that is broken, None where nothing is."""
    if not broken:
        return None
    return Stop(CODE, f"the file is not what the mapping expects: {'; '.join(broken)}", hint=HINT)


def _time(expect: ExpectSpec, file: FileSeen, now: datetime) -> Iterator[str]:
    if expect.by is None and expect.max_age is None:
        return
    if file.changed_at is None:
        yield f"when {file.name} changed last is not known, since it is no file here"
        return
    changed = file.changed_at.astimezone(now.tzinfo)
    if expect.by is not None and (changed.hour * 60 + changed.minute, changed.second) > (expect.by, 0):
        yield (
            f"{file.name} changed last at {changed:%H:%M:%S} ({changed:%Y-%m-%d}), "
            f"and by {expect.by // 60:02}:{expect.by % 60:02} is expected"
        )
    age = (now - changed).total_seconds()
    if expect.max_age is not None and age > expect.max_age:
        yield f"{file.name} is {span(age)} old, and at most {span(expect.max_age)} is expected"


def _content(expect: ExpectSpec, file: FileSeen, last: LastRun | None) -> Iterator[str]:
    if expect.is_new and last is not None and file.sha256 in last.sha256s:
        run = f"{last.id}, {last.at:%Y-%m-%d %H:%M}"
        yield f"{file.name} is the same as in the last run ({run}), and a new one is expected"


def _size(expect: ExpectSpec, rows: int | None, last: LastRun | None) -> Iterator[str]:
    if expect.size is None or rows is None or last is None or not last.rows:
        return
    differs = (rows - last.rows) / last.rows * 100
    if abs(differs) > expect.size:
        there = f"{rows:,} {'row is' if rows == 1 else 'rows are'}"
        far = f"{abs(differs):,.0f}% {'more' if differs > 0 else 'fewer'}"
        run = f"the {last.rows:,} of the last run ({last.id})"
        yield f"{there} {far} than {run}, and at most {expect.size:g}% is expected"


def _columns(expect: ExpectSpec, table: TableSeen) -> Iterator[str]:
    if not expect.columns:
        return
    missing = [name for name in expect.columns if name not in table.columns]
    # What stands in the header of another file may be anybody's.
    additional = [impersonal(name) for name in dict.fromkeys(table.columns) if name not in expect.columns]
    for names, word in ((missing, "missing"), (additional, "not expected")):
        if names:
            shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
            more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            kind = "column" if len(names) == 1 else f"{len(names):,} columns"
            yield f"{kind} {word} in {table.place}: {shown}{more}"


def _completeness(expect: ExpectSpec, file: FileSeen) -> Iterator[str]:
    if not expect.is_complete:
        return
    if file.is_growing:
        yield f"{file.name} is still being written"
    if file.ending:
        yield f"{file.name} is cut off: {file.ending}"
    for table in file.tables:
        if expect.last_cell and table.last_cell != expect.last_cell:
            yield f"the last row of {table.place} does not begin with '{expect.last_cell}'"


def span(seconds: float) -> str:
    """Return a time span in the largest unit that leaves something to tell: `26h`, `3d 4h`, `12m`."""
    whole = int(seconds)
    if whole >= 2 * _DAY:
        hours = whole % _DAY // _HOUR
        return f"{whole // _DAY}d {hours}h" if hours else f"{whole // _DAY}d"
    if whole >= 2 * _HOUR:
        minutes = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR}h {minutes}m" if minutes else f"{whole // _HOUR}h"
    return f"{whole // _MINUTE}m"
