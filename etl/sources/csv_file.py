"""Tables in text form: any of the usual encodings and delimiters, found out by looking at the file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import pyarrow as pa

from etl.cells import column_letters
from etl.errors import SourceError
from etl.records import Chunk, SourceRef, text_series
from etl.sources.base import ROWS_PER_CHUNK, SourceOptions, Table
from etl.sources.csv_blocks import FIELD_LIMIT, Block, RecordReader, UnclosedQuoteError, Widths
from etl.sources.dialect import Dialect, delimiter_of, find_dialect
from etl.sources.encoding import find_encoding, undecodable
from etl.sources.fingerprint import unreadable
from etl.sources.header import SEARCHED_ROWS, find_header, is_blank
from etl.sources.kinds import empty_file

_SAMPLE_CHARACTERS = 1 << 18
_BLOCK_RECORDS = 4_000  # fits the processor's cache; a ragged record slows its own block alone
_SEARCHED_RECORDS = 5_000


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The one table of a text file; `usual_width` is the number of cells that most of its first records have."""

    path: Path
    ref: SourceRef
    header: tuple[str, ...]
    header_row: int
    encoding: str
    dialect: Dialect
    skip_rows: int
    usual_width: int
    first_column: int = 0
    spanned_rows: int = 0

    @property
    def facts(self) -> dict[str, str]:
        """Format, encoding and delimiter."""
        return {"format": "csv", "encoding": self.encoding, "delimiter": self.dialect.name}

    @property
    def notes(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def rivals(self) -> tuple[str, ...]:
        """None: a text file is one table."""
        return ()

    @property
    def estimated_rows(self) -> int | None:
        """The rows that the file would have if all its lines were as long as the first ones."""
        with self.path.open("rb") as file:
            sample = file.read(_SAMPLE_CHARACTERS)
        lines = sample.count(b"\n") or sample.count(b"\r")
        return round(self.path.stat().st_size * lines / len(sample)) if lines else None

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the rows in order (see `Table.chunks`). A quote that is never closed raises SourceError at its end."""
        width = len(self.header)
        named = [place for place, name in enumerate(self.header, start=1) if name]
        widths = Widths(width, max(named) if named and self.header_row else width, self.usual_width)
        with _translated(self.path, self.encoding, self.dialect), _open(self.path, self.encoding) as file:
            reader = self._after_header(file)
            left = limit
            while left is None or left > 0:
                size = rows_per_chunk if left is None else min(rows_per_chunk, left)
                blocks = list(_blocks(reader, size, widths, tuple(dict.fromkeys(columns))))
                if not blocks:
                    return
                chunk = self._chunk(blocks)
                yield chunk
                left = None if left is None else left - len(chunk.blank)

    def _after_header(self, file: TextIO) -> RecordReader:
        reader = RecordReader(file, self.dialect.delimiter)
        records = reader.records()
        last_line = self.header_row or int(self.dialect.has_sep_line)
        while reader.line < last_line and next(records, None) is not None:
            pass
        for _ in itertools.islice(records, self.skip_rows):
            pass
        return reader

    def _chunk(self, blocks: list[Block]) -> Chunk:
        index = pd.Index(np.concatenate([block.starts for block in blocks]), dtype="int64")
        cells = {
            column: text_series(pa.chunked_array([block.columns[column] for block in blocks]), index)
            for column in blocks[0].columns
        }
        return Chunk(
            source=self.ref,
            header=self.header,
            cells=pd.DataFrame(cells, index=index, columns=pd.Index(list(cells), dtype="int64")),
            blank=np.concatenate([block.blank for block in blocks]),
            faults=tuple(itertools.chain.from_iterable(block.faults for block in blocks)),
        )


def open_tables(path: Path, name: str, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the file's one table. Raises SourceError (encoding, delimiter, header row, a sheet asked for)."""
    if options.sheets is not None:
        raise SourceError(
            f"a text file has no sheets, and sheet '{options.sheets[0]}' was asked for",
            code="sheet-unknown",
            where=str(path),
            hint="leave the sheet out, or name the workbook",
        )
    delimiter = None if options.delimiter is None else delimiter_of(options.delimiter)
    if options.delimiter is not None and delimiter is None:
        raise SourceError(
            f"'{options.delimiter}' cannot separate columns",
            code="delimiter",
            where=str(path),
            hint="use one character, such as ; or the word tab",
        )
    encoding = find_encoding(path, options.encoding)
    dialect = _dialect(path, encoding, delimiter)
    with _translated(path, encoding, dialect):
        header, row = _header(path, encoding, dialect, options)
        width = _usual_width(path, encoding, dialect, row)
    table = CsvTable(path, SourceRef(first_index, name), header, row, encoding, dialect, options.skip_rows, width)
    return [table]


def list_sheets(path: Path) -> tuple[str, ...]:
    """Return an empty tuple: a text file has no sheets."""
    del path
    return ()


def _dialect(path: Path, encoding: str, pinned: str | None) -> Dialect:
    with _open(path, encoding) as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    if not sample:
        raise empty_file(path)
    return find_dialect(sample, is_whole=len(sample) < _SAMPLE_CHARACTERS, pinned=pinned)


def _header(path: Path, encoding: str, dialect: Dialect, options: SourceOptions) -> tuple[tuple[str, ...], int]:
    """Return the header and its line (0: none)."""
    with _open(path, encoding) as file:
        records = RecordReader(file, dialect.delimiter).records()
        if dialect.has_sep_line:
            next(records, None)
        if options.header_row:
            return _pinned_header(path, records, options.header_row)
        head = itertools.islice(records, _SEARCHED_RECORDS)
        rows = list(itertools.islice(((line, row) for line, row in head if not is_blank(row)), SEARCHED_ROWS))
    if options.header_row == 0:
        widths = [len(row) for _, row in rows] or [1]
        return tuple(map(column_letters, range(max(widths, key=widths.count)))), 0
    place = find_header([row for _, row in rows], options.header_score)
    if place is None:
        raise SourceError(
            "the file holds blank lines alone", code="file-empty", where=str(path), hint="export the table again"
        )
    line, row = rows[place]
    return tuple(cell.strip() for cell in row), line


def _usual_width(path: Path, encoding: str, dialect: Dialect, header_row: int) -> int:
    """Return the number of cells that most of the first records after the header have; 0 if there are none."""
    with _open(path, encoding) as file:
        records = RecordReader(file, dialect.delimiter).records()
        data = (len(row) for line, row in records if line > header_row and not is_blank(row))
        widths = list(itertools.islice(data, SEARCHED_ROWS))
    return max(widths, key=widths.count) if widths else 0


def _pinned_header(path: Path, records: Iterator[tuple[int, list[str]]], pinned: int) -> tuple[tuple[str, ...], int]:
    line = 0
    for line, row in records:
        if line == pinned:
            return tuple(cell.strip() for cell in row), line
        if line > pinned:
            break
    reason = f"no record starts on line {pinned}" if line > pinned else f"the file has no line {pinned}"
    raise SourceError(
        f"the header is said to stand on line {pinned}, and {reason}",
        code="header-row",
        where=str(path),
        hint="correct `header_row`, or leave it out",
    )


def _blocks(reader: RecordReader, size: int, widths: Widths, columns: Sequence[int]) -> Iterator[Block]:
    while size > 0:
        block = reader.block(min(size, _BLOCK_RECORDS), widths, columns)
        if block is None:
            return
        if len(block.starts):
            size -= len(block.starts)
            yield block


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="strict", newline="")


@contextmanager
def _translated(path: Path, encoding: str, dialect: Dialect) -> Iterator[None]:
    """Turn what reading raises into SourceError."""
    try:
        yield
    except UnclosedQuoteError as error:
        raise _unclosed(path, encoding, dialect, error) from error
    except UnicodeDecodeError as error:
        raise undecodable(path, encoding) from error
    except OSError as error:
        raise unreadable(path, error) from error


def _unclosed(path: Path, encoding: str, dialect: Dialect, error: UnclosedQuoteError) -> SourceError:
    line = _start_of_fault(path, encoding, dialect)
    if error.is_too_long:
        message = f"the record that starts on line {line} has a cell of more than {FIELD_LIMIT:,} characters"
    else:
        message = f"a quote opened in the record that starts on line {line} is never closed"
    return SourceError(
        message,
        code="quote-unclosed",
        where=f"{path}:{line}",
        hint='look there for a " too many or too few; inside of a quoted cell it is written ""',
    )


def _start_of_fault(path: Path, encoding: str, dialect: Dialect) -> int:
    """Read the file again, record by record: a block does not know at which of its records reading stopped."""
    with _open(path, encoding) as file:
        reader = RecordReader(file, dialect.delimiter)
        try:
            for _ in reader.records():
                pass
        except UnclosedQuoteError as error:
            return error.line
    return reader.line
