"""What is kept of a file's bad cells, so that a remedy can be tried on them: a few values of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.damage import arrow
from etl.issues import WHOLE_ROW, IssueBatch
from etl.mapping.binding import Binding
from etl.mapping.model import RecordSpec
from etl.pipeline import Prepared
from etl.records import STATUSES, Mask, Status

KEPT = 200
"""Different values of a kind of issue, and good ones of its field; and the rows of a file's start."""
_LONGEST, _MOST_KINDS, _LOOKED_AT = 500, 100, 2_000
_SKIPPED = STATUSES.index(Status.SKIPPED)

Kind = tuple[int, str, str]
"""Record (from 1), field and code of an issue."""


@dataclass(slots=True)
class Sample:
    """The raw cells behind one kind of issue. `bad`: value → rows seen with it; `rows`: of the issue, in all.

    `position`: of their one column in the header that `binding` belongs to. `spec`: the record as it was run, with
    what the table's cells have proved.
    """

    record: int
    path: str
    code: str
    position: int
    binding: Binding
    spec: RecordSpec
    rows: int = 0
    bad: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Samples:
    """Gathers the samples of a whole run, chunk by chunk. `head`: the first rows of the first table, by position."""

    by_kind: dict[Kind, Sample] = field(default_factory=dict)
    good: dict[tuple[int, str], dict[str, None]] = field(default_factory=dict)
    head: pd.DataFrame = field(default_factory=pd.DataFrame)
    binding: Binding | None = None

    def take(self, prepared: Prepared, binding: Binding) -> None:
        """Look at a chunk that was judged."""
        if self.binding is None:
            self.binding, self.head = binding, prepared.chunk.cells.head(KEPT)
        fields = set()
        for batch in prepared.issues:
            if batch.record != WHOLE_ROW and batch.field and len(batch.columns) == 1 and len(batch):
                self._take_bad(prepared, batch, binding)
                fields.add((batch.record, batch.field, batch.columns[0]))
        for record, path, position in fields:
            self._take_good(prepared, record, path, position)

    def _take_bad(self, prepared: Prepared, batch: IssueBatch, binding: Binding) -> None:
        kind = (batch.record, batch.field, batch.code)
        sample = self.by_kind.get(kind)
        if sample is None:
            if len(self.by_kind) >= _MOST_KINDS:
                return
            sample = self.by_kind[kind] = Sample(
                *kind, batch.columns[0], binding, prepared.records[batch.record - 1].spec
            )
        sample.rows += len(batch)
        if len(sample.bad) >= KEPT or binding.header[batch.columns[0]] != sample.binding.header[sample.position]:
            return
        places = batch.places[_as_text(prepared, batch.columns[0])[batch.places]]
        cells = arrow(prepared.chunk.cells[batch.columns[0]]).take(pa.array(places))
        for counted in pc.value_counts(cells).to_pylist():
            value = counted["values"]
            if len(value) <= _LONGEST:
                sample.bad[value] = sample.bad.get(value, 0) + counted["counts"]
            if len(sample.bad) >= KEPT:
                return

    def _take_good(self, prepared: Prepared, record: int, path: str, position: int) -> None:
        good = self.good.setdefault((record, path), {})
        if len(good) >= KEPT:
            return
        sound = (prepared.records[record - 1].status != _SKIPPED) & _as_text(prepared, position)
        for batch in prepared.issues:
            if batch.field == path and batch.record == record:
                sound[batch.places] = False
        places = np.flatnonzero(sound)[:_LOOKED_AT]
        for value in pc.unique(arrow(prepared.chunk.cells[position]).take(pa.array(places))).to_pylist():
            if value and len(value) <= _LONGEST and len(good) < KEPT:
                good[value] = None


def _as_text(prepared: Prepared, position: int) -> Mask:
    """Return the cells that are text in the file: a number or a date of a workbook can be read in one way alone."""
    typed = prepared.chunk.typed.get(position)
    return np.ones(len(prepared.chunk.blank), dtype=np.bool_) if typed is None else ~typed
