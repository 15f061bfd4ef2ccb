"""Rows taken whole by one pattern say the same as the XML parser; nothing can be hidden from both."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import replace_part, sheet_xml, workbook

from etl.errors import SourceError
from etl.sources.sheet_scan import SheetScan
from etl.sources.workbook_scan import open_scanner

SHEET = "xl/worksheets/sheet1.xml"
VALUES = st.sampled_from(
    ['<v>1</v>', '<v>-1.5E+3</v>', "", "<is><t>a</t></is>", '<is><t xml:space="preserve"> &lt; > " </t></is>', "<f>1+1</f><v>2</v>",
     "<f>1+1</f>", "<f>1+1</f><v> </v>", "<f/><v/>", '<f t="shared" si="0"/><v>3</v>', "<v></v>", "<v>1</v><extLst/>", "<is><r><t>x</t></r></is>"]
)  # fmt: skip
TYPES = st.sampled_from(
    ["", ' t="n"', ' t="s"', ' t="str"', ' t="b"', ' t="e"', ' t="inlineStr"', ' s="2"', ' s="1" t="s"', ' t="n" s="2"']
)
ROWS = st.sampled_from(
    [
        "",
        ' hidden="1"',
        ' hidden="true"',
        ' hidden="0"',
        ' ht="0" customHeight="1"',
        ' ht="0.5"',
        ' spans="1:3" x14ac:dyDescent="0.25"',
    ]
)


@st.composite
def sheets(draw: st.DrawFn) -> str:
    rows = []
    for number in draw(st.lists(st.integers(1, 60), max_size=12)):
        letters = draw(st.lists(st.sampled_from(["A", "B", "Z", "AA", "ABC"]), max_size=4))
        cells = "".join(f'<c r="{letter}{number}"{draw(TYPES)}>{draw(VALUES)}</c>' for letter in letters)
        rows.append(f'<row r="{number}"{draw(ROWS)}>{cells}</row>')
    return "".join(rows)


def scanned(book: Path, content: bytes) -> SheetScan:
    scanner = open_scanner(replace_part(book, SHEET, content))
    return scanner.scan(scanner.sheets[0])


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    styles = (
        b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts><numFmt numFmtId="170"'
        b' formatCode="00000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>'
    )
    return replace_part(workbook(tmp_path_factory.mktemp("plain"), {"S": {"A1": "x"}}), "xl/styles.xml", styles)


@given(rows=sheets())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_pattern_and_the_parser_say_the_same(book: Path, rows: str) -> None:
    namespaces = b'<worksheet xmlns:x14ac="urn:x14ac" '
    plain = sheet_xml(rows).replace(b"<worksheet ", namespaces)

    # A comment before the rows leaves them all to the parser.
    assert scanned(book, plain) == scanned(book, plain.replace(b"<sheetData>", b"<!-- --><sheetData>"))


@pytest.mark.parametrize(
    "rows",
    [
        '<!-- </row><row r="1"><c r="A1" t="inlineStr"><is><t>--></t></is></c></row><row r="2"><c r="XFD2"><v>1</v></c></row>',
        '<row r="1"><!-- </row><row r="2"><c r="A2"><v>1</v></c></row> --></row><row r="3"><c r="XFD3"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row></sheetData><sheetData><row r="2"><c r="XFD2"><v>1</v></c></row>',
        '<row r="1" x="y>"><c r="XFD1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row> <row r="2"><c r="XFD2"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="XFD20000"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c><v>2</v></c><c r="XFD7"><v>1</v></c></row>',
    ],
    ids=["comment", "comment in a row", "second part", "a sign in an attribute", "white space", "another row", "no place"],
)  # fmt: skip
def test_a_cell_far_away_cannot_hide(book: Path, rows: str) -> None:
    with pytest.raises(SourceError) as caught:
        scanned(book, sheet_xml(rows))

    assert caught.value.code in {"workbook-limits", "workbook-damaged"}
