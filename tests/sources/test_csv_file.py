from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from table_files import faults_of, open_one, read, rows_of, write

from etl.errors import SourceError
from etl.records import TEXT, CellFault


def test_rows_carry_the_line_on_which_their_record_starts(tmp_path: Path) -> None:
    path = write(tmp_path, b'name;note\nA;"one\ntwo\r\nthree"\nB;x\n"C\rC";y\nD;z')

    table = open_one(path)

    assert (table.header, table.header_row) == (("name", "note"), 1)
    assert rows_of(read(table)) == {
        2: ["A", "one\ntwo\r\nthree"],
        5: ["B", "x"],
        6: ["C\rC", "y"],
        8: ["D", "z"],
    }


def test_text_stays_what_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b;c;d;e\nNA;null;TRUE;00-950;+48 601\n 1e5 ;1.50;nan;None;-0\n")

    [chunk] = read(open_one(path))

    assert rows_of([chunk]) == {
        2: ["NA", "null", "TRUE", "00-950", "+48 601"],
        3: [" 1e5 ", "1.50", "nan", "None", "-0"],
    }
    assert set(chunk.cells.dtypes) == {TEXT}
    assert chunk.cells.index.dtype == "int64"


def test_only_the_columns_asked_for_are_handed_out(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b;c\n1;2;3\n")

    [chunk] = open_one(path).chunks([2, 0, 2])

    assert chunk.cells.columns.equals(pd.Index([2, 0]))
    assert rows_of([chunk]) == {2: ["3", "1"]}


def test_rows_can_be_counted_without_any_column(tmp_path: Path) -> None:
    [chunk] = open_one(write(tmp_path, b"a;b\n1;2\n;\n")).chunks([])

    assert chunk.cells.shape == (2, 0)
    assert chunk.rows.tolist() == [2, 3]
    assert chunk.blank.tolist() == [False, True]


def test_a_ragged_row_is_a_fault_and_stays_a_row(tmp_path: Path) -> None:
    path = write(tmp_path, b"a;b;c\n1;2\n1;2;3\n1;2;3;4\n1\n")

    chunks = read(open_one(path))

    assert faults_of(chunks) == [
        CellFault(2, None, "ragged-row", detail="2 cells where the header has 3"),
        CellFault(4, None, "ragged-row", detail="4 cells where the header has 3"),
        CellFault(5, None, "ragged-row", detail="1 cell where the header has 3"),
    ]
    assert rows_of(chunks) == {2: ["1", "2", ""], 3: ["1", "2", "3"], 4: ["1", "2", "3"], 5: ["1", "", ""]}


def test_a_short_row_and_a_long_one_do_not_make_up_for_each_other(tmp_path: Path) -> None:
    chunks = read(open_one(write(tmp_path, b"a;b;c\n1;2\n1;2;3;4\n1;2;3\n1;2;3\n")))

    assert [fault.row for fault in faults_of(chunks)] == [2, 3]


@pytest.mark.parametrize(
    "content",
    [b"a;b\n1;2;;\n3;4; ;\n", b"a;b;;\n1;2\n3;4;\n"],
    ids=["empty cells beyond the header", "cells missing under columns without a name"],
)
def test_empty_cells_at_the_end_are_no_fault(tmp_path: Path, content: bytes) -> None:
    assert faults_of(read(open_one(write(tmp_path, content)))) == []


def test_blank_lines_are_rows_and_the_last_line_end_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, "a;b\n1;2\n\n;;;;;\n \u00a0;\t\n3;4\n".encode())

    chunks = read(open_one(path))

    assert [number for chunk in chunks for number in chunk.rows] == [2, 3, 4, 5, 6]
    assert [bool(blank) for chunk in chunks for blank in chunk.blank] == [False, True, True, True, False]
    assert faults_of(chunks) == []


def test_a_row_is_blank_by_all_its_cells_not_by_those_asked_for(tmp_path: Path) -> None:
    [chunk] = open_one(write(tmp_path, b"a;b\n;2\n;\n")).chunks([0])

    assert chunk.blank.tolist() == [False, True]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_any_line_end_will_do(tmp_path: Path, ends: str) -> None:
    path = write(tmp_path, ends.join(["a;b", "1;2", "3;4", ""]).encode())

    assert rows_of(read(open_one(path))) == {2: ["1", "2"], 3: ["3", "4"]}


def test_a_sep_line_counts_as_a_line(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"sep=;\r\na;b\r\n1;2\r\n"))

    assert (table.header, table.header_row) == (("a", "b"), 2)
    assert rows_of(read(table)) == {3: ["1", "2"]}


def test_the_last_row_needs_no_line_end(tmp_path: Path) -> None:
    assert rows_of(read(open_one(write(tmp_path, b'a;b\n1;"2"')))) == {2: ["1", "2"]}


def test_a_header_alone_has_no_chunks(tmp_path: Path) -> None:
    assert read(open_one(write(tmp_path, b"a;b\n"))) == []


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"], ids=["no byte", "a byte order mark alone"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert str(caught.value) == f"{path}: the file is empty\n  hint: export the table again   [file-empty]"


def test_blank_lines_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the file holds blank lines alone"):
        open_one(write(tmp_path, b"\n \n\n"))


@pytest.mark.parametrize("rows_per_chunk", [1, 3, 100, 101, 1000])
@pytest.mark.parametrize(
    "last",
    ['5;"x;y\nz;w', '5;"x;""y\n', '5;"', '"', '5;"\n\n'],
    ids=["text", "doubled", "at the end", "alone", "empty"],
)
def test_a_quote_that_is_never_closed_is_named_with_its_line(tmp_path: Path, last: str, rows_per_chunk: int) -> None:
    path = write(tmp_path, b"a;b\n" + b"1;2\n" * 100 + last.encode())
    table = open_one(path)

    with pytest.raises(SourceError) as caught:
        read(table, rows_per_chunk=rows_per_chunk)

    assert str(caught.value) == (
        f"{path}:102: a quote opened in the record that starts on line 102 is never closed\n"
        '  hint: look there for a " too many or too few; inside of a quoted cell it is written ""   [quote-unclosed]'
    )


def test_a_cell_beyond_a_million_characters_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, b'a;b\n1;2\n3;"' + b"x\n" * 600_000 + b'"\n')

    with pytest.raises(SourceError, match="starts on line 3 has a cell of more than 1,000,000 characters"):
        read(open_one(path))


def test_title_lines_above_the_header_are_passed_over(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"Contacts 2024\n\nE-mail;First;City\nanna@example.com;Anna;X\n"))

    assert (table.header, table.header_row) == (("E-mail", "First", "City"), 3)


def test_the_header_can_be_pinned_by_its_line(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b'x;"1\n2"\na;b\n1;2\n'), header_row=3)

    assert table.header == ("a", "b")
    assert rows_of(read(table)) == {4: ["1", "2"]}


@pytest.mark.parametrize(
    ("line", "reason"),
    [(2, "no record starts on line 2"), (9, "the file has no line 9")],
)
def test_a_pinned_header_that_is_not_there_is_refused(tmp_path: Path, line: int, reason: str) -> None:
    with pytest.raises(SourceError, match=f"the header is said to stand on line {line}, and {reason}"):
        open_one(write(tmp_path, b'x;"1\n2"\na;b\n1;2\n'), header_row=line)


def test_without_a_header_the_columns_are_letters(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"1;2;3\n4;5;6\n"), header_row=0)

    assert (table.header, table.header_row) == (("A", "B", "C"), 0)
    assert list(rows_of(read(table))) == [1, 2]


def test_rows_after_the_header_can_be_passed_over(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"a;b\nunit;kg\n\n1;2\n"), skip_rows=2)

    assert rows_of(read(table)) == {4: ["1", "2"]}


def test_a_limit_ends_the_reading(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"a;b\n" + b"1;2\n" * 10))

    assert list(rows_of(read(table, limit=3, rows_per_chunk=2))) == [2, 3, 4]
    assert read(table, limit=0) == []


def test_a_table_can_be_read_again(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"a;b\n1;2\n"))

    assert rows_of(read(table)) == rows_of(read(table))


@pytest.mark.parametrize("sign", ["", ";;", '"', "\n"])
def test_what_cannot_separate_columns_is_refused(tmp_path: Path, sign: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_one(write(tmp_path, b"a;b\n"), delimiter=sign)

    assert caught.value.code == "delimiter"


@pytest.mark.parametrize("word", ["tab", "\\t", "\t"])
def test_a_tab_may_be_pinned_by_its_name(tmp_path: Path, word: str) -> None:
    assert open_one(write(tmp_path, b"a;b\tc;d\n1\t2\n"), delimiter=word).header == ("a;b", "c;d")


def test_a_sheet_of_a_text_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a text file has no sheets, and sheet 'Contacts' was asked for"):
        open_one(write(tmp_path, b"a;b\n"), sheets=("Contacts",))


def test_a_file_that_no_longer_decodes_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "a;b\nŁ;2\n".encode())
    table = open_one(path)
    path.write_bytes(b"a;b\n\xb3;2\n")

    with pytest.raises(SourceError, match="line 2 is not UTF-8"):
        read(table)


def test_a_blank_cell_too_many_is_ragged_where_the_file_has_none_usually(tmp_path: Path) -> None:
    path = tmp_path / "shifted.csv"
    path.write_text("E-mail;Company;Notes\na@example.com;A;x\nb@example.com;B; & Co;\nc@example.com;C;y\n")
    (chunk,) = list(open_one(path).chunks([0]))

    assert [(fault.row, fault.code) for fault in chunk.faults] == [(3, "ragged-row")]


def test_a_separator_at_the_end_of_every_line_makes_no_row_ragged(tmp_path: Path) -> None:
    path = tmp_path / "trailing.csv"
    path.write_text("E-mail;Company\na@example.com;A;\nb@example.com;B;\nc@example.com;C\n")
    (chunk,) = list(open_one(path).chunks([0]))

    assert chunk.faults == ()


def test_the_number_of_rows_is_guessed_from_the_first_lines(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("E-mail;City\n" + "anna@example.com;Warszawa\n" * 40_000)

    assert abs((open_one(path).estimated_rows or 0) - 40_000) < 10


def test_comment_rows_are_left_out_where_the_mapping_names_their_sign(tmp_path: Path) -> None:
    content = b'# shop, May\nE-mail,City\n# north\na@example.com,Oslo\n #,x,y,z\n"#";"1"\nb@example.com,#1\n'
    [chunk] = read(open_one(write(tmp_path, content), comment="#"))

    assert chunk.header == ("E-mail", "City")
    assert chunk.rows[chunk.left_out["comment-row"]].tolist() == [3, 5, 6]
    assert chunk.rows.tolist() == [3, 4, 5, 6, 7]
    assert chunk.faults == ()


def test_rows_that_start_with_a_number_sign_are_data_where_nothing_is_said(tmp_path: Path) -> None:
    [chunk] = read(open_one(write(tmp_path, b"Tag;City\n#sale;Oslo\n# north;Rome\n")))

    assert rows_of([chunk]) == {2: ["#sale", "Oslo"], 3: ["# north", "Rome"]}
    assert chunk.left_out == {}


def test_comments_above_the_header_are_passed_over(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"# of a shop, May\n# two rows, all\nName,City\nAnna,Oslo\n"))

    assert (table.header, table.header_row) == (("Name", "City"), 3)


def test_single_quoted_cells_are_read_without_their_quotes(tmp_path: Path) -> None:
    path = write(tmp_path, b"'name';'note'\n'O''Brien';'a;b\nc'\n'x';'say \"hi\"'\n")

    assert rows_of(read(open_one(path))) == {2: ["O'Brien", "a;b\nc"], 4: ["x", 'say "hi"']}


def test_a_single_quote_that_is_never_closed_is_named_as_one(tmp_path: Path) -> None:
    path = write(tmp_path, b"'a';'b'\n" + b"'x';'y'\n" * 300 + b"'x';'y\n'x;'y\n")

    with pytest.raises(SourceError) as caught:
        read(open_one(path))

    assert caught.value.hint == "look there for a ' too many or too few; inside of a quoted cell it is written ''"


def test_quotes_escaped_by_a_backslash_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, b'"a","b"\n"say \\"hi, you\\"","C:\\\\"\n"C:\\temp","two\nlines \\"x\\""\n')

    assert rows_of(read(open_one(path))) == {2: ['say "hi, you"', "C:\\"], 3: ["C:\\temp", 'two\nlines "x"']}


def test_the_facts_tell_how_the_file_is_written(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, "a;b\r\nŁ;2\r\n".encode()))

    assert table.facts == {
        "format": "csv",
        "encoding": "utf-8",
        "encoding_confidence": "certain",
        "delimiter": "semicolon",
        "quote": "double quotes",
        "line_ends": "CRLF",
    }


def test_lines_may_end_in_several_ways(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, b"a;b\r\n1;2\n3;4\r5;6"))

    assert table.facts["line_ends"] == "mixed"
    assert rows_of(read(table)) == {2: ["1", "2"], 3: ["3", "4"], 4: ["5", "6"]}


def test_names_are_trimmed_and_repeated_and_empty_ones_kept(tmp_path: Path) -> None:
    table = open_one(write(tmp_path, "\ufeff\u00a0E-mail\u00a0;Phone;Phone; ;\nx;1;2;3;\n".encode()))

    assert table.header == ("E-mail", "Phone", "Phone", "", "")
    assert rows_of(read(table)) == {2: ["x", "1", "2", "3", ""]}


@pytest.mark.parametrize("sign", [":", "^", "~", "¦", "§", "\x1f", "\x1e", "#"])
def test_any_sign_separates_columns_when_it_is_pinned(tmp_path: Path, sign: str) -> None:
    path = write(tmp_path, f'a{sign}b\n1{sign}"2{sign}3"\n'.encode())

    assert rows_of(read(open_one(path, delimiter=sign))) == {2: ["1", f"2{sign}3"]}
