"""Files of JSON lines: one object a line; a row's number is its line, and the columns are the keys of all objects."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd
import pyarrow as pa

from etl.errors import SourceError
from etl.records import CellFault, Chunk, Mask, SourceRef, cell_frame, text_series
from etl.sent_back import REASON_COLUMN
from etl.sources.base import ROWS_PER_CHUNK, LoneTable, SourceOptions, Table, refuse_sheets
from etl.sources.encoding import Encoding, find_encoding, undecodable
from etl.sources.fingerprint import unreadable
from etl.sources.json_cells import Column, LineFault, ParsedLine, column_of, parse_line
from etl.sources.sheet_scan import MOST_COLUMNS

LINE_LIMIT = 1_000_000
"""Characters of one line; a longer one is no record."""
_BLOCK_LINES = 500  # objects that are alive at once: with 20,000 the garbage collector takes a third of the time

_SHOW = "write one object on each line (`jq -c '.[]' FILE` makes such lines of a JSON file), or save the table as .csv"


@dataclass(frozen=True, slots=True)
class JsonLinesTable(LoneTable):
    """The one table of a file of JSON lines; `keys` are the columns' paths, as `header` shows them trimmed."""

    path: Path
    ref: SourceRef
    keys: tuple[str, ...]
    encoding: Encoding
    lines: int
    skip_rows: int = 0
    comment: str | None = None
    header_row: int = 0
    is_part: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """The keys in order of their first appearance; those of nested objects joined by dots."""
        return tuple(key.strip() for key in self.keys)

    @property
    def facts(self) -> dict[str, str]:
        """Format and encoding."""
        encoding = self.encoding
        return {"format": "JSON lines", "encoding": encoding.codec, "encoding_confidence": encoding.confidence}

    @property
    def estimated_rows(self) -> int | None:
        """The number of lines, blank ones included."""
        return max(0, self.lines - self.skip_rows)

    def chunks(
        self, columns: Sequence[int], *, limit: int | None = None, rows_per_chunk: int = ROWS_PER_CHUNK
    ) -> Iterator[Chunk]:
        """Yield the lines in order (see `Table.chunks`)."""
        wanted = tuple(dict.fromkeys(columns))
        with _opened(self.path, self.encoding) as file:
            stop = None if limit is None else self.skip_rows + limit
            numbered = itertools.islice(_numbered(self.path, file), self.skip_rows, stop)
            while some := list(itertools.islice(numbered, rows_per_chunk)):
                yield self._chunk(some, wanted)

    def numbered_lines(self) -> Iterator[tuple[int, str]]:
        """Yield (number, line), with its end. Raises SourceError."""
        with _opened(self.path, self.encoding) as file:
            yield from _numbered(self.path, file)

    def _chunk(self, numbered: list[tuple[int, str]], columns: Sequence[int]) -> Chunk:
        blocks = [
            self._block(numbered[start : start + _BLOCK_LINES], columns)
            for start in range(0, len(numbered), _BLOCK_LINES)
        ]
        index = pd.Index(np.array([number for number, _ in numbered], dtype=np.int64))
        columns_of = {column: [block.columns[column] for block in blocks] for column in columns}
        cells = {
            column: text_series(pa.chunked_array([part.text for part in parts]), index)
            for column, parts in columns_of.items()
        }
        comments = np.concatenate([block.comments for block in blocks])
        return Chunk(
            source=self.ref,
            header=self.header,
            cells=cell_frame(cells, index),
            blank=np.concatenate([block.blank for block in blocks]),
            faults=tuple(itertools.chain.from_iterable(block.faults for block in blocks)),
            typed={
                column: np.concatenate([part.typed for part in parts])
                for column, parts in columns_of.items()
                if any(part.typed.any() for part in parts)
            },
            left_out={"comment-row": comments} if comments.any() else {},
        )

    def _block(self, numbered: list[tuple[int, str]], columns: Sequence[int]) -> _Block:
        comments = np.fromiter((_is_comment(line, self.comment) for _, line in numbered), np.bool_, len(numbered))
        parsed = [
            ParsedLine({}) if is_comment else _parsed(line)
            for (_, line), is_comment in zip(numbered, comments.tolist(), strict=True)
        ]
        made = {column: column_of([one.cells.get(self.keys[column]) for one in parsed]) for column in columns}
        faults: list[tuple[int, int | None, LineFault]] = [
            (place, None, fault) for place, one in enumerate(parsed) for fault in one.faults
        ]
        faults += [(place, column, fault) for column, one in made.items() for place, fault in one.faults]
        told = tuple(
            CellFault(numbered[place][0], column, fault.code, fault.value, fault.detail)
            for place, column, fault in sorted(faults, key=lambda found: found[0])
        )
        blank = np.fromiter((one.is_blank for one in parsed), np.bool_, len(parsed)) & ~comments
        return _Block(made, blank, comments, told)


@dataclass(frozen=True, slots=True)
class _Block:
    columns: dict[int, Column]
    blank: Mask
    comments: Mask
    faults: tuple[CellFault, ...]


def open_tables(path: Path, name: str, options: SourceOptions, first_index: int) -> list[Table]:
    """Return the file's one table, after reading it once for its keys.

    Raises SourceError: a sheet or a header row that was asked for, an encoding, no object at all, too many keys, a line
    of more than LINE_LIMIT characters.
    """
    _refuse(path, options)
    encoding = find_encoding(path, options.encoding)
    keys: dict[str, None] = {}
    shapes: set[tuple[str, ...]] = set()
    count = 0
    is_part = False
    with _opened(path, encoding) as file:
        for count, line in _numbered(path, file):
            if _is_comment(line, options.comment):
                continue
            cells = parse_line(line).cells
            is_part = cells.pop(REASON_COLUMN, None) is not None or is_part
            shape = tuple(cells)
            if shape not in shapes:
                shapes.add(shape)
                keys.update(dict.fromkeys(shape))
                _require_few(path, keys, count)
            if len(shapes) > MOST_COLUMNS:
                shapes.clear()
    if not keys:
        raise SourceError("no line of the file is a JSON object", code="json-lines", where=str(path), hint=_SHOW)
    ref = SourceRef(first_index, name)
    table = JsonLinesTable(path, ref, tuple(keys), encoding, count, options.skip_rows, options.comment)
    return [replace(table, is_part=is_part)]


def _refuse(path: Path, options: SourceOptions) -> None:
    refuse_sheets(path, "a file of JSON lines", options)
    if options.header_row:
        raise SourceError(
            f"the header is said to stand on line {options.header_row}, and a file of JSON lines has none",
            code="header-row",
            where=str(path),
            hint="leave `header_row` out: the keys are the columns",
        )


def _require_few(path: Path, keys: dict[str, None], line: int) -> None:
    if len(keys) > MOST_COLUMNS:
        raise SourceError(
            f"the objects down to line {line} have more than {MOST_COLUMNS:,} keys, the most columns that are read",
            code="too-many-columns",
            where=f"{path}:{line}",
            hint="a key may hold what should be a value, such as a date or an id; write it as a value",
        )


def _parsed(line: str) -> ParsedLine:
    """Return the cells of a line; the reason for which it was handed back (`etl.sent_back`) is none."""
    parsed = parse_line(line)
    parsed.cells.pop(REASON_COLUMN, None)
    return parsed


def _is_comment(line: str, comment: str | None) -> bool:
    return comment is not None and line.lstrip().startswith(comment)


def _numbered(path: Path, file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield (number, line) from 1."""
    read = functools.partial(file.readline, LINE_LIMIT + 2)
    for number, line in enumerate(iter(read, ""), start=1):
        if len(line) > LINE_LIMIT + 1 or (len(line) > LINE_LIMIT and not line.endswith(("\n", "\r"))):
            raise SourceError(
                f"line {number} has more than {LINE_LIMIT:,} characters",
                code="line-too-long",
                where=f"{path}:{number}",
                hint=_SHOW,
            )
        yield number, line


@contextmanager
def _opened(path: Path, encoding: Encoding) -> Iterator[TextIO]:
    try:
        with path.open(encoding=encoding.codec, errors="strict", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise undecodable(path, encoding.codec) from error
    except OSError as error:
        raise unreadable(path, error) from error
