"""Builders that the tests of sources share: files from visible text, tables read back whole."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl

from etl.records import CellFault, Chunk
from etl.sources import open_tables, take_in
from etl.sources.base import SourceOptions, Table


def write(folder: Path, content: bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def workbook(folder: Path, sheets: dict[str, dict[str, Any]], *, hidden: Sequence[str] = ()) -> Path:
    """Write cells by name (`{"Contacts": {"B5": "E-mail"}}`)."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, cells in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for cell, value in cells.items():
            sheet[cell] = value
    path = folder / "book.xlsx"
    book.save(path)
    return path


def sheet_xml(rows: str) -> bytes:
    """Return a worksheet part with these `<row>` elements."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()


def replace_part(path: Path, part: str, content: bytes, *, level: int = 6) -> Path:
    """Write the container anew with one part replaced or added."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def open_one(path: Path, **options: Any) -> Table:
    [table] = open_all(path, **options)
    return table


def open_all(path: Path, **options: Any) -> list[Table]:
    [file] = take_in([path])
    return open_tables(file, SourceOptions(**options), 0)


def read(table: Table, *, limit: int | None = None, rows_per_chunk: int = 20_000) -> list[Chunk]:
    return list(table.chunks(range(len(table.header)), limit=limit, rows_per_chunk=rows_per_chunk))


def rows_of(chunks: list[Chunk]) -> dict[int, list[str]]:
    """Return the cells by row number; a number that occurs twice fails."""
    rows: dict[int, list[str]] = {}
    for chunk in chunks:
        for number, cells in zip(chunk.rows.tolist(), chunk.cells.to_numpy().tolist(), strict=True):
            assert number not in rows
            rows[number] = cells
    return rows


def faults_of(chunks: list[Chunk]) -> list[CellFault]:
    return [fault for chunk in chunks for fault in chunk.faults]
