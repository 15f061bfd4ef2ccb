"""A workbook of rows to mend, written row by row in constant memory: typed cells, formats and widths as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.reports.advice import readable
from etl.reports.material import OwnRows, OwnTable
from etl.reports.own_values import Value, num_format, values_of
from etl.sent_back import kept_apart, name_of_reasons, reason_without_header

LONGEST = 32_767
"""Characters of a cell of Excel; a longer text is cut by it when the file is opened."""
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_REASON_WIDTH = 60
_SHADE = "#FFF4CE"


class FixWorkbook:
    """Sheets with rows to mend. Close it; `is_empty`: no sheet was begun, and there is no file."""

    def __init__(self, path: Path, work: Path) -> None:
        """Begin the file; `work`: a folder for the rows, which are put aside until it is closed."""
        import xlsxwriter

        self._book = xlsxwriter.Workbook(str(path), {**_OPTIONS, "tmpdir": str(work)})
        self.is_empty = True

    def sheet(self, name: str, table: OwnTable) -> FixSheet:
        """Begin the sheet of a table: what stands above its rows."""
        self.is_empty = False
        return FixSheet(self._book, name, table)

    def close(self) -> None:
        """Finish the file. Raises OSError."""
        if not self.is_empty:
            self._book.close()


class FixSheet:
    """One sheet; the person's columns stand one further to the right, behind the reasons."""

    def __init__(self, book: Any, name: str, table: OwnTable) -> None:
        self._table, self._look = table, table.look()
        self._sheet = book.add_worksheet(name)
        self._formats = [
            None if code == "General" else book.add_format({"num_format": num_format(code)})
            for code in self._look.formats
        ]
        self._reason = book.add_format({"bg_color": _SHADE, "text_wrap": True, "valign": "top"})
        self._heading = book.add_format({"bg_color": _SHADE, "bold": True})
        # What is no sheet (Parquet) has names, and no row of them.
        self._header_at = table.header_row or int(not table.ref.sheet)
        self._next = self._begin()

    def write(self, rows: OwnRows, reasons: Mapping[int, str]) -> None:
        """Append the rows at the places of `reasons` (ascending)."""
        places = list(reasons)
        wanted = pa.array(places, pa.int64())
        columns = [self._values(rows, position, wanted, places) for position in range(len(self._table.header))]
        formats = [rows.formats.get(position) for position in range(len(columns))]
        for number, place in enumerate(places):
            self._tell(reasons[place])
            for position, values in enumerate(columns):
                own = formats[position]
                style = None if own is None else self._formats[own[place]]
                self._put(self._place(self._table.sheet_columns[position]), values[number], style)
            self._next += 1

    def _begin(self) -> int:
        """Write widths, and the rows above those of data; return the row of the first one (from 0)."""
        table, look = self._table, self._look
        self._sheet.set_column(0, 0, _REASON_WIDTH)
        for column, width in sorted((look.widths or {}).items()):
            if column != table.reasons_at:
                self._sheet.set_column(self._place(column), self._place(column), width)
        for row, cells in look.above:
            self._put_row(row, range(len(cells)), cells)
        if self._header_at:
            self._sheet.write_string(self._header_at - 1, 0, name_of_reasons(table.header), self._heading)
            self._put_row(self._header_at, table.sheet_columns, table.header)
            self._sheet.freeze_panes(self._header_at, 1)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        for row, cells in look.below:
            self._put_row(row, range(len(cells)), cells)
        return self._header_at + table.data_after - table.header_row

    def _put_row(self, row: int, columns: Sequence[int], cells: Sequence[str]) -> None:
        self._next = row - 1
        for column, cell in zip(columns, kept_apart(pa.array(cells, pa.string())).to_pylist(), strict=True):
            if cell and column != self._table.reasons_at:
                self._put(self._place(column), cell, None)

    def _place(self, column: int) -> int:
        """Return where a column of the person's sheet goes; that of earlier reasons makes room for the new one."""
        earlier = self._table.reasons_at
        return column + 1 if earlier is None or column < earlier else column

    def _tell(self, reason: str) -> None:
        if not self._header_at:
            reason = reason_without_header(reason, len(self._table.header))
        self._sheet.write_string(self._next, 0, reason[:LONGEST], self._reason)

    def _values(self, rows: OwnRows, position: int, wanted: pa.Array, places: Sequence[int]) -> list[Value]:
        typed, own = rows.typed.get(position), rows.formats.get(position)
        return values_of(
            kept_apart(rows.texts[position].take(wanted)),
            None if typed is None else typed[places],
            None if own is None else own[places],
            self._look.formats,
        )

    def _put(self, column: int, value: Value, style: Any) -> None:
        row, sheet = self._next, self._sheet
        if isinstance(value, str):
            if value:
                sheet.write_string(row, column, readable(value)[:LONGEST], style)
            elif style is not None:
                sheet.write_blank(row, column, None, style)
        elif isinstance(value, bool):
            sheet.write_boolean(row, column, value, style)
        elif isinstance(value, date | timedelta):
            sheet.write_datetime(row, column, value, style)
        else:
            sheet.write_number(row, column, value, style)
