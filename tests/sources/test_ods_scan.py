"""OpenDocument spreadsheets are looked at before python-calamine sees them: rows and cells that repeat, above all."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scan_checks import BOOKS, names_of, refusal, rows_of, scan_all, scan_named, survives
from table_files import open_one, read, replace_part, write
from table_files import rows_of as cells_of

from etl.sources.ods_scan import open_scanner
from etl.sources.sheet_scan import CellMark, Merge

CONTACTS = BOOKS / "contacts.ods"
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="x"/></manifest:manifest>'
)
SPACES = (
    " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text", "style")
    )
    + ' xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"'
)
BLANK_END = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/>'
    "</table:table-row>"
)


def book(folder: Path, body: str, styles: str = "") -> Path:
    content = (
        f'<office:document-content {SPACES} xmlns:calcext="urn:calcext"><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:spreadsheet>{body}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIMETYPE)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)
    return write(folder, target.getvalue(), "book.ods")


def sheet(rows: str, name: str = "S") -> str:
    return f'<table:table table:name="{name}">{rows}</table:table>'


def row(cells: str, repeats: int = 1, more: str = "") -> str:
    return f'<table:table-row table:number-rows-repeated="{repeats}" {more}>{cells}</table:table-row>'


def text(value: str = "x", repeats: int = 1) -> str:
    return (
        f'<table:table-cell table:number-columns-repeated="{repeats}" office:value-type="string">'
        f"<text:p>{value}</text:p></table:table-cell>"
    )


def blank(repeats: int = 1) -> str:
    return f'<table:table-cell table:number-columns-repeated="{repeats}"/>'


def zeros_style(inside: str, digits: str = "5", more: str = "") -> str:
    return (
        f'<number:number-style style:name="N1"><number:number number:min-integer-digits="{digits}" {more}>{inside}'
        '</number:number></number:number-style><style:style style:name="zip" style:family="table-cell"'
        ' style:data-style-name="N1"/><style:style style:name="red" style:family="table-cell"'
        ' style:parent-style-name="zip"/>'
    )


def figure(style: str = "", repeats: int = 1) -> str:
    name = f'table:style-name="{style}"' if style else ""
    return (
        f'<table:table-cell {name} table:number-columns-repeated="{repeats}" office:value-type="float"'
        ' office:value="950"/>'
    )


def test_sheets_have_the_names_and_the_order_of_the_reader() -> None:
    sheets = open_scanner(CONTACTS).sheets

    assert [sheet.name for sheet in sheets] == names_of(CONTACTS) == ["Kontakty", "Ukryty", "Filtr"]
    assert [sheet.is_visible for sheet in sheets] == [True, False, True]


def test_what_libreoffice_wrote_is_found() -> None:
    scan = scan_named(open_scanner(CONTACTS), "Kontakty")

    assert scan.marks == {2: (CellMark(4, "error-cell", "#N/A"),), 3: (CellMark(4, "error-cell", "#DIV/0!"),)}
    assert (scan.last_row, set(scan.hidden_rows), set(scan.hidden_columns)) == (9, {3}, {2})
    assert (scan.merges, scan.has_filter) == ((Merge(9, 10, 0, 1),), False)


def test_a_filter_that_is_on_is_found_with_the_rows_it_hides() -> None:
    scan = scan_named(open_scanner(CONTACTS), "Filtr")

    assert scan.has_filter
    assert scan.hidden_rows == {3}


def test_rows_are_numbered_with_their_repetitions_as_the_reader_does(tmp_path: Path) -> None:
    error = '<table:table-cell calcext:value-type="error" office:value-type="string"><text:p>#REF!</text:p>'
    rows = row(blank(5), 3) + row(blank(2) + text()) + row(blank(16384), 4) + row(error + "</table:table-cell>", 2)
    path = book(tmp_path, sheet(rows + BLANK_END))

    [scan] = scan_all(open_scanner, path)

    assert scan.marks == {9: (CellMark(0, "error-cell", "#REF!"),), 10: (CellMark(0, "error-cell", "#REF!"),)}
    assert scan.last_row == 10
    assert [number for number, cells in enumerate(rows_of(path, "S"), 1) if any(cells)] == [4, 9, 10]


@pytest.mark.parametrize("shown", ["Err:502", "#REF!", "#DIV/0!"])
def test_an_error_saved_as_a_number_is_known_by_what_is_shown(tmp_path: Path, shown: str) -> None:
    cell = (
        f'<table:table-cell table:formula="of:=A1" office:value-type="float" office:value="0"><text:p>{shown}</text:p>'
    )
    [scan] = scan_all(open_scanner, book(tmp_path, sheet(row(cell + "</table:table-cell>"))))

    assert scan.marks == {1: (CellMark(0, "error-cell", shown),)}


def test_a_formula_without_value_is_marked(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>#N/A</text:p></office:annotation>"
    cells = blank() + f'<table:table-cell table:formula="of:=1+1">{note}</table:table-cell>'
    [scan] = scan_all(open_scanner, book(tmp_path, sheet(row(text()) + row(cells))))

    assert scan.marks == {2: (CellMark(1, "formula-without-value"),)}
    assert scan.last_row == 2


def test_a_formula_that_gives_an_empty_text_is_none_of_those() -> None:
    assert 6 not in scan_named(open_scanner(CONTACTS), "Kontakty").marks


def test_blank_hidden_rows_at_the_end_are_not_counted(tmp_path: Path) -> None:
    rows = row(text()) + row(text(), 2, 'table:visibility="collapse"')
    path = book(tmp_path, sheet(rows + BLANK_END.replace(">", ' table:visibility="filter">', 1)))

    [scan] = scan_all(open_scanner, path)

    assert scan.hidden_rows == {2, 3}


def test_a_copy_of_another_files_sheet_is_left_out(tmp_path: Path) -> None:
    path = book(tmp_path, sheet(row(text())) + sheet(row(text()), "'file:///a.ods'#$Prices"))

    assert [sheet.name for sheet in open_scanner(path).sheets] == ["S"]


def test_a_workbook_with_blank_cells_to_its_far_corner_is_read(tmp_path: Path) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, sheet(row(text() + blank(16383)) + BLANK_END)))

    assert scan.last_row == 1


HOSTILE = {
    "column": (row(blank(16_383) + text()), "row 1 of column 16,384"),
    "row": (row(blank(), 1_048_576) + row(text()), "row 1,048,577 of column 1"),
    "filled block": (row(text(repeats=1_000), 60_000), "spans 60,000,000 cells"),
    "two cells": (row(text()) + row(blank(), 999_998) + row(blank(25) + text()), "spans 26,000,000 cells of which 2"),
    "blank cells kept": ((row(blank(900) + blank(100)) * 2_300) + row(text()), "cells of which 0 are filled"),
    "spaces": (row(text('<text:s text:c="400000000"/>')), "holds more than 1,000,000 spaces"),
    "copied text": (row(text("y" * 30_000), 100_000), "its repeated cells take more than 1,024 MB written out"),
    "table within": (row(f"<table:table-cell>{sheet(row(text()), 'T')}</table:table-cell>"), "a table within a table"),
    "zeros": ((row(figure("zip", 1_000)) + row(text())) * 2_001, "more than 2,000,000 separate places"),
    "errors": (
        row(
            '<table:table-cell calcext:value-type="error" office:value="0" table:number-columns-repeated="90"/>', 50_000
        ),
        "has more than 2,000,000 cells with errors",
    ),
}


@pytest.mark.parametrize(("rows", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_exhaust_the_machine_is_refused(tmp_path: Path, rows: str, message: str) -> None:
    error = refusal(open_scanner, book(tmp_path, sheet(rows), zeros_style("")))

    assert error.code == "workbook-limits"
    assert message in error.message


def test_two_sheets_of_one_name_are_refused(tmp_path: Path) -> None:
    assert refusal(open_scanner, book(tmp_path, sheet(row(text())) * 2)).message == (
        "the workbook is refused: two of its sheets have one name"
    )


DASH = '<number:embedded-text number:position="3">-</number:embedded-text>'
COLUMNS = (
    '<table:table-column table:number-columns-repeated="2"/><table:table-column table:default-cell-style-name="zip"/>'
)
ROW_STYLE = 'table:default-cell-style-name="zip"'


@pytest.mark.parametrize(
    ("rows", "zeros"),
    [
        (row(figure("zip")), {0: ((1, 1, "00000"),)}),
        (row(figure("red")), {0: ((1, 1, "00000"),)}),
        (row(figure(repeats=2), 2, ROW_STYLE), {0: ((1, 2, "00000"),), 1: ((1, 2, "00000"),)}),
        (COLUMNS + row(figure(repeats=2) + figure() + figure()), {2: ((1, 1, "00000"),)}),
        (COLUMNS + row(blank(2) + figure("Default")), {}),
        (COLUMNS + row(blank(2) + text("00950")), {}),
        (row(figure("zip")) * 3 + row(text(), 2) + row(figure("zip"), 4), {0: ((1, 3, "00000"), (6, 9, "00000"))}),
    ],
    ids=["own style", "inherited", "row's style", "column's style", "another style", "text", "runs"],
)
def test_cells_that_show_leading_zeros_are_known_by_their_style(
    tmp_path: Path, rows: str, zeros: dict[int, tuple[tuple[int, int, str], ...]]
) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, sheet(rows), zeros_style("")))

    assert scan.zeros == zeros


@pytest.mark.parametrize(
    ("style", "zeros"),
    [
        (zeros_style(DASH), "00-000"),
        (zeros_style(DASH, "9", 'number:decimal-places="0"'), "000000-000"),
        (zeros_style("", "1"), None),
        (zeros_style("", "31"), None),
        (zeros_style("", "x"), None),
        (zeros_style("", more='number:decimal-places="2"'), None),
        (zeros_style("", more='number:grouping="true"'), None),
        (zeros_style(DASH.replace(">-<", ">x<")), None),
        (zeros_style(DASH.replace('"3"', '"5"')), None),
        (zeros_style("<number:text>PL</number:text>"), None),
        (zeros_style("").replace(":number-style", ":percentage-style"), None),
    ],
    ids=[
        "dash",
        "nine",
        "one",
        "thirty-one",
        "no number",
        "decimals",
        "thousands",
        "letter",
        "before",
        "text",
        "share",
    ],
)
def test_only_a_format_of_zeros_alone_shows_them(tmp_path: Path, style: str, zeros: str | None) -> None:
    [scan] = scan_all(open_scanner, book(tmp_path, sheet(row(figure("zip"))), style))

    assert scan.zeros == ({} if zeros is None else {0: ((1, 1, zeros),)})


def test_a_named_style_that_shows_leading_zeros_is_known(tmp_path: Path) -> None:
    path = book(tmp_path, sheet(row(figure("red"))))
    styles = f"<office:styles>{zeros_style(DASH)}</office:styles><office:automatic-styles>{zeros_style('')}"
    named = f"<office:document-styles {SPACES}>{styles}</office:automatic-styles></office:document-styles>"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("styles.xml", named)

    [scan] = scan_all(open_scanner, path)

    assert scan.zeros == {0: ((1, 1, "00-000"),)}


@pytest.mark.parametrize(
    ("inside", "whole"),
    [
        ("a<text:tab/>b", "a\tb"),
        ("a<text:line-break/>b", "a\nb"),
        ('a<text:s text:c="3"/><text:span>b<text:tab/></text:span>', "a   b\t"),
        ("a</text:p><text:p/><text:p><text:tab/>", "a\n\n\t"),
        ("a<![CDATA[b]]>c", "abc"),
        ("<office:annotation><text:p>n<text:tab/></text:p></office:annotation>a&amp;b", "a&b"),
    ],
    ids=["tab", "line break", "among spaces", "in a later paragraph", "CDATA", "in a note"],
)
def test_a_text_of_which_the_reader_leaves_something_out_is_kept_whole(tmp_path: Path, inside: str, whole: str) -> None:
    rows = row(text("x")) + row(blank(2) + text(inside, 2), 3) + row(text())
    [scan] = scan_all(open_scanner, book(tmp_path, sheet(rows)))

    assert scan.texts == {column: {2: whole, 3: whole, 4: whole} for column in (2, 3)}
    assert scan.marks == {}


@pytest.mark.parametrize(
    ("inside", "given"),
    [
        ('a<text:s text:c="3"/>b', "a   b"),
        ("a</text:p><text:p>b", "a\nb"),
        ("<text:span>a</text:span> b", "a b"),
        ("a<!-- c -->b", "ab"),
    ],
    ids=["spaces", "paragraphs", "span", "comment"],
)
def test_a_text_that_the_reader_gives_whole_is_not_kept(tmp_path: Path, inside: str, given: str) -> None:
    path = book(tmp_path, sheet(row(text(inside))))
    [scan] = scan_all(open_scanner, path)

    assert (scan.texts, rows_of(path, "S")) == ({}, [[given]])


def test_a_text_that_is_saved_as_an_attribute_is_whole(tmp_path: Path) -> None:
    value = text("a<text:tab/>").replace("office:value-type", 'office:string-value="v" office:value-type')
    path = book(tmp_path, sheet(row(value)))
    [scan] = scan_all(open_scanner, path)

    assert (scan.texts, rows_of(path, "S")) == ({}, [["v"]])


def test_texts_beyond_the_limit_are_marked(tmp_path: Path) -> None:
    path = book(tmp_path, sheet(row(text("<text:tab/>a", 2), 100_000) + row(text("b<text:tab/>"))))

    [scan] = scan_all(open_scanner, path)

    assert scan.marks == {100_001: (CellMark(0, "text-not-whole"),)}
    assert len(scan.texts[1]) == 100_000


def test_letters_beyond_the_limit_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.sources.ods_texts.MOST_LETTERS", 5)
    path = book(tmp_path, sheet(row(text("a<text:tab/>b") + text("c<text:tab/>de") + text("f<text:tab/>"))))

    [scan] = scan_all(open_scanner, path)

    assert scan.texts == {0: {1: "a\tb"}}
    assert scan.marks == {1: (CellMark(1, "text-not-whole"), CellMark(2, "text-not-whole"))}


def test_a_tab_reaches_the_header_the_cells_and_what_is_merged_downwards(tmp_path: Path) -> None:
    merged = text("x<text:tab/>y").replace("<table:table-cell", '<table:table-cell table:number-rows-spanned="2"')
    rows = row(text("E<text:tab/>mail") + text("n")) + row(merged + text("1")) + row(blank() + text("2"))

    table = open_one(book(tmp_path, sheet(rows)), header_row=1)

    assert table.header == ("E\tmail", "n")
    assert cells_of(read(table)) == {2: ["x\ty", "1"], 3: ["x\ty", "2"]}


@pytest.mark.parametrize("repeats", ["0", "-1", "1e9", "٣", "9999999999", ""])
def test_a_repetition_that_is_no_number_is_damage(tmp_path: Path, repeats: str) -> None:
    path = book(tmp_path, sheet(f'<table:table-row table:number-rows-repeated="{repeats}"/>'))

    assert refusal(open_scanner, path).code == "workbook-damaged"


def test_a_protected_workbook_says_so(tmp_path: Path) -> None:
    manifest = MANIFEST.replace(
        "<manifest:file-entry", '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry><manifest:file-entry', 1
    )  # fmt: skip
    path = replace_part(book(tmp_path, sheet(row(text()))), "META-INF/manifest.xml", manifest.encode())

    assert str(refusal(open_scanner, path)) == (
        f"{path}: the workbook is protected by a password\n"
        "  hint: save a copy without a password   [workbook-encrypted]"
    )


@pytest.mark.parametrize("part", ["content.xml", "META-INF/manifest.xml"])
def test_a_document_type_is_refused(tmp_path: Path, part: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'

    assert refusal(open_scanner, replace_part(book(tmp_path, sheet("")), part, bomb)).message == (
        "the workbook is refused: its XML declares a document type, which no spreadsheet program writes"
    )


@given(data=st.data())
def test_any_change_of_bytes_ends_in_a_source_error_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    with zipfile.ZipFile(CONTACTS) as archive:
        content = bytearray(archive.read("content.xml"))
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=5)
    ):
        content[place] = byte
    path = write(tmp_path_factory.mktemp("books"), CONTACTS.read_bytes(), "book.ods")

    survives(open_scanner, replace_part(path, "content.xml", bytes(content)))


PIECES = ["</table:table-row>", "</table:table>", row(text()), row(text(), 3), "<table:table-row>", text(), blank(7)]
PIECES += ["<text:tab/>", text("a<text:tab/>b"), "<text:p>", "</text:p>", "<![CDATA[x]]>", DASH, zeros_style(DASH)]
PIECES += ["<number:embedded-text>", "</table:table-cell>", row(figure("zip", 3), 2), "<number:number/>"]
PIECES += [sheet(row(text())), "<office:annotation>", "</office:annotation>", "<table:filter/>", "<table:table>"]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_order_of_elements_ends_in_a_source_error_or_none(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    survives(open_scanner, book(tmp_path_factory.mktemp("books"), "".join(pieces)))
