"""Some records of a text file copied as they stand, the reason as the first cell of each.

The first, since a record that has too few or too many cells must stay so: behind it the reason would stand in another
column. What is copied is read back before it is kept: of a few rows, encoding and separator may look like others.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from etl.errors import SourceError
from etl.formulas import as_it_was, inert
from etl.sent_back import name_of_reasons, reason_without_header, without
from etl.sources.base import SourceOptions
from etl.sources.csv_blocks import FIELD_LIMIT
from etl.sources.csv_file import CsvTable, TextFile, open_tables
from etl.sources.dialect import NO_DELIMITER, Dialect
from etl.sources.encoding import Encoding
from etl.sources.text_out import TextOut

_ENDS = {"CRLF": "\r\n", "LF": "\n", "CR": "\r"}
_COMMON = ";,\t|"
_NO_MORE = (1 << 62, "")
_AT_ONCE = 200
"""Records that are looked at together for what could be a formula."""


def copy_records(table: CsvTable, target: Path, reasons: Iterable[tuple[int, str]], options: SourceOptions) -> int:
    """Write the records that start on the lines of `reasons` (ascending); return how many were there.

    Encoding, byte order mark, separator, quotes and line ends are the file's, and what stands above the rows is copied.
    Where the few rows would then be read in another encoding, they are written in UTF-8 with a byte order mark; where
    by another separator, below a line that names it. Raises SourceError where that helps nothing, OSError.
    """
    copier = _Copier(table)
    with target.open("wb") as stream:
        count = copier.copy(TextOut(stream, table.file.path, table.file.encoding.codec), reasons)
    for change in (None, _in_utf8, _with_sep_line):
        if change is not None and not change(table, copier.dialect, target, options):
            continue
        if _is_read_as(table, copier.dialect, target, options):
            return count
    target.unlink()
    raise SourceError(
        "of the rows to mend alone it cannot be told how they are written",
        code="copy-unreadable",
        where=str(table.file.path),
        hint="name `encoding` and `delimiter` in the mapping's `source`",
    )


@dataclass(frozen=True, slots=True)
class _Record:
    """A record on its way: as it stands, its cells; `first`: the field that comes in front, None for a title.

    `missing`: cells that the header has less than most records; `reason`: of a row to mend.
    """

    raw: str
    cells: list[str]
    first: str | None
    missing: int = 0
    reason: str = ""


@dataclass(slots=True)
class _Copier:
    table: CsvTable

    @property
    def dialect(self) -> Dialect:
        """How the copy is written: as the file, but for one column, which needs a separator from the reasons."""
        own = self.table.file.dialect
        return replace(own, delimiter=";") if own.delimiter == NO_DELIMITER else own

    def copy(self, out: TextOut, reasons: Iterable[tuple[int, str]]) -> int:
        """Write what is wanted; return how many rows of `reasons` there were."""
        found = self._chosen(out, iter(reasons))
        count = 0
        end = _ENDS.get(self.table.file.line_ends, "\n")
        while some := list(itertools.islice(found, _AT_ONCE)):
            for text in self._texts(some):
                out.write(text if text.endswith(("\n", "\r")) else f"{text}{end}")
            count += sum(bool(record.reason) for record in some)
        return count

    def _chosen(self, out: TextOut, reasons: Iterator[tuple[int, str]]) -> Iterator[_Record]:
        """Yield the records that are copied."""
        table = self.table
        line, reason = next(reasons, _NO_MORE)
        left = table.skip_rows
        last = table.header_row or int(table.file.dialect.has_sep_line)
        for start, raw, cells in _records(table.file):
            if start <= last:
                yield self._header(raw, cells) if start == table.header_row else _Record(raw, cells, None)
                continue
            if left:
                left -= 1
                yield _Record(raw, cells, "")
                continue
            while line < start:
                line, reason = next(reasons, _NO_MORE)
            if start == line:
                yield _Record(raw, cells, "", reason=self._reason(out.known(reason)))
                line, reason = next(reasons, _NO_MORE)
            if line == _NO_MORE[0]:
                return

    def _texts(self, records: Sequence[_Record]) -> Iterator[str]:
        """Yield the records so that nothing in them can act as a formula; what need not change stays as it is."""
        flat = pa.array([cell for record in records for cell in record.cells], pa.string())
        safe = inert(flat if self.table.aside is None else as_it_was(flat)).to_pylist()
        reasons = inert(pa.array([record.reason for record in records], pa.string())).to_pylist()
        at = 0
        for record, reason in zip(records, reasons, strict=True):
            own = safe[at : at + len(record.cells)]
            at += len(own)
            yield self._text(record, own, reason)

    def _text(self, record: _Record, safe: list[str], reason: str) -> str:
        table, dialect = self.table, self.dialect
        if record.first is None:
            is_sep = record.raw.lower().lstrip('"').startswith("sep=") and table.file.dialect.has_sep_line
            return record.raw if is_sep else _changed(record, safe, table.file.dialect, None)
        if table.file.dialect.delimiter == NO_DELIMITER:
            guarded = dialect.delimiter.join(quoted(cell, dialect) for cell in safe) + _split_end(record.raw)[1]
        else:
            guarded = _changed(record, safe, dialect, table.aside)
        body, end = _split_end(guarded)
        first = f"{dialect.quote}{reason}{dialect.quote}" if reason else record.first
        return f"{first}{dialect.delimiter}{body}{dialect.delimiter * record.missing}{end}"

    def _header(self, raw: str, cells: list[str]) -> _Record:
        table = self.table
        missing = table.usual_width - len(cells) if table.aside is None else 0
        return _Record(raw, cells, quoted(name_of_reasons(table.header), self.dialect), max(0, missing))

    def _reason(self, reason: str) -> str:
        """Return a reason as one line that holds neither the file's quotes nor what escapes them."""
        table, dialect = self.table, self.dialect
        text = " ".join(reason.split()).replace("\\", "/")
        text = text.replace("'", "`") if dialect.quote == "'" else text.replace('"', "'")
        return text if table.header_row else reason_without_header(text, len(table.header))


def _changed(record: _Record, safe: list[str], dialect: Dialect, aside: int | None) -> str:
    """Return a record with those cells that are not as they were, and without the one at `aside`."""
    if safe == record.cells and aside is None:
        return record.raw
    body, end = _split_end(record.raw)
    changes = zip(_fields(body, record.cells, dialect), safe, record.cells, strict=True)
    fields = [field if cell == own else quoted(cell, dialect) for field, cell, own in changes]
    return dialect.delimiter.join(without(fields, aside)) + end


def quoted(cell: str, dialect: Dialect) -> str:
    """Return a cell as a field, in quotes where it needs them."""
    quote = dialect.quote
    if not any(sign in cell for sign in f'{_COMMON}{dialect.delimiter}{quote}"\r\n') and cell == cell.strip():
        return cell
    if dialect.is_escaped:
        return quote + cell.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
    return quote + cell.replace(quote, quote * 2) + quote


def _records(file: TextFile) -> Iterator[tuple[int, str, list[str]]]:
    """Yield of each record the line on which it starts, its text as it stands, and its cells. Raises SourceError."""
    csv.field_size_limit(FIELD_LIMIT)
    dialect = file.dialect
    taken: list[str] = []

    def told(lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield dialect.doubled(line) if dialect.is_escaped else line

    start = 1
    with file.lines() as lines:
        for cells in csv.reader(told(lines), delimiter=dialect.delimiter, quotechar=dialect.quote):
            raw, count = "".join(taken), len(taken)
            taken.clear()
            yield start, raw, cells
            start += count


def _fields(body: str, cells: list[str], dialect: Dialect) -> list[str]:
    """Return the fields of a record as they stand; written anew where they cannot be told apart by a look."""
    quote, sign = re.escape(dialect.quote), re.escape(dialect.delimiter)
    inside = rf"(?:[^{quote}\\]|\\.)*" if dialect.is_escaped else rf"(?:[^{quote}]|{quote}{quote})*"
    fields = body.split(dialect.delimiter)
    if fields == cells:
        return fields
    if dialect.quote in body:
        pattern = re.compile(rf"(?:{quote}{inside}{quote}|[^{sign}]*)(?:{sign}|\Z)", re.DOTALL)
        fields = [found.removesuffix(dialect.delimiter) for found in pattern.findall(f"{body}{dialect.delimiter}")[:-1]]
    each = [cell for field in fields for cell in _cells(field, dialect) or [""]]
    if each == cells == _cells(dialect.delimiter.join(fields), dialect):
        return fields
    return [quoted(cell, dialect) for cell in cells]


def _cells(text: str, dialect: Dialect) -> list[str]:
    text = dialect.doubled(text) if dialect.is_escaped else text
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote)
    return next(reader, [])


def _split_end(raw: str) -> tuple[str, str]:
    body = raw.removesuffix("\n").removesuffix("\r") if raw.endswith("\n") else raw.removesuffix("\r")
    return body, raw[len(body) :]


def _is_read_as(table: CsvTable, dialect: Dialect, target: Path, options: SourceOptions) -> bool:
    """Whether the copy is read as the table was: the same columns, separator, quotes and letters."""
    try:
        found = open_tables(target, table.ref.file, options, table.ref.index)[0]
    except SourceError:
        return False
    if not isinstance(found, CsvTable):
        return False
    same = (found.header, found.aside, bool(found.header_row)) == (table.header, 0, bool(table.header_row))
    own, new = table.file.encoding, found.file.encoding
    letters = new.codec in (own.codec, "utf-8-sig") or new.confidence == "ASCII alone"
    return same and letters and replace(found.file.dialect, has_sep_line=False) == replace(dialect, has_sep_line=False)


def _in_utf8(table: CsvTable, _dialect: Dialect, target: Path, options: SourceOptions) -> bool:
    """Write the copy anew in UTF-8 with a byte order mark, where nobody has said in which encoding it is."""
    if options.encoding is not None or table.file.encoding.codec == "utf-8-sig":
        return False
    _rewrite(target, table.file.encoding, "")
    return True


def _with_sep_line(table: CsvTable, dialect: Dialect, target: Path, options: SourceOptions) -> bool:
    """Write the copy anew below a line that names its separator, where nobody counts its lines."""
    if options.header_row or options.delimiter or table.file.dialect.has_sep_line:
        return False
    end = _ENDS.get(table.file.line_ends, "\n")
    codec = "utf-8-sig" if target.read_bytes()[:3] == b"\xef\xbb\xbf" else table.file.encoding.codec
    _rewrite(target, replace(table.file.encoding, codec=codec), f"sep={dialect.delimiter}{end}")
    return True


def _rewrite(target: Path, encoding: Encoding, above: str) -> None:
    part = target.with_name(f"{target.name}.part")
    with (
        target.open(encoding=encoding.codec, newline="") as source,
        part.open("w", encoding="utf-8-sig", newline="") as copy,
    ):
        copy.write(above)
        while block := source.read(1 << 20):
            copy.write(block)
    part.replace(target)
