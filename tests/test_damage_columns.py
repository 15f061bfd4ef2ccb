"""Damage that a whole column shows: told once, with its count, an example cell and the way to save it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import mapping_of, write_csv

import etl
from etl.damage import columns as damage_columns
from etl.damage.columns import Watch
from etl.damage.zeros import Lengths, purpose_of
from etl.mapping import bind
from etl.records import Chunk, SourceRef, text_series

MAPPING = """\
version: 1
name: test
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
"""


def notes(folder: Path, cells: list[str], spec: str = "properties.x: X", header: str = "X", **options) -> list[str]:
    rows = "".join(f"a{place}@example.com;{cell}\n" for place, cell in enumerate(cells))
    sheet = write_csv(folder / "sheet.csv", f"E-mail;{header}\n{rows}")
    return _checked(folder, sheet, spec, **options)


def notes_of_typed(folder: Path, cells: list[str], typed: list[bool], sheet: str = "Sheet1") -> list[str]:
    """Return the notes on a column of a workbook some of whose cells are numbers or dates."""
    mapping = mapping_of(f"{MAPPING}      properties.x: X\n", folder)
    binding = bind(mapping, ("E-mail", "X"), "book.xlsx")
    rows = pd.Index(np.arange(2, 2 + len(cells)))
    frame = pd.DataFrame({0: text_series(["a@example.com"] * len(cells), rows), 1: text_series(cells, rows)})
    frame.columns = pd.Index([0, 1], dtype="int64")
    watch = Watch(mapping, binding, 0)
    blank = np.zeros(len(cells), dtype=bool)
    source = SourceRef(0, "book.xlsx", sheet)
    watch.see(Chunk(source, binding.header, frame, blank, typed={1: np.array(typed)}))
    return list(watch.notes())


def _checked(folder: Path, sheet: Path, spec: str, **options) -> list[str]:
    mapping = mapping_of(f"{MAPPING}      {spec}\n", folder)
    report = etl.check(mapping, [sheet], options=etl.Options(out=folder / "out", **options))
    return [note for note in report.notes if note.endswith("]")]


def test_numbers_whose_digits_end_in_zeros_after_the_15th(tmp_path):
    cells = ["1234567890123400", "9876543210987000", "1234567890123450000", "12"]
    assert notes(tmp_path, cells) == [
        (
            "3 numbers in 'X' have 16 digits or more, and zeros alone after the 15th (first B2): Excel keeps 15, the others "
            "are gone; format the column as Text before pasting, or import the CSV by Data > From Text/CSV with it as Text "
            "[digits-lost]"
        )
    ]


@pytest.mark.parametrize(
    "cells",
    [["1234567890123450"], ["1234567890123456", "1234567890123450000"], ["123456789012340"] * 5],
    ids=["one zero may be chance", "other digits stand there too", "fifteen digits are kept"],
)
def test_long_numbers_that_are_whole(tmp_path, cells):
    assert notes(tmp_path, cells) == []


PLZ = ["80331", "10115", "1067", "20095", "4109", "50667", "60311", "70173", "90402", "99084", "1097", "68159"]


def test_postcodes_that_lost_their_zero(tmp_path):
    assert notes(tmp_path, PLZ, "contact.address.zipCode: PLZ", "PLZ") == [
        (
            "3 of 12 numbers in 'PLZ' are shorter than the 5 digits of the others, and none begins with 0 (first B4): "
            "leading zeros were probably lost; format the column as Text and enter them again, or put `{pad: 5}` into its "
            "`transform` [leading-zeros-lost]"
        )
    ]


def test_the_line_that_pads_the_zeros_is_one_that_the_mapping_takes(tmp_path):
    mapping = mapping_of(MAPPING + "      contact.address.zipCode: {column: X, transform: [{pad: 5}]}\n", tmp_path)
    (_, spec) = mapping.records[0].fields
    assert [call.name for call in spec.transforms] == ["pad"]


@pytest.mark.parametrize(
    ("cells", "header"),
    [
        (["01067", *PLZ], "PLZ"),
        (PLZ[:8], "PLZ"),
        ([str(place) for place in range(1, 300)], "Customer no"),
        ([str(place) for place in range(9990, 10200)], "Id"),
        ([*PLZ, "123456"], "PLZ"),
    ],
    ids=["some zeros are there", "too few to tell", "numbers that count", "numbers that count on", "longer ones too"],
)
def test_numbers_that_may_well_be_whole(tmp_path, cells, header):
    assert notes(tmp_path, cells, f"properties.x: {header}", header) == []


def test_amounts_have_no_leading_zeros_to_lose(tmp_path):
    assert notes(tmp_path, PLZ, "properties.x: {column: PLZ, transform: [integer]}", "PLZ") == []


@pytest.mark.parametrize(
    ("name", "paths", "purpose"),
    [
        ("Kod pocztowy", (), "postcode"),
        ("Postnummer", (), "postcode"),
        ("X", ("contact.address.zipCode",), "postcode"),
        ("Telefon", (), "phone"),
        ("X", ("contact.phone",), "phone"),
        ("EAN", ("properties.ean",), "code"),
    ],
)
def test_what_the_numbers_are_is_seen_by_name_or_field(name, paths, purpose):
    assert purpose_of(name, paths) == purpose


@pytest.mark.parametrize(
    ("purpose", "widths", "lost"),
    [
        ("phone", {9: 20, 8: 2}, 2),
        ("phone", {9: 20, 7: 2}, None),
        ("phone", {9: 10, 8: 9}, None),
        ("code", {13: 20, 12: 2}, 2),
        ("code", {7: 20, 6: 2}, None),
        ("postcode", {4: 20, 3: 2}, 2),
    ],
    ids=["a digit short", "two digits short", "half of them", "EAN", "may be counting", "postcodes of four"],
)
def test_shorter_numbers_lost_zeros_where_they_are_few(purpose, widths, lost):
    lengths = Lengths()
    flat = np.repeat(np.array(list(widths)), list(widths.values()))
    lengths.add(flat, np.arange(2, 2 + len(flat)), 0)
    found = lengths.lost(purpose)
    assert (found and found.count) == lost


def test_day_numbers_among_dates(tmp_path):
    cells = ["2024-01-31", "2024-02-01", "45322", "2024-02-02", "45324.5"]
    assert notes(tmp_path, cells) == [
        (
            "2 numbers in 'X' stand among dates, and are probably Excel's day numbers (first B4): format the column as Date "
            "and save again, or read it by `{date: {excel_serials: true}}` [serials-for-dates]"
        )
    ]


def test_five_digits_among_other_things_are_no_day_numbers(tmp_path):
    assert notes(tmp_path, ["45322", "45323", "A", "B"]) == []


def test_real_dates_among_sizes_in_a_workbook(tmp_path):
    cells = ["S", "M", "2024-03-01", "L", "2024-04-01"]
    assert notes_of_typed(tmp_path, cells, [False, False, True, False, False]) == [
        (
            "1 cell in 'X' is a date where most are none (first B4): Excel takes sizes and codes such as 1-3 for "
            "dates; format the column as Text and enter them again [month-for-size]"
        )
    ]


def test_a_long_number_that_a_workbook_keeps_as_a_number(tmp_path):
    assert notes_of_typed(tmp_path, ["1234567890123456", "12"], [True, True]) == [
        (
            "1 number in 'X' has 16 digits or more, kept as a number (first B2): Excel keeps 15, the others are gone; "
            "format the column as Text before pasting, or import the CSV by Data > From Text/CSV with it as Text "
            "[digits-lost]"
        )
    ]


def test_a_long_number_that_is_no_workbook_s_keeps_its_digits(tmp_path):
    assert notes_of_typed(tmp_path, ["1234567890123456", "12"], [True, True], sheet="") == []


def test_texts_cut_at_255(tmp_path):
    (note,) = notes(tmp_path, ["x" * 255] * 3 + ["short"])
    assert note == (
        "3 texts in 'X' have exactly 255 characters, and none has more (first B2): they were probably cut by the program "
        "that wrote the file; take them from where they came from [text-cut]"
    )
    assert notes(tmp_path, ["x" * 255] * 3 + ["x" * 256]) == []


def test_the_size_of_a_chunk_changes_no_note(tmp_path):
    cells = [*PLZ * 200, "1234567890123400"]
    found = [
        notes(tmp_path / str(size), cells, "properties.x: PLZ", "PLZ", rows_per_chunk=size)
        for size in (300, 1999, 20_000)
        if not (tmp_path / str(size)).mkdir()
    ]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("limit", ["SHEET_ROWS", "OLD_SHEET_ROWS"])
def test_a_file_that_ends_where_a_sheet_ends_was_probably_cut(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(damage_columns, limit, 20)
    assert notes(tmp_path, ["x"] * 19) == [
        (
            "the table ends in row 20, the last one of a sheet of Excel: what followed is probably cut off; export it again "
            "in several files, or as CSV without opening it in Excel [file-cut]"
        )
    ]
    assert notes(tmp_path, ["x"] * 18) == []
    assert notes(tmp_path, ["x"] * 20) == []
