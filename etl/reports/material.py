"""What an optional report is made of: the run's figures, its results.csv and issues.csv, and the person's own rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from etl.records import Mask, Rows, SourceRef

if TYPE_CHECKING:
    from etl.report import RunReport

ROWS_PER_BLOCK = 5_000
"""Rows that are held at once while a report is written."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a sheet looks, as far as it is kept.

    `above`: the rows above the header as (row number, its cells from column A on); `below`: those between the header
    and the data, which the mapping passes over, in the same form; `widths`: of columns, counted in the sheet from 0
    (A), in characters, None where a format knows none; `formats`: codes of number formats, of which the first is
    `General` (`own_values.num_format` makes of a code what XlsxWriter takes).
    """

    above: tuple[tuple[int, tuple[str, ...]], ...] = ()
    below: tuple[tuple[int, tuple[str, ...]], ...] = ()
    widths: Mapping[int, float] | None = None
    formats: tuple[str, ...] = ("General",)


@dataclass(frozen=True, slots=True)
class OwnRows:
    """Some rows of the person's table, in order. `rows`: their numbers; `texts`: of each column of the header, string.

    `typed`: by position in the header, bool, one per row: cells that the file holds as a number, a date or a boolean
    (their text is `sources.cell_text`'s); `formats`: by position, one per row: places in `Look.formats`.
    """

    rows: Rows
    texts: tuple[pa.Array, ...]
    typed: Mapping[int, Mask]
    formats: Mapping[int, npt.NDArray[np.int16]]


class OwnTable(Protocol):
    """One table of the run as the person has it, with all its columns, mapped or not."""

    @property
    def ref(self) -> SourceRef:
        """Which table of the run it is; `ref.sheet` is "" in a text file."""

    @property
    def path(self) -> Path:
        """The file, or its copy: its own name is `ref.file`."""

    @property
    def header(self) -> tuple[str, ...]:
        """The column names as they stand in the file; repeated and empty ones are kept."""

    @property
    def header_row(self) -> int:
        """The row (text file: the line) of the header; 0 if there is none."""

    @property
    def sheet_columns(self) -> tuple[int, ...]:
        """Where each column of the header stands in its sheet, from 0 (A)."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What was found out of the file: format, encoding, delimiter, sheet."""

    @property
    def data_after(self) -> int:
        """The row before the first one that can be data: the header's, or the last that the mapping passes over."""

    @property
    def reasons_at(self) -> int | None:
        """Where in the sheet the column of reasons stands (`etl.sent_back`), from 0; None: the file is no `to_fix`."""

    @property
    def copied_as(self) -> str:
        """How the name of a copy of some rows ends (`.csv`, `.tsv`, ...); "" where `copy` makes none: a workbook."""

    def copy(self, target: Path, reasons: Iterable[tuple[int, str]]) -> int:
        """Write a copy of the file that holds, of its rows, those of `reasons` (number, reason; ascending) alone.

        They are as they stand in the file. Returns how many there were. Raises SourceError, OSError.
        """

    def look(self) -> Look:
        """Return how the sheet looks. Raises SourceError, OSError."""

    def blocks(self, rows: int = ROWS_PER_BLOCK) -> Iterator[OwnRows]:
        """Yield all rows that the run has read, `rows` at most at once. Raises SourceError, OSError."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of. results.csv and issues.csv stand complete at the report's paths.

    `report.view` says what may be shown of people, and `shown` turns texts (a string array) into what it shows.
    `begin` starts a bar of so many rows, `advance` moves it; `is_interrupted`: whether somebody asked to stop: then
    `Interrupted` is raised, and what is half written is removed by who calls. `work`: an empty folder, gone afterwards.
    """

    report: RunReport
    tables: Sequence[OwnTable]
    work: Path
    shown: Callable[[pa.Array], pa.Array]
    begin: Callable[[str, int | None], None]
    advance: Callable[[int], None]
    is_interrupted: Callable[[], bool]

    @property
    def out(self) -> Path:
        """The folder of the reports."""
        return self.report.out


class Interrupted(Exception):  # noqa: N818 - it is no fault
    """Somebody asked to stop while a report was written."""


def name_of(table: OwnTable) -> str:
    """Return how a person calls a table: its sheet, else the name of its file."""
    return table.ref.sheet or Path(table.ref.file).name
