"""annotated.xlsx: the person's own sheets with what is wrong in them, behind a first sheet that sums it all up.

Written where a row has an issue, or was not delivered. Rows are held one at a time (XlsxWriter's constant memory);
what is held until the end are comments, 50,000 a sheet at most. All texts are text cells: nothing is a formula or a
link, and there is nothing to be repaired when it is opened.
"""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.records import Status
from etl.release import PROGRAM
from etl.reports.annotated_sheet import MOST_COMMENTS, TableSheet
from etl.reports.annotated_summary import NAME, SheetFacts, SummarySheet
from etl.reports.material import ROWS_PER_BLOCK, Interrupted, Material, OwnRows, OwnTable, name_of
from etl.reports.row_notes import OPEN, RowNotes
from etl.reports.workbook_names import sheet_names
from etl.reports.workbook_style import DEFAULTS, Styles
from etl.view import View
from etl.wording import plural

if TYPE_CHECKING:
    from etl.report import RunReport

FILE = "annotated.xlsx"
MOST_ROWS = 100_000
"""Rows of all sheets; in a file of more only those with issues are shown, and of these so many."""
MOST_CELLS = 20_000_000
"""Cells of all sheets, with the same consequence: a hundred thousand rows of a thousand columns take half an hour."""
_CELLS_PER_BLOCK = 200_000
_ROWS_PER_BLOCK = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown; `comments`: of one sheet."""

    rows: int = MOST_ROWS
    cells: int = MOST_CELLS
    comments: int = MOST_COMMENTS


def write(material: Material, limits: Limits = Limits()) -> Sequence[Path]:
    """Write annotated.xlsx into the folder of the reports; return its path, nothing where nothing is wrong.

    Raises OSError, SourceError, Interrupted; a half-written file is left in none of these cases.
    """
    if not _has_something_to_say(material.report):
        return ()
    path, part = material.out / FILE, material.work / FILE
    with _workbook(part, material.work) as book:
        styles = Styles(book)
        summary = SummarySheet(book, book.add_worksheet(NAME), styles, material.report)
        sheets = () if material.report.view is View.AGGREGATE else _tables(material, book, styles, limits)
        summary.write(sheets)
    part.replace(path)
    return (path,)


def _has_something_to_say(report: RunReport) -> bool:
    return bool(report.errors or report.warnings or any(report.counts.get(status) for status in OPEN))


@contextmanager
def _workbook(path: Path, work: Path) -> Iterator[Any]:
    """Yield a workbook that is written when the block ends, and thrown away if it fails."""
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import XlsxFileError

    book = Workbook(
        str(path),
        {
            "constant_memory": True,
            "tmpdir": str(work),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": dict(DEFAULTS),
        },
    )
    book.set_properties({"title": "What became of the file", "author": PROGRAM})
    try:
        yield book
        book.close()
    except XlsxFileError as error:
        cause = error.args[0] if error.args else None
        raise cause if isinstance(cause, OSError) else OSError(errno.EFBIG, str(error)) from error
    finally:
        for sheet in book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()


def _tables(material: Material, book: Any, styles: Styles, limits: Limits) -> list[SheetFacts]:
    report, tables = material.report, material.tables
    cells = report.rows * max((len(table.header) for table in tables), default=0)
    only_open = report.rows > limits.rows or cells > limits.cells
    names = sheet_names([name_of(table) for table in tables], taken=[NAME])
    facts, left = [], limits.rows
    material.begin(f"writing {FILE}", report.rows)
    # Of so many rows those that merely were not sent would bury the others.
    open_as = [status for status in OPEN if not only_open or status is not Status.BLOCKED]
    with RowNotes.of_run(report, [table.ref for table in tables], open_as) as notes:
        for table, name in zip(tables, names, strict=True):
            sheet = TableSheet(
                book.add_worksheet(name), table, styles, only_open=only_open,
                is_masked=report.view is not View.FULL, most=left, most_comments=limits.comments,
            )  # fmt: skip
            sheet.begin()
            with closing(_blocks(material, table)) as blocks:
                for rows in blocks:
                    sheet.write(rows, notes.of(table.ref, rows.rows))
                    if sheet.is_full:
                        break
            sheet.end()
            left -= sheet.written
            facts.append(_facts(sheet, name, limits))
    return facts


def _blocks(material: Material, table: OwnTable) -> Generator[OwnRows, None, None]:
    """Yield the rows of a table as they may be shown. Raises Interrupted, SourceError, OSError."""
    size = max(1, min(_ROWS_PER_BLOCK, ROWS_PER_BLOCK, _CELLS_PER_BLOCK // max(1, len(table.header))))
    for rows in table.blocks(size):
        if material.is_interrupted():
            raise Interrupted
        if material.report.view is not View.FULL:
            rows = OwnRows(rows.rows, tuple(material.shown(texts) for texts in rows.texts), {}, {})
        yield rows
        material.advance(len(rows.rows))


def _facts(sheet: TableSheet, name: str, limits: Limits) -> SheetFacts:
    left, notes = sheet.left, []
    if sheet.only_open:
        notes.append(
            f"The file has more than {limits.rows:,} rows, or very many columns, so only the rows with issues are "
            "here; the column Row tells where each stands in the file."
        )
    elif not sheet.keeps_rows:
        notes.append("The file has no row for the header, so the column Row tells where each row stands in the file.")
    if sheet.is_full:
        notes.append(f"No more than {limits.rows:,} rows are shown in all: issues.csv has every row with an issue.")
    if left.rows:
        notes.append(f"{left.rows:,} {plural(left.rows, 'row')} did not fit: a sheet ends with row 1,048,576.")
    if left.columns:
        notes.append(
            f"The last {left.columns} {plural(left.columns, 'column')} did not fit beside the columns in front: "
            "what is wrong there stands in the second column."
        )
    if left.comments:
        notes.append(
            f"{left.comments:,} more cells have no comment, as a workbook with so many opens slowly: "
            "what is wrong there stands in the second column."
        )
    if left.texts:
        notes.append(
            f"{left.texts:,} {plural(left.texts, 'text')} longer than the 32,767 characters that a cell holds "
            f"{'was' if left.texts == 1 else 'were'} cut."
        )
    return SheetFacts(name, Path(sheet.table.ref.file).name, sheet.written, tuple(notes))
