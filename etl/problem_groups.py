"""Issues → groups that a person looks at: what is wrong in which column, with which values, and where it begins.

Gathered while the rows are judged, whole columns at a time; memory grows with the kinds of issues, never with the rows.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import letters_at
from etl.issues import IssueBatch
from etl.records import POSITION_BITS, Rows, SourceRef
from etl.report import Example, ProblemGroup

MOST_VALUES, MOST_VALUES_OF_A_LATER_KIND = 1_000, 20
"""Different values of a kind that are counted exactly; beyond them the most frequent ones are, from below."""
MANY_KINDS = 50
"""Kinds after which the next keep few values: a file of ten thousand bad columns is no reason to hold all of them."""
LONGEST = 200
"""Characters of a value that are kept."""
SHOWN_VALUES, EXAMPLES = 10, 3
_FEW = 4
_NO_TEXTS = 2
"""Null and ""."""
_PLAIN_SHEET = re.compile(r"[^\W\d][\w.]*")
_BY_DOMAIN = "email-typo"
"""Addresses are all different; what is mistyped, and stands there again and again, is what follows the @."""

Key = tuple[int, str, str, str, str]
"""Record (0: the whole row), field, code, severity, and the names of the source columns."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk's rows stand: what is needed to name a cell as a person does.

    `rows`: their numbers; `columns`: of each position in `header` the sheet's column, from 0; `names_file`: whether
    there are several files, so that each place tells its own.
    """

    source: SourceRef
    rows: Rows
    header: Sequence[str]
    columns: int | Sequence[int] = 0
    names_file: bool = False

    def of(self, row: int, positions: Sequence[int]) -> str:
        """Return the name of the cells at `positions` in a row: `Contacts!F1042`, `row 17, column "Country"`."""
        sheet = self.source.sheet
        if sheet and positions:
            told = f"{_quoted(sheet)}!" + ", ".join(f"{letters_at(one, self.columns)}{row}" for one in positions)
        elif sheet:
            told = f"{sheet}, row {row}"
        else:
            told = f"row {row}"
        if self.names_file:
            told += f" of {Path(self.source.file).name}"
        if sheet or not positions:
            return told
        names = ", ".join(f'"{self.header[one]}"' if self.header[one] else letters_at(one, 0) for one in positions)
        return f"{told}, {'column' if len(positions) == 1 else 'columns'} {names}"


@dataclass(slots=True)
class Tally:
    """The most frequent texts of many: exact up to `most` different ones, beyond them counts are lower bounds.

    `distinct`: how many different ones there are, None where they are too many to be counted.
    """

    most: int = MOST_VALUES
    counts: dict[str, int] = field(default_factory=dict)
    is_exact: bool = True

    def add(self, values: pa.Array) -> None:
        """Count texts (string); null and "" are none."""
        if len(values) <= _FEW:
            self._take((value, 1) for value in values.to_pylist() if value)
            return
        if pc.max(pc.binary_length(values)).as_py() in {None, 0}:
            return
        found = pc.value_counts(values)
        texts, counts = found.field(0), found.field(1)
        if len(texts) > self.most + _NO_TEXTS:
            self.is_exact = False
            most = self.most + _NO_TEXTS
            frequent = np.argpartition(-counts.to_numpy(), most)[:most]
            chosen = pa.array(np.sort(frequent))
            texts, counts = texts.take(chosen), counts.take(chosen)
        self._take(zip(texts.to_pylist(), counts.to_pylist(), strict=True))

    def _take(self, counted: Iterator[tuple[str | None, int]]) -> None:
        for value, count in counted:
            if not value:
                continue
            if len(value) > LONGEST:
                self.is_exact = False
                value = f"{value[:LONGEST]}…"
            self.counts[value] = self.counts.get(value, 0) + count
        if len(self.counts) > self.most:
            self.is_exact = False
            if len(self.counts) > 2 * self.most:
                self.counts = dict(heapq.nlargest(self.most, self.counts.items(), key=lambda item: item[1]))

    @property
    def distinct(self) -> int | None:
        """How many different texts were counted, None where they are too many."""
        return len(self.counts) if self.is_exact else None

    def top(self, count: int) -> tuple[tuple[str, int], ...]:
        """Return the `count` most frequent texts with their counts, of equally frequent ones by the alphabet."""
        return tuple(heapq.nsmallest(count, self.counts.items(), key=lambda item: (-item[1], item[0])))


@dataclass(slots=True)
class _Group:
    tally: Tally
    hint: str
    count: int = 0
    examples: list[tuple[int, Example]] = field(default_factory=list)


class Groups:
    """Gathers the groups of a whole run, chunk by chunk."""

    def __init__(self) -> None:
        self._by_key: dict[Key, _Group] = {}
        self._texts: dict[tuple[str, ...], str] = {}

    def take(self, batches: Sequence[IssueBatch], place: Place) -> None:
        """Count the issues of a chunk; `batches` count their places in `place.rows`."""
        for batch in batches:
            if len(batch):
                self._add(batch, place)

    def _add(self, batch: IssueBatch, place: Place) -> None:
        columns = ", ".join([place.header[position] for position in batch.columns])
        key = (batch.record, batch.field, batch.code, batch.severity.value, columns)
        group = self._by_key.get(key)
        if group is None:
            most = MOST_VALUES if len(self._by_key) < MANY_KINDS else MOST_VALUES_OF_A_LATER_KIND
            group = self._by_key[key] = _Group(Tally(most), batch.hint)
        group.count += len(batch)
        group.tally.add(_counted(batch))
        first = (place.source.index << POSITION_BITS) | int(place.rows[0])
        if len(group.examples) < EXAMPLES or group.examples[-1][0] >= first:
            _show(group, batch, place)

    def found(self, suggestions: Mapping[Key, str] | None = None) -> tuple[ProblemGroup, ...]:
        """Return the groups, the most frequent first; `suggestions`: what would mend them, by group."""
        told = suggestions or {}
        ranked = sorted(self._by_key.items(), key=lambda item: -item[1].count)
        return tuple(
            ProblemGroup(
                code=key[2], field=key[1], column=key[4], severity=key[3], count=group.count, hint=group.hint,
                values=group.tally.top(SHOWN_VALUES), distinct=group.tally.distinct,
                examples=tuple(example for _, example in group.examples), suggestion=told.get(key, ""), record=key[0],
            )
            for key, group in ranked
        )  # fmt: skip

    def frequent(self, kinds: int, values: int) -> Iterator[tuple[Key, int, tuple[tuple[str, int], ...]]]:
        """Yield key, count and most frequent values of the most frequent groups."""
        ranked = sorted(self._by_key.items(), key=lambda item: -item[1].count)
        for key, group in ranked[:kinds]:
            yield key, group.count, group.tally.top(values)


def _counted(batch: IssueBatch) -> pa.Array:
    if batch.code != _BY_DOMAIN:
        return batch.values
    return pc.replace_substring_regex(batch.values, r"^.*@", "@")


def _show(group: _Group, batch: IssueBatch, place: Place) -> None:
    """Take the batch's first issues as examples, where they stand before those that are there."""
    for at in np.argsort(batch.places, kind="stable")[:EXAMPLES].tolist():
        row = int(place.rows[batch.places[at]])
        value = batch.values[at].as_py() or ""
        message = batch.messages[at].as_py()
        where = place.of(row, batch.columns)
        position = (place.source.index << POSITION_BITS) | row
        group.examples.append((position, Example(where, value, message)))
    group.examples.sort(key=lambda one: one[0])
    del group.examples[EXAMPLES:]


def _quoted(sheet: str) -> str:
    """Return a sheet's name as it stands in a reference: in quotes unless it is one plain word."""
    return sheet if _PLAIN_SHEET.fullmatch(sheet) else "'" + sheet.replace("'", "''") + "'"
