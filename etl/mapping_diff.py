"""Two versions of a mapping on the same files: which payloads would change, and how. Nothing is sent.

Rows are compared one by one, before duplicates are marked: which row of a key stands for the others only the whole file
shows, and `etl check` tells. Records are matched by name and action, then by their place; values by the path on the
left of the mapping. Memory does not grow with the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from etl.contract import Wire
from etl.flat_payload import Value, flat, wire_of
from etl.job import Job, open_job
from etl.mapping import Mapping
from etl.mapping.model import RecordSpec
from etl.progress import Progress, Silent
from etl.records import STATUSES, Status
from etl.settings import TargetSettings
from etl.side_by_side import ABSENT, Block, Records, Side, blocks_of, tables_of
from etl.sources import Given, SourceFile, take_in
from etl.sources.base import ROWS_PER_CHUNK

_PLANNED = STATUSES.index(Status.PLANNED)
NOT_THERE = "not there"
"""What stands for the status of a record, or a row, that one of the two does not have."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one record that would be sent differently; None: not sent."""

    path: str
    before: Value | None
    after: Value | None


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A record of a row that differs. `before`, `after`: its statuses; `changes`: of a record that both would send."""

    file: str
    sheet: str
    row: int
    action: str
    key: str
    before: str
    after: str
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class FieldChanges:
    """How often a field differs, and the first row in which it does."""

    rows: int
    file: str
    sheet: str
    row: int
    before: Value | None
    after: Value | None


@dataclass(slots=True)
class MappingDiff:
    """What changes. Counts are records: `same` and `changed` of those that both would send.

    `unsent`: neither would send it, for the same reason; `statuses`: by (before, after), those that differ; `fields`:
    by action and path; `first`: the first rows that differ.
    """

    rows: int = 0
    same: int = 0
    changed: int = 0
    only_old: int = 0
    only_new: int = 0
    unsent: int = 0
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    fields: dict[tuple[str, str], FieldChanges] = field(default_factory=dict)
    first: list[ChangedRow] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both do the same with every row."""
        return not (self.changed or self.statuses)


def compare_mappings(
    old: Mapping,
    new: Mapping,
    files: Sequence[Given],
    *,
    sheet: str | None = None,
    limit: int | None = None,
    shown: int = 20,
    allow_private: bool = False,
    progress: Progress | None = None,
    rows_per_chunk: int = ROWS_PER_CHUNK,
) -> MappingDiff:
    """Return what `new` would send differently from `old` for the rows of `files` (the first `limit` of them).

    `shown`: how many of the rows that differ are kept; `allow_private`: as in `take_in`.
    Raises MappingError, SourceError.
    """
    wires = wire_of(old), wire_of(new)
    wire: Wire = "fields" if wires == ("fields", "fields") else "envelope"
    taken = take_in(files, allow_private=allow_private)
    jobs = _open(old, taken, sheet, wire), _open(new, taken, sheet, wire)
    found = MappingDiff(notes=tuple(dict.fromkeys((*jobs[0].notes, *jobs[1].notes))))
    comparer = _Comparer(*jobs, found, shown)
    progress = progress or Silent()
    progress.begin("comparing", _total(jobs[0], limit))
    try:
        for tables in tables_of(*jobs):
            left = None if limit is None else limit - found.rows
            for before, after in blocks_of((Side(jobs[0]), Side(jobs[1])), tables, left, rows_per_chunk):
                comparer.take(before, after)
                progress.advance(len(before.rows), {})
    finally:
        progress.end()
    return found


def _open(mapping: Mapping, taken: Sequence[SourceFile], sheet: str | None, wire: Wire) -> Job:
    if wire == "fields":
        return open_job(mapping, (), None, sheet=sheet, taken=taken)
    # No address is ever called: the settings carry the wire form alone.
    group_key = None if mapping.group_key is not None else "-"
    nowhere = TargetSettings(name="nowhere", url="http://localhost", wire=wire, group_key=group_key)
    return open_job(mapping, (), nowhere, sheet=sheet, taken=taken)


def _total(job: Job, limit: int | None) -> int | None:
    counts = [bound.table.estimated_rows for bound in job.tables]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return limit
    return sum(known) if limit is None else min(limit, sum(known))


class _Comparer:
    """Counts what differs, block by block."""

    def __init__(self, old: Job, new: Job, found: MappingDiff, shown: int) -> None:
        self.found, self.shown, self.wire = found, shown, old.plan.wire
        self.pairs = _pairs(old.plan.mapping.records, new.plan.mapping.records)

    def take(self, old: Block, new: Block) -> None:
        """Compare two blocks of the same rows."""
        self.found.rows += len(old.rows)
        differing: list[tuple[int, ChangedRow]] = []
        for one, other in self.pairs:
            before = _records(old, one, new, other)
            after = _records(new, other, old, one)
            differing += self._changed(old, new, before, after)
            differing += self._moved(old, before, after)
        differing.sort(key=lambda pair: pair[0])
        self.found.first += [row for _, row in differing[: max(0, self.shown - len(self.found.first))]]

    def _changed(self, old: Block, new: Block, before: Records, after: Records) -> Iterator[tuple[int, ChangedRow]]:
        """Yield the rows that both would send, and not alike."""
        both = (before.status == _PLANNED) & (after.status == _PLANNED)
        differs = both & ~np.asarray(pc.fill_null(pc.equal(before.bodies, after.bodies), fill_value=False))
        self.found.same += int(both.sum())
        for place in np.flatnonzero(differs).tolist():
            changes = self._changes(old, new, before, after, place)
            # Members may stand in another order: the endpoint does not care.
            if changes:
                self.found.same -= 1
                self.found.changed += 1
                row = _row(old, before, after, place, changes)
                self._count_fields(row)
                yield place, row

    def _changes(self, old: Block, new: Block, before: Records, after: Records, place: int) -> tuple[Change, ...]:
        was = flat(before.bodies[place].as_py(), before.spec, old.bound.binding, self.wire)
        will = flat(after.bodies[place].as_py(), after.spec, new.bound.binding, self.wire)
        paths = dict.fromkeys((*was, *will))
        return tuple(Change(path, was.get(path), will.get(path)) for path in paths if was.get(path) != will.get(path))

    def _count_fields(self, row: ChangedRow) -> None:
        for change in row.changes:
            key = row.action, change.path
            if key in self.found.fields:
                self.found.fields[key].rows += 1
            else:
                self.found.fields[key] = FieldChanges(1, row.file, row.sheet, row.row, change.before, change.after)

    def _moved(self, old: Block, before: Records, after: Records) -> Iterator[tuple[int, ChangedRow]]:
        """Yield the rows whose status differs, no more than are shown."""
        differs = before.status != after.status
        self.found.unsent += int((~differs & (before.status != _PLANNED)).sum())
        self.found.only_old += int((differs & (before.status == _PLANNED)).sum())
        self.found.only_new += int((differs & (after.status == _PLANNED)).sum())
        places = np.flatnonzero(differs)
        moves, counts = np.unique(np.stack([before.status[places], after.status[places]]), axis=1, return_counts=True)
        for was, will, count in zip(*moves.tolist(), counts.tolist(), strict=True):
            self.found.statuses[_named(was), _named(will)] += count
        for place in places[: self.shown].tolist():
            yield place, _row(old, before, after, place, ())


def _records(own: Block, place: int | None, other: Block, others: int | None) -> Records:
    """Return the records at `place`; where there are none, as many that are absent."""
    if place is not None:
        return own.records[place]
    return other.records[others or 0].at(np.full(len(other.rows), -1, dtype=np.int64))


def _pairs(old: Sequence[RecordSpec], new: Sequence[RecordSpec]) -> list[tuple[int | None, int | None]]:
    """Return which records belong together: by name and action, by place and action, by action; None: to none."""
    left, right = dict(enumerate(old)), dict(enumerate(new))
    found: dict[int, int] = {}
    keys: tuple[Callable[[RecordSpec], object], ...] = (
        lambda spec: (spec.name or id(spec), spec.action.name),
        lambda spec: (spec.number, spec.action.name),
        lambda spec: spec.action.name,
    )
    for key in keys:
        for place, spec in list(left.items()):
            match = next((other for other, theirs in right.items() if key(theirs) == key(spec)), None)
            if match is not None:
                found[place] = match
                del left[place], right[match]
    pairs: list[tuple[int | None, int | None]] = [(place, found.get(place)) for place in range(len(old))]
    return pairs + [(None, place) for place in right]


def _row(block: Block, before: Records, after: Records, place: int, changes: tuple[Change, ...]) -> ChangedRow:
    ref = block.bound.table.ref
    return ChangedRow(
        ref.file, ref.sheet, int(block.rows[place]), before.spec.action.name,
        before.keys[place].as_py() or after.keys[place].as_py() or "",
        _named(before.status[place]), _named(after.status[place]), changes,
    )  # fmt: skip


def _named(status: int) -> str:
    return NOT_THERE if status == ABSENT else STATUSES[status].value
