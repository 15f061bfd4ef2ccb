"""The quick way to read text takes what it may, and says of it what csv.reader says."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.sources.csv_blocks import FIELD_LIMIT
from etl.sources.csv_plain import cells_of, columns_of
from etl.sources.header import is_blank
from etl.sources.row_marks import marks_of


def read(text: str, width: int, delimiter: str = ";", field_limit: int = FIELD_LIMIT) -> list[list[str]] | None:
    lines = list(io.StringIO(text, newline=""))
    found = columns_of(lines, delimiter, width, range(width), field_limit)
    return (
        None
        if found is None
        else [list(row) for row in zip(*(found[n].to_pylist() for n in range(width)), strict=True)]
    )


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("a;b\nc;d\n", [["a", "b"], ["c", "d"]], id="plain"),
        pytest.param("a;b\r\nc;d", [["a", "b"], ["c", "d"]], id="CR LF, and no line end at the end"),
        pytest.param('"a;1";b\n"";"x ""y"""\n', [["a;1", "b"], ["", 'x "y"']], id="cells in quotes as a whole"),
        pytest.param("\na;b\n", [["", ""], ["a", "b"]], id="an empty line, as blank as one of separators"),
        pytest.param(" a ;\n;\n", [[" a ", ""], ["", ""]], id="spaces and empty cells"),
        pytest.param("NULL;NA\nnan;#N/A\n", [["NULL", "NA"], ["nan", "#N/A"]], id="words that others take for missing"),
        pytest.param("ż\x1c;\u2028\n", [["ż\x1c", "\u2028"]], id="what only str.splitlines takes for a line end"),
    ],
)
def test_a_line_that_is_a_record_is_read(text, rows):
    assert read(text, 2) == rows


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a;b;c\n", id="a cell too many"),
        pytest.param("a\n", id="a cell too few"),
        pytest.param('"a\nb";c\n', id="a line end inside of a cell"),
        pytest.param('a";b\n', id="a quote inside of a cell"),
        pytest.param('"a"b;c\n', id="text behind a cell in quotes"),
        pytest.param('"a;b\n', id="a quote left open"),
        pytest.param("a;b\rc;d\r", id="lines that end in CR"),
        pytest.param("a;\0\n", id="a NUL"),
    ],
)
def test_what_csv_reader_must_read_is_left_to_it(text):
    assert read(text, 2) is None


def test_a_cell_beyond_the_limit_is_left_to_csv_reader():
    assert read("a;bbbbbbbb\n", 2, field_limit=5) is None


CELLS = st.sampled_from(["", "a", " ", '"', '""', '"b"', '"c;d"', '"e""f"', "\x1c", "\u3000", "ż", "\0", "\r", "\n"])


@given(
    pieces=st.lists(st.lists(st.lists(CELLS, max_size=3).map("".join), min_size=2, max_size=3), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    is_closed=st.booleans(),
)
def test_what_is_read_is_what_csv_reader_reads(pieces, end, is_closed):
    text = end.join(";".join(row) for row in pieces) + (end if is_closed else "")
    rows = read(text, 2)
    if rows is not None:
        expected = csv.reader(io.StringIO(text, newline=""), delimiter=";")
        assert rows == [row or ["", ""] for row in expected]


@given(rows=st.lists(st.lists(st.sampled_from(["", " ", "\x1c", "\u3000", "a", '""""', '""']), min_size=2, max_size=2)))
def test_a_row_is_blank_where_all_its_cells_are(rows):
    lines = [";".join(row) + "\n" for row in rows]
    found = columns_of(lines, ";", 2, [0, 1], FIELD_LIMIT)
    if lines:
        read_rows = csv.reader(lines, delimiter=";")
        marks = marks_of(found[0], lambda place: cells_of(lines[place], ";"))
        assert marks.blank.tolist() == [is_blank(row) for row in read_rows]
