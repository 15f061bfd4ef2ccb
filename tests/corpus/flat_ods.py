"""Flat OpenDocument spreadsheets from visible cells: what LibreOffice reads and saves in every other format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
 xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
<number:date-style style:name="N-date"><number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>
<number:date-style style:name="N-moment"><number:year number:style="long"/><number:text>-</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/><number:text> </number:text><number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/><number:text>:</number:text><number:seconds number:style="long"/></number:date-style>
<number:time-style style:name="N-time"><number:hours number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/><number:text>:</number:text><number:seconds number:style="long"/></number:time-style>
<number:boolean-style style:name="N-flag"><number:boolean/></number:boolean-style>
<number:number-style style:name="N-zip"><number:number number:min-integer-digits="5" number:decimal-places="0"/></number:number-style>
<style:style style:name="date" style:family="table-cell" style:data-style-name="N-date"/>
<style:style style:name="moment" style:family="table-cell" style:data-style-name="N-moment"/>
<style:style style:name="time" style:family="table-cell" style:data-style-name="N-time"/>
<style:style style:name="flag" style:family="table-cell" style:data-style-name="N-flag"/>
<style:style style:name="zip" style:family="table-cell" style:data-style-name="N-zip"/>
<style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/></style:style>
</office:automatic-styles>
<office:body><office:spreadsheet>"""
_TAIL = "</office:spreadsheet></office:body></office:document>\n"


@dataclass(frozen=True)
class Formula:
    """`text` as LibreOffice's formula language has it; computed by LibreOffice when it opens the file."""

    text: str


@dataclass(frozen=True)
class Zip:
    """A number that its format shows with five digits."""

    number: int


Cell = str | int | float | Decimal | bool | date | datetime | time | Formula | Zip | None


@dataclass(frozen=True)
class Sheet:
    """`rows`: cells by row number from 1. `merged`: (row, column) → (rows, columns) that the cell spans, from 1."""

    name: str
    rows: Mapping[int, Sequence[Cell]]
    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    filtered_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)


def write_flat_ods(path: Path, sheets: Sequence[Sheet], *, null_date: str = "") -> Path:
    """Write the sheets; `null_date`: the day that serials count from, where it is not the usual one."""
    settings = (
        f'<table:calculation-settings><table:null-date table:date-value="{null_date}"/></table:calculation-settings>'
    )
    body = "".join(_sheet(sheet) for sheet in sheets)
    path.write_text(f"{_HEAD}{settings if null_date else ''}{body}{_TAIL}", encoding="utf-8")
    return path


def _sheet(sheet: Sheet) -> str:
    style = ' table:style-name="hidden"' if sheet.is_hidden else ""
    width = max(len(cells) for cells in sheet.rows.values())
    columns = "".join(
        f"<table:table-column{_collapsed(place in sheet.hidden_columns)}/>" for place in range(1, width + 1)
    )
    rows, last = [], 0
    for number in sorted(sheet.rows):
        if number > last + 1:
            rows.append(
                f'<table:table-row table:number-rows-repeated="{number - last - 1}"><table:table-cell/></table:table-row>'
            )
        rows.append(_row(sheet, number))
        last = number
    return f"<table:table table:name={quoteattr(sheet.name)}{style}>{columns}{''.join(rows)}</table:table>"


def _row(sheet: Sheet, number: int) -> str:
    covered = {
        (row, column)
        for (top, left), (height, width) in sheet.merged.items()
        for row in range(top, top + height)
        for column in range(left, left + width)
        if (row, column) != (top, left)
    }
    cells = []
    for place, cell in enumerate(sheet.rows[number], start=1):
        name = "covered-table-cell" if (number, place) in covered else "table-cell"
        height, width = sheet.merged.get((number, place), (1, 1))
        spans = (
            f' table:number-rows-spanned="{height}" table:number-columns-spanned="{width}"'
            if (height, width) != (1, 1)
            else ""
        )
        cells.append(_cell(name, cell, spans))
    hidden = ' table:visibility="filter"' if number in sheet.filtered_rows else _collapsed(number in sheet.hidden_rows)
    return f"<table:table-row{hidden}>{''.join(cells)}</table:table-row>"


def _collapsed(is_hidden: bool) -> str:
    return ' table:visibility="collapse"' if is_hidden else ""


def _cell(name: str, cell: Cell, spans: str) -> str:
    if cell is None:
        return f"<table:{name}{spans}/>"
    if isinstance(cell, str):
        text = "".join(f"<text:p>{escape(line)}</text:p>" for line in cell.split("\n"))
        return f'<table:{name}{spans} office:value-type="string">{text}</table:{name}>'
    return f"<table:{name}{spans} {_typed(cell)}/>"


def _typed(cell: Cell) -> str:
    match cell:
        case Formula(text):
            return f"table:formula={quoteattr('of:=' + text)}"
        case Zip(number):
            return f'table:style-name="zip" office:value-type="float" office:value="{number}"'
        case bool():
            return f'table:style-name="flag" office:value-type="boolean" office:boolean-value="{str(cell).lower()}"'
        case datetime():
            return f'table:style-name="moment" office:value-type="date" office:date-value="{cell.isoformat()}"'
        case date():
            return f'table:style-name="date" office:value-type="date" office:date-value="{cell.isoformat()}"'
        case time():
            value = f"PT{cell.hour:02}H{cell.minute:02}M{cell.second:02}S"
            return f'table:style-name="time" office:value-type="time" office:time-value="{value}"'
        case _:
            return f'office:value-type="float" office:value="{cell}"'
