"""to_fix.csv, to_fix.xlsx, ...: only the rows to mend, in the form in which they came, to be mended and sent in.

The column of reasons is the first one: the first thing to see, and in a text file the only place where it moves no cell
of a row that has too few or too many. Readers take it off again (`etl.sent_back`).

What a workbook holds is written with its types: .xlsx with number formats and widths as they were; .xls, .xlsb and .ods
become .xlsx. So does Parquet, which no person can mend: in a workbook its numbers and dates stay numbers and dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain, groupby
from pathlib import Path, PurePath

from etl.records import Status
from etl.reports.advice import advice
from etl.reports.fix_workbook import FixSheet, FixWorkbook
from etl.reports.material import Interrupted, Material, OwnRows, OwnTable
from etl.reports.row_notes import RowNote, RowNotes
from etl.reports.workbook_names import sheet_names
from etl.view import View

NAME = "to_fix"
TO_MEND = (Status.INVALID, Status.REJECTED)
"""What a person can do something about; a row of which no record is so is not in the file."""
_UNFIT = re.compile(r"[^\w.-]+")


def write(material: Material) -> Sequence[Path]:
    """Write a file for each file of the run that has rows to mend; return their paths.

    Nothing in a view other than `full`: masks must never be sent. Raises OSError, SourceError, Interrupted; what is
    half written is removed then.
    """
    if material.report.view is not View.FULL or not _any_to_mend(material):
        return ()
    names = _names(material.tables)
    made: list[Path] = []
    material.begin("writing to_fix", material.report.rows)
    try:
        with RowNotes.of_run(material.report, [table.ref for table in material.tables]) as notes:
            for file, tables in groupby(material.tables, key=lambda table: table.ref.file):
                made.append(material.out / names[file])
                if not _write_file(material, notes, list(tables), made[-1]):
                    made.pop().unlink(missing_ok=True)
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    return tuple(made)


def _any_to_mend(material: Material) -> bool:
    return any(material.report.counts.get(status.value) for status in TO_MEND)


def _names(tables: Sequence[OwnTable]) -> dict[str, str]:
    """Return the name for each file: `to_fix.csv`, or where there are several, `to_fix-orders.csv`."""
    suffixes = {table.ref.file: table.copied_as or ".xlsx" for table in tables}
    if len(suffixes) == 1:
        return {file: f"{NAME}{suffix}" for file, suffix in suffixes.items()}
    names: dict[str, str] = {}
    for file, suffix in suffixes.items():
        stem = _UNFIT.sub("_", PurePath(file).name.partition(".")[0]).strip("._") or "file"
        own, number = f"{NAME}-{stem}{suffix}", 1
        while own.casefold() in {name.casefold() for name in names.values()}:
            number += 1
            own = f"{NAME}-{stem}-{number}{suffix}"
        names[file] = own
    return names


def _write_file(material: Material, notes: RowNotes, tables: Sequence[OwnTable], path: Path) -> bool:
    """Write the rows of one file; False where it has none to mend."""
    found = [_found(material, notes, table) for table in tables]
    # The lines of results.csv go by once, so no table is looked at before its turn.
    if tables[0].copied_as:
        reasons = ((row, reason) for rows, told in found[0] for row, reason in _by_row(rows, told))
        first = next(reasons, None)
        return first is not None and tables[0].copy(path, chain((first,), reasons)) > 0
    sheets = sheet_names([table.ref.sheet for table in tables])
    with closing(FixWorkbook(path, material.work)) as book:
        for table, name, blocks in zip(tables, sheets, found, strict=True):
            sheet: FixSheet | None = None
            for rows, told in blocks:
                sheet = sheet or book.sheet(name, table)
                sheet.write(rows, told)
        is_empty = book.is_empty
    return not is_empty


def _by_row(rows: OwnRows, told: dict[int, str]) -> Iterator[tuple[int, str]]:
    return ((int(rows.rows[place]), reason) for place, reason in told.items())


def _found(material: Material, notes: RowNotes, table: OwnTable) -> Iterator[tuple[OwnRows, dict[int, str]]]:
    """Yield the blocks that have rows to mend, with the reasons by place."""
    for rows in table.blocks():
        if material.is_interrupted():
            raise Interrupted
        known = notes.of(table.ref, rows.rows)
        told = {place: reason_of(note) for place, note in known.of.items() if is_to_mend(note)}
        material.advance(len(rows.rows))
        if told:
            yield rows, told


def is_to_mend(note: RowNote) -> bool:
    """Whether one of the row's records is invalid, or was rejected."""
    return any(one.status in TO_MEND for one in note.results)


def reason_of(note: RowNote) -> str:
    """Return what is wrong and how to mend it, in one line."""
    return " | ".join(" ".join(line.split()) for line in advice(note))
