"""The file against what was confirmed before: which rows say nothing new, and whom they must not bring back.

    upsert   of somebody erased through us: held back, unless revived · same payload confirmed: unchanged (only changed)
    delete   of somebody erased through us: unchanged (only changed)
    event    created before: never again (all again: counted, for a confirmation)

Everything depends on the state before the run alone, so that `check` and `run` say the same. The journal remembers one
payload a key, the last one: where a file sends a person more than one request about the contact, none of them is
`unchanged`, since what the others would do to it is not known. Marks lie on disk until the second reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.buckets import Buckets
from etl.company import Company
from etl.digests import Digests
from etl.duplicates import Losers
from etl.journal.keys import BY_PAYLOAD
from etl.journal.model import Known, NewRun
from etl.mapping.model import Mapping, RecordSpec, Unknown
from etl.missing import Confirmed, RunOf
from etl.pipeline import PreparedRecord
from etl.records import Mask, Rows, Status

_MARK = np.dtype([("position", "<i8"), ("kind", "u1"), ("when", "<f8")])
_DAY_SECONDS = 86_400
_ASKED_ROWS = 100_000
_ASKED_BYTES = 16 << 20
Times = npt.NDArray[np.float64]


class Memory(Confirmed, Protocol):
    """What was confirmed at one target before this run."""

    def known(self, action: str, keys: pa.Array, persons: pa.Array, besides: str = "") -> Known:
        """Return what is known of rows: `keys` their identities, `persons` their lanes (string; null: not asked).

        `besides`: a run whose own doings do not count.
        """
        ...


class Kind(IntEnum):
    """What the comparison says of a row. `AGAIN`: an event that is created again, since all is sent again."""

    UNCHANGED = 1
    GONE = 2
    ERASED = 3
    CREATED = 4
    CREATED_OTHERWISE = 5
    AGAIN = 6
    UNSETTLED = 7


MEANING: dict[Kind, tuple[Status, str, str]] = {
    Kind.UNCHANGED: (Status.UNCHANGED, "unchanged", "as confirmed on {date}"),
    Kind.GONE: (Status.UNCHANGED, "unchanged", "deleted through us on {date}"),
    Kind.ERASED: (
        Status.BLOCKED,
        "erased",
        (
            "deleted through us on {date}; an old file does not bring it back "
            "(revive: true in the mapping, or --revive, does)"
        ),
    ),
    Kind.CREATED: (Status.UNCHANGED, "unchanged", "created on {date}; no event is created twice"),
    Kind.CREATED_OTHERWISE: (
        Status.DUPLICATE,
        "event-created-before",
        "an event of this key was created on {date}, with other values; it is not created again",
    ),
    Kind.UNSETTLED: (
        Status.UNKNOWN,
        "unsettled",
        (
            "an event of this key was sent on {date}, and no answer came; it is not sent again "
            "(etl retry of that run, or unknown: retry in the mapping, does)"
        ),
    ),
}
"""Status, code and message of each kind of mark; `{date}` is UTC's."""


def _no_run(run: str) -> NewRun | None:
    return None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare with, and what to make of it.

    `only_changed`: rows whose payload was confirmed before are unchanged; `all_again`: nothing is; `revive`: whoever
    was deleted may come back, whatever the record says; `run_of`: a run by its id, None where it is not remembered any
    more; `plain_keys`: whether the journal knows the keys themselves, not only their hashes; `run`: the id of a run
    that goes on (resume, retry), whose own doings do not count, "" for a new one.
    """

    memory: Memory
    only_changed: bool = False
    all_again: bool = False
    revive: bool = False
    run_of: RunOf = _no_run
    plain_keys: bool = False
    run: str = ""

    @property
    def spares(self) -> bool:
        """Whether a row may be left alone because its payload was confirmed before."""
        return self.only_changed and not self.all_again

    def revives(self, spec: RecordSpec) -> bool:
        """Whether a record may bring back who was deleted."""
        return self.revive or spec.revive

    def asks(self, spec: RecordSpec) -> tuple[bool, bool]:
        """Return whether a record's keys, and whether its persons, need to be looked up."""
        match spec.action.name:
            case "contact.upsert":
                # A payload confirmed before a deletion counts for nothing, whoever may come back.
                return self.spares, self.spares or not self.revives(spec)
            case "contact.delete":
                return False, self.spares
            case _:
                return True, False


def comparison_of(
    mapping: Mapping, memory: Memory, *, only_changed: bool | None, all_again: bool = False, revive: bool = False,
    run_of: RunOf = _no_run, plain_keys: bool = False,
    run: str = "",
) -> Comparison:  # fmt: skip
    """Return the comparison that flags and mapping ask for; `only_changed` None: the mapping decides."""
    spares = mapping.only_changed if only_changed is None else only_changed
    return Comparison(memory, spares, all_again, revive, run_of, plain_keys, run)


@dataclass(slots=True)
class Marks:
    """What the comparison says of one record's rows. `counts`: rows by kind, the losers of duplicates left out."""

    rows: Buckets
    counts: Counter[Kind] = field(default_factory=Counter)

    def among(self, positions: Rows) -> tuple[Mask, npt.NDArray[np.uint8], Times]:
        """Return, for ascending `positions`, which of them are marked; of these the kinds, and the times meant."""
        hit, found = self.rows.find(positions)
        return hit, found["kind"], found["when"]


@dataclass(slots=True)
class _Waiting:
    """Rows of one record that are still to be looked up. Each part: keys, lanes, digests, positions."""

    parts: list[tuple[pa.Array, pa.Array, Digests, Rows]] = field(default_factory=list)
    rows: int = 0
    size: int = 0

    def add(self, keys: pa.Array, lanes: pa.Array, digests: Digests, positions: Rows) -> bool:
        """Add some rows; return whether there are enough now."""
        self.parts.append((keys, lanes, digests, positions))
        self.rows += len(positions)
        self.size += keys.nbytes + lanes.nbytes
        return self.rows >= _ASKED_ROWS or self.size >= _ASKED_BYTES

    def take(self) -> tuple[pa.Array, pa.Array, Digests, Rows]:
        """Return all rows as one, and forget them."""
        keys, lanes, digests, positions = zip(*self.parts, strict=True)
        self.parts, self.rows, self.size = [], 0, 0
        return pa.concat_arrays(keys), pa.concat_arrays(lanes), np.concatenate(digests), np.concatenate(positions)


class Comparer:
    """Compares the planned rows of a file, chunk by chunk. `folder` belongs to it, and is removed by its owner.

    Many rows are looked up at once: the more keys are asked for in order, the fewer pages of the database are read.
    """

    def __init__(self, comparison: Comparison, records: Sequence[RecordSpec], folder: Path) -> None:
        self._comparison = comparison
        self._records = records
        self._rows = [Buckets(_made(folder / f"marks-{record.number}"), _MARK) for record in records]
        self._waiting = [_Waiting() for _ in records]
        self._company = Company(_made(folder / "company"), records) if comparison.spares else None

    def close(self) -> None:
        """Close the files of what is gathered."""
        if self._company is not None:
            self._company.close()

    def compare(self, record: PreparedRecord, digests: Digests, positions: Rows) -> None:
        """Take in a record's planned rows. `digests`: of their bodies; `positions`: theirs in the run, ascending."""
        asked = any(self._comparison.asks(record.spec)) or self._company is not None
        number = record.spec.number - 1
        if len(positions) and asked and self._waiting[number].add(_keys(record), record.lanes, digests, positions):
            self._look_up(number)

    def _look_up(self, number: int) -> None:
        spec = self._records[number]
        keys, lanes, digests, positions = self._waiting[number].take()
        by_key, by_person = self._comparison.asks(spec)
        kinds, times = np.zeros(len(positions), dtype=np.uint8), np.zeros(len(positions))
        if by_key or by_person:
            none = pa.nulls(len(positions), pa.string())
            asked = keys if by_key else none, lanes if by_person else none
            kinds, times = self._judge(spec, self._known(spec, *asked), digests)
        marked = np.flatnonzero(kinds)
        if len(marked):
            marks = np.empty(len(marked), dtype=_MARK)
            marks["position"], marks["kind"], marks["when"] = positions[marked], kinds[marked], times[marked]
            self._rows[number].add(marks)
        if self._company is not None:
            self._company.add(spec, lanes, keys, positions, kinds != Kind.ERASED)

    def _known(self, spec: RecordSpec, keys: pa.Array, persons: pa.Array) -> Known:
        return self._comparison.memory.known(spec.action.name, keys, persons, self._comparison.run)

    def _judge(self, spec: RecordSpec, known: Known, digests: Digests) -> tuple[npt.NDArray[np.uint8], Times]:
        kinds = np.zeros(len(digests), dtype=np.uint8)
        same = known.payload == digests
        erased = ~np.isnan(known.erased_at)
        if spec.action.name == "contact.upsert" and self._comparison.revives(spec):
            erased[:] = False
        match spec.action.name:
            case "contact.upsert":
                kinds[same] = Kind.UNCHANGED
                kinds[erased] = Kind.ERASED
                return kinds, np.where(erased, known.erased_at, known.confirmed_at)
            case "contact.delete":
                kinds[erased] = Kind.GONE
                return kinds, known.erased_at
            case _:
                created, unsettled = ~np.isnan(known.confirmed_at), ~np.isnan(known.unsettled_at)
                if spec.unknown is not Unknown.RETRY:
                    kinds[unsettled] = Kind.UNSETTLED
                kinds[created] = np.where(same[created], Kind.CREATED, Kind.CREATED_OTHERWISE)
                if self._comparison.all_again:
                    kinds[kinds != 0] = Kind.AGAIN
                return kinds, np.where(created, known.confirmed_at, known.unsettled_at)

    def marks(self, losers: Sequence[Losers]) -> tuple[Marks, ...]:
        """Return the marks of each record, once all rows were taken in; `losers`: its duplicates, which have none."""
        for number, waiting in enumerate(self._waiting):
            if waiting.rows:
                self._look_up(number)
        together = self._company.together() if self._company is not None else ()
        found = []
        for number, (rows, lost) in enumerate(zip(self._rows, losers, strict=True)):
            marks = Marks(rows)
            for bucket, entries in rows:
                kept = entries[~lost.among(entries["position"])[0]]
                if together:
                    spared = np.isin(kept["kind"], (Kind.UNCHANGED, Kind.GONE))
                    kept = kept[~(spared & together[number].find(kept["position"])[0])]
                for kind, count in enumerate(np.bincount(kept["kind"]).tolist()):
                    marks.counts.update({Kind(kind): count} if count else {})
                rows.replace(bucket, kept[kept["kind"] != Kind.AGAIN])
            found.append(marks)
        return tuple(found)


def dates_of(times: Times) -> pa.Array:
    """Return Unix times as dates (UTC): `2026-11-23`."""
    days, which = np.unique(np.floor(times / _DAY_SECONDS).astype(np.int64), return_inverse=True)
    return pa.array(days.astype("datetime64[D]").astype(str), pa.string()).take(pa.array(which))


def _keys(record: PreparedRecord) -> pa.Array:
    """Return what the journal knows the rows by: the identity; of an event without one, its whole payload."""
    if record.spec.action.name != "event.create" or not record.identities.null_count:
        return record.identities
    return pc.coalesce(record.identities, pc.binary_join_element_wise(BY_PAYLOAD, record.bodies, ""))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
