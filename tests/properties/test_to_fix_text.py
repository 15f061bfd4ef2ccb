"""Any table of text handed back to be mended is read cell for cell as it was, and nothing in it can act as a formula."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from etl.formulas import as_it_was, inert
from etl.sent_back import REASON_COLUMN
from etl.sources.base import SourceOptions
from etl.sources.copies import copy_rows
from etl.sources.csv_file import open_tables

ODD = st.text(st.sampled_from("=+-@'\"\t;,|\\ aż1\n\r"), max_size=6) | st.sampled_from(
    ("+48601234567", "=1+1", "'=1+1", "''+1", "a;=1", "\t=1", "00950", "-", "@SUM(1)", "x\n=1", "\uff1d1")
)
CELLS = st.lists(st.tuples(*[ODD] * 3), min_size=1, max_size=8)
HEADER = ("E-mail", "Name", "+Phone")


def written(rows, delimiter, quoting, end):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([HEADER, *rows])
    return text.getvalue()


def cells_of(table):
    found = []
    for chunk in table.chunks(range(len(table.header))):
        found += [tuple(row) for row in chunk.cells[~chunk.blank].itertuples(index=False)]
    return found


def rows_in(table):
    return [int(row) for chunk in table.chunks(()) for row in chunk.rows[~chunk.blank]]


@given(
    CELLS,
    st.sampled_from(";,\t"),
    st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from(("utf-8", "utf-8-sig", "cp1250", "utf-16")),
)
def test_it_is_read_cell_for_cell_as_it_was_and_is_inert(rows, delimiter, quoting, end, encoding):
    if encoding == "cp1250":
        rows = [tuple(cell.replace("\uff1d", "=") for cell in row) for row in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "a.csv"
        path.write_bytes(written(rows, delimiter, quoting, end).encode(encoding))
        options = SourceOptions(delimiter=delimiter, encoding=encoding, header_row=1)
        (table,) = open_tables(path, "a.csv", options, 0)
        lines = rows_in(table)
        if not lines:
            return
        copy_rows(table, folder / "fix.csv", [(line, f"mend {line}") for line in lines], options)
        (again,) = open_tables(folder / "fix.csv", "fix.csv", options, 0)
        assert (again.header, cells_of(again)) == (table.header, cells_of(table))
        text = (folder / "fix.csv").read_bytes().decode("utf-8-sig" if encoding == "utf-8" else encoding)
    found = pa.array([cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row])
    assert inert(as_it_was(found)) == found


@given(CELLS, st.sampled_from(";,"))
def test_without_being_told_how_it_is_written_it_is_read_as_the_whole_file_was(rows, delimiter):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "a.csv"
        path.write_bytes(written(rows, delimiter, csv.QUOTE_MINIMAL, "\n").encode())
        options = SourceOptions(header_score=lambda cells: sum(cell in HEADER for cell in cells))
        (table,) = open_tables(path, "a.csv", options, 0)
        lines = rows_in(table)
        if table.header != HEADER or not lines:
            return
        copy_rows(table, folder / "fix.csv", [(line, "mend, or; not") for line in lines[::2]], options)
        (again,) = open_tables(folder / "fix.csv", "fix.csv", options, 0)
        assert REASON_COLUMN not in again.header
        wanted = cells_of(table)[::2]
        assert cells_of(again) == wanted
