"""What every reader of a file offers: tables, each with a header and chunks of raw text.

A reader decides nothing about meaning. It says which table (file, sheet) it holds, where the header stands, and gives
the rows in order, with the row numbers that a person sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from etl.errors import SourceError
from etl.records import Chunk, SourceRef

ROWS_PER_CHUNK = 20_000
"""Rows of a chunk: large enough that a column's cost outweighs a call's, small enough for flat memory."""

HeaderScore = Callable[[Sequence[str]], int]
"""How well a row of cells serves as the header (0: not at all): the number of mapped columns it holds."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a mapping or a flag pins about a file; None: found out by looking at it.

    `sheets`: names, positions from 1 (`2`), patterns (`Region *`) or `all`, in this order; None: the one sheet that
    serves best. `header_row`: the row or line number that a person sees; 0 for `none` (columns are then A, B, C, ...).
    `skip_rows`: rows after the header to pass over. `header_score`: finds header row and sheet where not pinned.
    `hidden_rows`, `hidden_columns`: whether these are read (False: rows are left out, columns are not in the header).
    `comment`: what a row starts with that is none. `total_rows`: whether a row of totals is read as any other.
    """

    sheets: tuple[str, ...] | None = None
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    skip_rows: int = 0
    header_score: HeaderScore | None = None
    hidden_rows: bool = True
    hidden_columns: bool = True
    comment: str | None = None
    total_rows: bool = True


class Table(Protocol):
    """One table of one file: a text file, or a sheet of a workbook."""

    @property
    def ref(self) -> SourceRef:
        """Which table of the run this is."""

    @property
    def header(self) -> tuple[str, ...]:
        """The column names as they stand in the file, trimmed; repeated and empty ones are kept."""

    @property
    def header_row(self) -> int:
        """The row (text file: the line) of the header; 0 if there is none."""

    @property
    def facts(self) -> dict[str, str]:
        """What was found out, for people: format, encoding, delimiter, sheet."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a person should read before sending: hidden rows, a filter that is on, merged cells."""

    @property
    def first_column(self) -> int:
        """Where the table starts in its sheet, from 0 (A)."""

    @property
    def sheet_columns(self) -> tuple[int, ...]:
        """Where each column of the header stands in its sheet, from 0 (A); some in between may be left out."""

    @property
    def rivals(self) -> tuple[str, ...]:
        """Sheets that are not read and whose header serves as well as this one's."""

    @property
    def is_part(self) -> bool:
        """Whether it holds rows alone that were handed back to be mended (`etl.sent_back`), and is no full export."""

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are, for a progress bar; None if nothing is known."""

    @property
    def spanned_rows(self) -> int:
        """Rows that a workbook merely spans (gaps, blank tails) and `chunks` did not list; known after reading."""

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the rows in order, with the cells of `columns` (positions in the header).

        May be called several times; each call reads the file anew. Raises SourceError.
        """


class _HasHeader(Protocol):
    @property
    def header(self) -> tuple[str, ...]: ...


class LoneTable:
    """What every table answers the same way whose format knows no sheets: for the formats to inherit.

    A subclass has `header`; its columns start in the first one and follow each other.
    """

    __slots__ = ()
    first_column = 0
    spanned_rows = 0
    is_part = False
    notes: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()

    @property
    def sheet_columns(self: _HasHeader) -> tuple[int, ...]:
        """One after the other."""
        return tuple(range(len(self.header)))


def no_sheets(path: Path) -> tuple[str, ...]:
    """Return an empty tuple: the file is one table."""
    del path
    return ()


def refuse_sheets(path: Path, what: str, options: SourceOptions) -> None:
    """Raise SourceError where a sheet is asked for of a file that has none; `what`: the file, as in "a text file"."""
    if options.sheets is not None:
        raise SourceError(
            f"{what} has no sheets, and sheet '{options.sheets[0]}' was asked for",
            code="sheet-unknown",
            where=str(path),
            hint="leave the sheet out, or name the workbook",
        )
