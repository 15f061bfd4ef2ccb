"""Any table of text survives being written in any supported format, and read again: same cells, same rows."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources.binary_books import new_book, row12, text12
from sources.table_files import faults_of, read, rows_of
from support import few

from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions
from etl.sources.header import is_blank

Table = list[list[str]]
MANIFEST = """<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
</manifest:manifest>"""

# What XML, and so a workbook, can hold; a carriage return becomes a line feed in XML.
CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t", exclude_characters="\ufffe\uffff"),
    max_size=12,
) | st.sampled_from(
    ["007", "1E5", "=1+1", "-", "NA", "TRUE", "2024-02-29", "48600123456", "#N/A", "_x0041_", " a ", "'x"]
)
NAMES = st.lists(
    st.sampled_from(["E-mail", "City", "Zip", "Ort", "Żółć", "a;b", "x,y"]), min_size=1, max_size=5, unique=True
)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Draw a header and rows of as many cells."""
    names = draw(NAMES)
    row = st.lists(CELLS, min_size=len(names), max_size=len(names))
    return [names, *draw(st.lists(row, max_size=6))]


def as_xlsx(table: Table) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("S")
    for row in table:
        cells = []
        for text in row:
            cell = openpyxl.cell.WriteOnlyCell(sheet)
            # openpyxl would make a formula of "=1+1", and leaves "_x0041_" to be read as the sign that it escapes.
            cell._value, cell.data_type = re.sub("_(x[0-9A-Fa-f]{4}_)", r"_x005F_\1", text), "s"
            cells.append(cell if text else None)
        sheet.append(cells)
    stream, kept = io.BytesIO(), io.BytesIO()
    book.save(stream)
    # As Excel writes them: openpyxl does not mark a text of white space alone, which is then dropped as layout.
    with zipfile.ZipFile(stream) as archive, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as marked:
        for name in archive.namelist():
            marked.writestr(name, archive.read(name).replace(b"<t>", b'<t xml:space="preserve">'))
    return kept.getvalue()


def as_ods(table: Table) -> bytes:
    def cell(text: str) -> str:
        if not text:
            return "<table:table-cell/>"
        lines = "".join(f"<text:p>{spaced(line)}</text:p>" for line in text.split("\n"))
        return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'

    def spaced(line: str) -> str:
        # As LibreOffice writes them: a reader may collapse plain spaces at the edges and in runs.
        return escape(line).replace("\t", "<text:tab/>").replace(" ", "<text:s/>")

    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in table)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.3"'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
    return stream.getvalue()


def as_xls(table: Table) -> bytes:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("S")
    for row, cells in enumerate(table):
        for column, text in enumerate(cells):
            if text:
                sheet.write(row, column, text)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_xlsb(table: Table) -> bytes:
    rows = (
        row12(row) + b"".join(text12(column, text) for column, text in enumerate(cells) if text)
        for row, cells in enumerate(table)
    )
    return new_book([("S", b"".join(rows))])


def as_json_lines(table: Table) -> bytes:
    names, *rows = table
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()


def as_parquet(table: Table) -> bytes:
    names, *rows = table
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))]
    stream = io.BytesIO()
    pq.write_table(pa.table(columns, names=names), stream)
    return stream.getvalue()


WORKBOOKS: dict[str, Callable[[Table], bytes]] = {"xlsx": as_xlsx, "xlsb": as_xlsb, "ods": as_ods, "xls": as_xls}
RECORDS: dict[str, Callable[[Table], bytes]] = {"jsonl": as_json_lines, "parquet": as_parquet}


def read_back(path: Path, **options: int) -> tuple[tuple[str, ...], dict[int, list[str]]]:
    (file,) = take_in([path])
    (table,) = open_tables(file, SourceOptions(**options), 0)
    chunks = read(table)
    assert not faults_of(chunks)
    return table.header, {row: cells for row, cells in rows_of(chunks).items() if not is_blank(cells)}


@pytest.mark.parametrize("kind", WORKBOOKS)
@few(6)
@given(table=tables())
def test_a_table_survives_a_workbook(kind: str, table: Table, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp(kind) / f"table.{kind}"
    path.write_bytes(WORKBOOKS[kind](table))

    header, rows = read_back(path, header_row=1)

    assert header == tuple(table[0])
    assert rows == {number: row for number, row in enumerate(table[1:], start=2) if not is_blank(row)}


@pytest.mark.parametrize("kind", RECORDS)
@given(table=tables())
def test_a_table_survives_a_file_of_records(kind: str, table: Table, tmp_path_factory: pytest.TempPathFactory) -> None:
    if len(table) == 1:
        return
    path = tmp_path_factory.mktemp(kind) / f"table.{kind}"
    path.write_bytes(RECORDS[kind](table))

    header, rows = read_back(path)

    assert header == tuple(table[0])
    assert rows == {number: row for number, row in enumerate(table[1:], start=1) if not is_blank(row)}


@given(table=tables().filter(lambda table: len(table) > 1))
def test_a_table_survives_being_packed(table: Table, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("gz") / "table.jsonl.gz"
    path.write_bytes(gzip.compress(as_json_lines(table)))

    header, rows = read_back(path)

    assert header == tuple(table[0])
    assert rows == {number: row for number, row in enumerate(table[1:], start=1) if not is_blank(row)}
