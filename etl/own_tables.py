"""The person's own tables, read once more for the reports that show them: all columns, mapped or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import SourceError
from etl.issues import as_text
from etl.job import BoundTable, Job, source_options
from etl.own_looks import KIND_FORMATS, kinds_of, zero_formats
from etl.records import Chunk, SourceRef
from etl.reports.material import ROWS_PER_BLOCK, Look, OwnRows
from etl.sources import copies
from etl.sources.csv_file import CsvTable
from etl.sources.kinds import XLSX
from etl.sources.sheet_formats import SheetFormats, read_formats
from etl.sources.workbook_table import WorkbookTable

ERROR_CELL, WITHOUT_RESULT = "error-cell", "formula-without-value"
NO_RESULT = "#N/A"


@dataclass(slots=True)
class _Limit:
    """The rows that the run has read: so many of all tables together, None for all."""

    tables: tuple[BoundTable, ...]
    rows: int | None
    _counts: list[int] = field(default_factory=list)

    def of(self, place: int) -> int | None:
        """Return how many rows of the table at `place` have been read at most."""
        if self.rows is None:
            return None
        while len(self._counts) < place:
            table = self.tables[len(self._counts)]
            left = self.rows - sum(self._counts)
            with table.file.named():
                self._counts.append(sum(len(chunk.blank) for chunk in table.table.chunks((), limit=left)))
        return max(0, self.rows - sum(self._counts[:place]))


@dataclass(slots=True)
class BoundOwnTable:
    """One table of a job."""

    bound: BoundTable
    _limit: _Limit
    _place: int
    _formats: SheetFormats | None = None

    @property
    def ref(self) -> SourceRef:
        """Which table of the run it is."""
        return self.bound.table.ref

    @property
    def path(self) -> Path:
        """The file, or its copy."""
        return self.bound.file.path

    @property
    def header(self) -> tuple[str, ...]:
        """The column names as they stand in the file."""
        return self.bound.table.header

    @property
    def header_row(self) -> int:
        """The row of the header; 0 if there is none."""
        return self.bound.table.header_row

    @property
    def sheet_columns(self) -> tuple[int, ...]:
        """Where each column of the header stands in its sheet, from 0 (A)."""
        return self.bound.table.sheet_columns

    @property
    def facts(self) -> Mapping[str, str]:
        """What was found out of the file."""
        return self.bound.table.facts

    @property
    def data_after(self) -> int:
        """The row before the first one that can be data."""
        return self.header_row + self.bound.plan.mapping.source.skip_rows

    @property
    def reasons_at(self) -> int | None:
        """Where in the sheet the column of reasons stands, if there is one."""
        table = self.bound.table
        return table.aside if isinstance(table, CsvTable | WorkbookTable) else None

    @property
    def copied_as(self) -> str:
        """How a copy of some rows is called at its end (`.csv`, `.tsv`, ...); "" for a workbook, which is made anew."""
        return copies.suffix_of(self.bound.table, self.bound.file.name)

    def copy(self, target: Path, reasons: Iterable[tuple[int, str]]) -> int:
        """Write a copy that holds only the rows of `reasons`. Raises SourceError, OSError."""
        self._require_untouched()
        options = source_options(self.bound.plan.mapping, None)
        with self.bound.file.named():
            return copies.copy_rows(self.bound.table, target, reasons, options)

    def look(self) -> Look:
        """Return how the sheet looks."""
        table = self.bound.table
        if not isinstance(table, CsvTable | WorkbookTable):
            return Look(formats=KIND_FORMATS)
        with self.bound.file.named():
            head = table.head
            above = tuple((row, cells) for row, cells in head if row < self.header_row)
            below = tuple((row, cells) for row, cells in head if row > self.header_row)
            if isinstance(table, WorkbookTable) and table.kind == XLSX:
                formats = self._own_formats(table)
                return Look(above, below, formats.widths, formats.codes)
        zeros = zero_formats(table.scan.zeros) if isinstance(table, WorkbookTable) else ()
        return Look(above, below, None, KIND_FORMATS + zeros)

    def blocks(self, rows: int = ROWS_PER_BLOCK) -> Iterator[OwnRows]:
        """Yield all rows that the run has read. Raises SourceError, OSError."""
        self._require_untouched()
        places = range(len(self.header))
        look = self.look().formats
        with self.bound.file.named():
            chunks = self.bound.table.chunks(places, limit=self._limit.of(self._place), rows_per_chunk=rows)
            for chunk in chunks:
                texts = _with_errors([as_text(chunk.cells[place]) for place in places], chunk)
                yield OwnRows(chunk.rows, texts, chunk.typed, self._formats_of(chunk, texts, look))

    def _require_untouched(self) -> None:
        """Raise SourceError where the row numbers of the run may be those of other rows by now."""
        if not self.bound.file.is_untouched():
            raise SourceError(
                "the file changed since it was read, so its rows are not shown",
                code="file-changed",
                where=self.bound.file.name,
                hint="run again when nothing writes to it",
            )

    def _formats_of(
        self, chunk: Chunk, texts: Sequence[pa.Array], look: Sequence[str]
    ) -> dict[int, npt.NDArray[np.int16]]:
        table = self.bound.table
        if isinstance(table, WorkbookTable) and table.kind == XLSX:
            own = self._own_formats(table)
            columns = enumerate(table.sheet_columns)
            found = {place: own.of(chunk.rows, column) for place, column in columns}
        else:
            found = {place: kinds_of(texts[place], mask, look) for place, mask in chunk.typed.items()}
        return {place: formats for place, formats in found.items() if formats.any()}

    def _own_formats(self, table: WorkbookTable) -> SheetFormats:
        if self._formats is None:
            self._formats = read_formats(self.path, table.part)
        return self._formats


def _with_errors(texts: list[pa.Array], chunk: Chunk) -> tuple[pa.Array, ...]:
    """Return the columns with a word in each cell that holds an error, or a formula without a result: read as blank.

    A cell that became blank in a report, and is handed in again so, would be sent as if nothing had been wrong with it;
    an error's word is refused.
    """
    errors: dict[int, dict[int, str]] = {}
    for fault in chunk.faults:
        word = fault.value if fault.code == ERROR_CELL else NO_RESULT if fault.code == WITHOUT_RESULT else ""
        if fault.column is not None and word:
            errors.setdefault(fault.column, {})[fault.row] = word
    for place, found in errors.items():
        rows = np.fromiter(found, np.int64, len(found))
        mask = np.isin(chunk.rows, rows)
        words = pa.array([found[row] for row in chunk.rows[mask].tolist()], texts[place].type)
        texts[place] = pc.replace_with_mask(texts[place], pa.array(mask), words)
    return tuple(texts)


def own_tables(job: Job) -> tuple[BoundOwnTable, ...]:
    """Return the tables of a job."""
    limit = _Limit(job.tables, job.limit)
    return tuple(BoundOwnTable(bound, limit, place) for place, bound in enumerate(job.tables))
