"""Tables in text form: any of the usual encodings and delimiters, found out by looking at the file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import pyarrow as pa

from etl.cells import column_letters
from etl.errors import SourceError
from etl.formulas import as_it_was
from etl.records import CellFault, Chunk, Mask, Rows, SourceRef, cell_frame, text_series
from etl.sent_back import columns_beside, place_of_reasons, place_without_header
from etl.sources.base import ROWS_PER_CHUNK, LoneTable, SourceOptions, Table, refuse_sheets
from etl.sources.csv_blocks import FIELD_LIMIT, Block, RecordReader, UnclosedQuoteError, Widths
from etl.sources.dialect import Dialect, delimiter_of, find_dialect, line_ends
from etl.sources.encoding import Encoding, find_encoding, undecodable
from etl.sources.fingerprint import unreadable
from etl.sources.header import SEARCHED_ROWS, find_header, is_blank
from etl.sources.kinds import empty_file

_SAMPLE_CHARACTERS = 1 << 18
_BLOCK_RECORDS = 4_000  # fits the processor's cache; a ragged record slows its own block alone
_SEARCHED_RECORDS = 5_000


@dataclass(frozen=True, slots=True)
class TextFile:
    """How a text file is to be read. `line_ends`: how those of its first lines end; `comment`: see SourceOptions."""

    path: Path
    encoding: Encoding
    dialect: Dialect
    line_ends: str = ""
    comment: str | None = None

    @contextmanager
    def reader(self) -> Iterator[RecordReader]:
        """Open the file; what reading it raises becomes SourceError."""
        with self.lines() as lines:
            yield self._reader(lines)

    @contextmanager
    def lines(self) -> Iterator[TextIO]:
        """Open the file for its lines, with their ends; what reading it raises becomes SourceError."""
        codec = self.encoding.codec
        try:
            with _open(self.path, codec) as lines:
                yield lines
        except UnclosedQuoteError as error:
            raise self._unclosed(error) from error
        except UnicodeDecodeError as error:
            raise undecodable(self.path, codec) from error
        except OSError as error:
            raise unreadable(self.path, error) from error

    def is_comment(self, row: Sequence[str]) -> bool:
        """Whether the row is one that `comment` makes no data."""
        return self.comment is not None and bool(row) and row[0].strip().startswith(self.comment)

    def _reader(self, lines: Iterable[str]) -> RecordReader:
        return RecordReader(lines, self.dialect, comment=self.comment, has_nuls=self.encoding.nuls > 0)

    def _unclosed(self, error: UnclosedQuoteError) -> SourceError:
        line = self._start_of_fault()
        quote = self.dialect.quote
        if error.is_too_long:
            message = f"the record that starts on line {line} has a cell of more than {FIELD_LIMIT:,} characters"
        else:
            message = f"a quote opened in the record that starts on line {line} is never closed"
        return SourceError(
            message,
            code="quote-unclosed",
            where=f"{self.path}:{line}",
            hint=f"look there for a {quote} too many or too few; inside of a quoted cell it is written {quote * 2}",
        )

    def _start_of_fault(self) -> int:
        """Read the file again, record by record: a block does not know at which of its records reading stopped."""
        with _open(self.path, self.encoding.codec) as lines:
            reader = self._reader(lines)
            try:
                for _ in reader.records():
                    pass
            except UnclosedQuoteError as error:
                return error.line
        return reader.line


@dataclass(frozen=True, slots=True)
class CsvTable(LoneTable):
    """The one table of a text file; `usual_width` is the number of cells that most of its first records have.

    `aside`: the place of the cell that is no data in each record (`etl.sent_back`), which then counts in that width.
    """

    file: TextFile
    ref: SourceRef
    header: tuple[str, ...]
    header_row: int
    skip_rows: int
    usual_width: int
    reads_totals: bool = True
    aside: int | None = None

    @property
    def is_part(self) -> bool:  # type: ignore[override]
        """Whether there are reasons."""
        return self.aside is not None

    @property
    def sheet_columns(self) -> tuple[int, ...]:
        """One after the other, but for the place of the cells that are no data."""
        return tuple(self._places(range(len(self.header))))

    @property
    def facts(self) -> dict[str, str]:
        """Format, encoding with its confidence, delimiter, quotes, line ends."""
        file = self.file
        return {
            "format": "csv",
            "encoding": file.encoding.codec,
            "encoding_confidence": file.encoding.confidence,
            "delimiter": file.dialect.name,
            "quote": file.dialect.quoting,
            "line_ends": file.line_ends or "none",
        }

    @property
    def head(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """The records down to the first of the data, as (line, cells). Raises SourceError."""
        found: list[tuple[int, tuple[str, ...]]] = []
        with self.file.reader() as reader:
            records = reader.records()
            last = self.header_row or int(self.file.dialect.has_sep_line)
            while reader.line < last and (record := next(records, None)) is not None:
                found.append((record[0], tuple(record[1])))
            found += [(line, tuple(row)) for line, row in itertools.islice(records, self.skip_rows)]
        return tuple(found)

    @property
    def estimated_rows(self) -> int | None:
        """The rows that the file would have if all its lines were as long as the first ones."""
        with self.file.path.open("rb") as file:
            sample = file.read(_SAMPLE_CHARACTERS)
        lines = sample.count(b"\n") or sample.count(b"\r")
        return round(self.file.path.stat().st_size * lines / len(sample)) if lines else None

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the rows in order (see `Table.chunks`). A quote that is never closed raises SourceError at its end."""
        extra = int(self.aside is not None)
        width = len(self.header) + extra
        named = [place for place, name in enumerate(self.header, start=1 + extra) if name]
        least = max(named) if named and self.header_row else width
        widths = Widths(width, least, self.usual_width, self.aside)
        with self.file.reader() as reader:
            self._pass_header(reader)
            left = limit
            while left is None or left > 0:
                size = rows_per_chunk if left is None else min(rows_per_chunk, left)
                blocks = list(_blocks(reader, size, widths, tuple(self._places(columns))))
                if not blocks:
                    return
                chunk = self._chunk(blocks, columns)
                yield chunk
                left = None if left is None else left - len(chunk.blank)

    def _pass_header(self, reader: RecordReader) -> None:
        records = reader.records()
        last_line = self.header_row or int(self.file.dialect.has_sep_line)
        while reader.line < last_line and next(records, None) is not None:
            pass
        for _ in itertools.islice(records, self.skip_rows):
            pass

    def _places(self, columns: Sequence[int]) -> dict[int, int]:
        """Return by the place in a record the column that stands there."""
        shift = len(self.header) if self.aside is None else self.aside
        return {column + (column >= shift): column for column in columns}

    def _chunk(self, blocks: list[Block], columns: Sequence[int]) -> Chunk:
        index = pd.Index(np.concatenate([block.starts for block in blocks]), dtype="int64")
        texts = {
            column: pa.chunked_array([block.columns[place] for block in blocks])
            for place, column in self._places(columns).items()
        }
        if self.aside is not None:
            texts = {column: as_it_was(text.combine_chunks()) for column, text in texts.items()}
        cells = {column: text_series(text, index) for column, text in texts.items()}
        rows = np.asarray(index, dtype=np.int64)
        totals = _totals(blocks)
        comments = [block.marks.comments for block in blocks if block.marks.comments is not None]
        masks = {"comment-row": np.concatenate(comments)} if comments else {}
        if not self.reads_totals:
            masks["total-row"] = np.isin(rows, [row for row, _ in totals])
        left_out = {reason: mask for reason, mask in masks.items() if mask.any()}
        faults = list(itertools.chain.from_iterable(block.faults for block in blocks))
        if self.reads_totals:
            faults += [CellFault(row, None, "total-row", label) for row, label in totals]
        return Chunk(
            source=self.ref,
            header=self.header,
            cells=cell_frame(cells, index),
            blank=np.concatenate([block.marks.blank for block in blocks]),
            faults=_kept(faults, rows, left_out),
            left_out=left_out,
        )


def _totals(blocks: list[Block]) -> list[tuple[int, str]]:
    """Return (row, its first filled cell) of the totals."""
    return [(int(block.starts[place]), label) for block in blocks for place, label in block.marks.totals]


def _kept(faults: list[CellFault], rows: Rows, left_out: dict[str, Mask]) -> tuple[CellFault, ...]:
    """Return the faults, in order of their rows, without those of rows that are left out: they are no data."""
    gone = {row for mask in left_out.values() for row in rows[mask].tolist()} if faults else set()
    return tuple(sorted((fault for fault in faults if fault.row not in gone), key=lambda fault: fault.row))


def open_tables(path: Path, name: str, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the file's one table. Raises SourceError (encoding, delimiter, header row, a sheet asked for)."""
    refuse_sheets(path, "a text file", options)
    delimiter = None if options.delimiter is None else delimiter_of(options.delimiter)
    if options.delimiter is not None and delimiter is None:
        raise SourceError(
            f"'{options.delimiter}' cannot separate columns",
            code="delimiter",
            where=str(path),
            hint="use one character, such as ; or the word tab",
        )
    file = _look(path, find_encoding(path, options.encoding), delimiter, options.comment)
    header, row = _header(file, options)
    width = _usual_width(file, row)
    ref = SourceRef(first_index, name)
    table = CsvTable(file, ref, header, row, options.skip_rows, width, options.total_rows)
    return [_sent_back(table)]


def _sent_back(table: CsvTable) -> CsvTable:
    """Return the table without the column of reasons, where it was handed back with one."""
    # These are the odd rows of a file, so what most of them have says nothing.
    if not table.header_row:
        found = _first_reason(table)
        if found is None:
            return table
        aside, count = found
        return replace(table, header=tuple(map(column_letters, range(count))), usual_width=count + 1, aside=aside)
    place = place_of_reasons(table.header)
    if place is None:
        return table
    own = as_it_was(pa.array(columns_beside(table.header, place), pa.string())).to_pylist()
    return replace(table, header=tuple(own), usual_width=len(table.header), aside=place)


def _look(path: Path, encoding: Encoding, delimiter: str | None, comment: str | None) -> TextFile:
    with _open(path, encoding.codec) as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    if not sample:
        raise empty_file(path)
    dialect = find_dialect(sample, is_whole=len(sample) < _SAMPLE_CHARACTERS, pinned=delimiter)
    return TextFile(path, encoding, dialect, line_ends(sample), comment)


def _header(file: TextFile, options: SourceOptions) -> tuple[tuple[str, ...], int]:
    """Return the header and its line (0: none)."""
    with file.reader() as reader:
        records = reader.records()
        if file.dialect.has_sep_line:
            next(records, None)
        if options.header_row:
            return _pinned_header(file.path, records, options.header_row)
        head = itertools.islice(records, _SEARCHED_RECORDS)
        filled = ((line, row) for line, row in head if not is_blank(row) and not file.is_comment(row))
        rows = list(itertools.islice(filled, SEARCHED_ROWS))
    if options.header_row == 0:
        widths = [len(row) for _, row in rows] or [1]
        return tuple(map(column_letters, range(max(widths, key=widths.count)))), 0
    place = find_header([row for _, row in rows], options.header_score)
    if place is None:
        raise SourceError(
            "the file holds blank lines alone", code="file-empty", where=str(file.path), hint="export the table again"
        )
    line, row = rows[place]
    return _names(file.path, line, row), line


def _first_reason(table: CsvTable) -> tuple[int, int] | None:
    """Return where the reasons stand in a file without a header, and how many columns are beside them."""
    with table.file.reader() as reader:
        records = itertools.islice(reader.records(), len(table.head), _SEARCHED_RECORDS)
        first = next((row for _, row in records if not is_blank(row)), [])
    return place_without_header(first)


def _names(path: Path, line: int, row: Sequence[str]) -> tuple[str, ...]:
    if any("\0" in cell for cell in row):
        raise SourceError(
            f"the header on line {line} holds a NUL character",
            code="nul-character",
            where=f"{path}:{line}",
            hint="export the table again, or delete the character in an editor",
        )
    return tuple(cell.strip() for cell in row)


def _usual_width(file: TextFile, header_row: int) -> int:
    """Return the number of cells that most of the first records after the header have; 0 if there are none."""
    with file.reader() as reader:
        records = ((line, row) for line, row in reader.records() if line > header_row)
        data = (len(row) for _, row in records if not is_blank(row) and not file.is_comment(row))
        widths = list(itertools.islice(data, SEARCHED_ROWS))
    return max(widths, key=widths.count) if widths else 0


def _pinned_header(path: Path, records: Iterator[tuple[int, list[str]]], pinned: int) -> tuple[tuple[str, ...], int]:
    line = 0
    for line, row in records:
        if line == pinned:
            return _names(path, line, row), line
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
