"""Workbooks that would harm the machine are refused before python-calamine sees them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from table_files import open_one, replace_part, sheet_xml, workbook

from etl.errors import SourceError
from etl.sources import workbook_parts

SHEET = "xl/worksheets/sheet1.xml"


def crafted(folder: Path, rows: str) -> Path:
    return replace_part(workbook(folder, {"S": {"A1": "x"}}), SHEET, sheet_xml(rows))


@pytest.mark.parametrize(
    ("far", "where"),
    [
        ('<c r="XFD20000"><v>1</v></c>', "in row 20,000 of column 1,001"),
        ('<c r="ALM2"><v>1</v></c>', "in row 2 of column 1,001"),
        ('<c r="A1048577"><v>1</v></c>', "in row 1,048,577 of column 1"),
        ('<x:c r="XFD20000"><x:v>1</x:v></x:c>', "in row 20,000 of column 1,001"),
    ],
    ids=["far corner", "column", "row", "under another prefix"],
)
def test_a_cell_far_away_is_refused(tmp_path: Path, far: str, where: str) -> None:
    path = crafted(
        tmp_path, f'<row r="1" xmlns:x="urn:x"><c r="A1"><v>1</v></c></row><row r="2" xmlns:x="urn:x">{far}</row>'
    )

    with pytest.raises(SourceError) as caught:
        open_one(path)

    assert caught.value.code == "workbook-limits"
    assert "sheet 'S' has a filled cell" in caught.value.message


def test_cells_without_rows_of_their_own_that_span_millions_are_refused(tmp_path: Path) -> None:
    path = crafted(tmp_path, '<row r="1"><c r="A1"><v>1</v></c></row><row><c r="Z1000000"><v>1</v></c></row>')

    with pytest.raises(SourceError, match=r"sheet 'S' spans 26,000,000 cells of which 2 are filled"):
        open_one(path)


def test_a_blank_styled_cell_far_away_is_no_harm(tmp_path: Path) -> None:
    path = crafted(tmp_path, '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1" s="0"/></row>')

    assert open_one(path, header_row=1).header == ("1",)


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_a_document_type_is_refused(tmp_path: Path, part: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    path = replace_part(workbook(tmp_path, {"S": {"A1": "x"}}), part, bomb)

    with pytest.raises(SourceError, match="its XML declares a document type"):
        open_one(path)


def test_a_part_packed_beyond_reason_is_refused(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>' + " " * (20 << 20)

    with pytest.raises(SourceError, match="is packed more than 200 to 1"):
        open_one(crafted(tmp_path, rows))


def test_a_part_larger_than_the_container_says_is_refused(tmp_path: Path) -> None:
    path = crafted(tmp_path, '<row r="1"><c r="A1"><v>1</v></c></row>' + " " * 5000)
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(SHEET).file_size
    content = path.read_bytes()
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (size - 4000).to_bytes(4, "little")))

    with pytest.raises(SourceError, match="is larger than the container says"):
        open_one(path)


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    path = replace_part(workbook(tmp_path, {"S": {"A1": "x"}}), SHEET, b"<worksheet><sheetData><row></sheetData>")

    with pytest.raises(SourceError, match="is not well-formed XML"):
        open_one(path)


@pytest.mark.parametrize(
    "row", ['<row r="x"/>', '<row r="1"><c r="A"><v>1</v></c></row>', '<row r="1"><c r="1A"/></row>']
)
def test_a_cell_without_a_sane_place_is_refused(tmp_path: Path, row: str) -> None:
    with pytest.raises(SourceError):
        open_one(crafted(tmp_path, row))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": {"A1": "x"}})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl\\Worksheets\\sheet1.xml", sheet_xml(""))

    with pytest.raises(SourceError, match="two of its parts have one name"):
        open_one(path)


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, {"S": {"A1": "x"}})
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(workbook_parts.MOST_PARTS):
            archive.writestr(f"xl/media/{number}.png", b"")

    with pytest.raises(SourceError, match=r"it has 5,\d+ parts, more than 5,000"):
        open_one(path)


def test_sparklines_are_no_formulas_of_cells(tmp_path: Path) -> None:
    sheet = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>').replace(
        b"</worksheet>", b'<extLst><ext xmlns:xm="urn:xm"><xm:f>S!A1</xm:f></ext></extLst></worksheet>'
    )
    path = replace_part(workbook(tmp_path, {"S": {"A1": "x"}}), SHEET, sheet)

    [chunk] = open_one(path, header_row=0).chunks([0])

    assert chunk.faults == ()


@pytest.mark.parametrize(
    ("part", "old", "new", "reason"),
    [
        ("xl/workbook.xml", b"<sheet ", b'<sheet id="rId9" ', "a sheet names its part more than once"),
        (
            "xl/_rels/workbook.xml.rels",
            b"</Relationships>",
            b'<Relationship Id="rId1" Target="worksheets/sheet9.xml" Type="x"/></Relationships>',
            "two of its relationships have one name",
        ),
    ],
    ids=["sheet", "relationship"],
)
def test_a_sheet_that_could_mean_two_parts_is_refused(
    tmp_path: Path, part: str, old: bytes, new: bytes, reason: str
) -> None:
    path = workbook(tmp_path, {"S": {"A1": "x"}})
    with zipfile.ZipFile(path) as archive:
        content = archive.read(part)
    assert old in content

    with pytest.raises(SourceError, match=reason):
        open_one(replace_part(path, part, content.replace(old, new)))
