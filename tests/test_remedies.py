"""A file with a problem column: `check` proposes a line, and the line, pasted, does what it promises."""

from __future__ import annotations

import json

import pytest
from support import mapping_of, write_csv

import etl
from etl.cli.problem_lines import pasted_in, remedy_lines
from etl.report import Remedy, RunReport

MAPPING = """\
version: 1
name: test
records:
  - action: contact.upsert
    fields:
      contact.email: E-mail
"""
EVENT = """\
version: 1
name: test
records:
  - action: event.create
    key: email
    fields:
      email: E-mail
"""


def checked(folder, mapping: str, cells: list[str], header: str = "E-mail;X") -> RunReport:
    rows = "".join(f"a{place}@example.com;{cell}\n" for place, cell in enumerate(cells))
    sheet = write_csv(folder / "sheet.csv", f"{header}\n{rows}")
    return etl.check(mapping_of(mapping, folder), [sheet], options=etl.Options(out=folder / "out"))


def pasted(mapping: str, remedy: Remedy) -> str:
    """Return the mapping with the remedy's line in place of the one that it names."""
    lines = mapping.splitlines()
    place = int(remedy.where.rpartition(":")[2]) - 1
    old = lines[place]
    lines[place] = " " * (len(old) - len(old.lstrip())) + remedy.line
    return "\n".join(lines) + "\n"


FIELDS = [
    ("[strip, phone]", ["601 234 567", "602 345 678", "+48 603 456 789"], "[strip, {phone: {region: PL}}]"),
    (
        "[{date: {formats: [YYYY/MM/DD]}}]", ["31.01.2024", "1.3.2024", "2024/02/02"],
        "[{date: {formats: [YYYY/MM/DD, DD.MM.YYYY]}}]",
    ),
    ("[date]", ["45322", "45323", "2024-01-01"], "[{date: {excel_serials: true}}]"),
    (
        "[{number: {decimal: '.'}}]", ["1 234.50 zł", "7 000.25 zł", "12.5"],
        '[{number: {thousands: " ", currency: true}}]',
    ),
    ("[integer]", ["1 234", "7 000", "12"], '[{integer: {thousands: " "}}]'),
    (
        "[{map: {values: {Kobieta: F, Mężczyzna: M}}}]", ["Kobeta", "Mezczyzna", "Kobieta"],
        "[{map: {values: {Kobieta: F, Mężczyzna: M, Kobeta: F, Mezczyzna: M}}}]",
    ),
    (
        "[{map: {values: {yes: a, no: b}}}]", ["YES", "No", "yes"],
        '[{map: {values: {"yes": a, "no": b}, ignore_case: true}}]',
    ),
    ("[upper]", ["#N/A", "#NV", "Anna"], '[{blank_if: ["#N/A", "#NV"]}, upper]'),
    ("[boolean]", ["n/a", "NULL", "tak"], '[{blank_if: [n/a, "NULL"]}, boolean]'),
    ("[country]", ["-", "brak", "Polska"], '[{blank_if: ["-", brak]}, country]'),
]  # fmt: skip


@pytest.mark.parametrize(("chain", "cells", "mended"), FIELDS, ids=[chain for chain, *_ in FIELDS])
def test_the_line_mends_what_it_says(tmp_path, chain, cells, mended):
    path = "contact.phone" if "phone" in chain else "properties.x"
    mapping = MAPPING + f"      {path}: {{column: X, transform: {chain}}}\n"
    report = checked(tmp_path, mapping, cells * 5)
    (remedy,) = report.remedies
    assert str(remedy) == f"test.yaml:7: {path}: {{column: X, transform: {mended}}}"
    assert (remedy.mended, remedy.tried, remedy.rows) == (10, 10, 10)
    assert checked(tmp_path, pasted(mapping, remedy), cells * 5).problems == ()


@pytest.mark.parametrize(
    ("cells", "chain"),
    [
        (["Anna <{0}>", "mailto:{0}", "{0}"], '[{regex_extract: "[^\\\\s<>(),;:]+@[^\\\\s<>(),;:]+"}]'),
        ([" {0} ", "\u00a0{0}", "{0}"], "[strip]"),
    ],
    ids=["text around it", "white space"],
)
def test_an_address_is_taken_out_of_what_surrounds_it(tmp_path, cells, chain):
    mapping = MAPPING.replace("E-mail", "X")
    written = [cell.format(f"a{place}{turn}@example.com") for turn in range(3) for place, cell in enumerate(cells)]
    report = checked(tmp_path, mapping, written)
    (remedy,) = report.remedies
    assert str(remedy) == f"test.yaml:6: contact.email: {{column: X, transform: {chain}}}"
    assert (remedy.code, remedy.mended, remedy.tried) == ("email-syntax", 6, 6)
    assert checked(tmp_path, pasted(mapping, remedy), written).problems == ()


def test_a_cell_with_two_addresses_is_not_cut_down_to_one(tmp_path):
    mapping = MAPPING.replace("E-mail", "X")
    assert checked(tmp_path, mapping, [f"a{n}@example.com; b{n}@example.com" for n in range(6)]).remedies == ()


def test_a_comma_in_tags_is_split(tmp_path):
    mapping = MAPPING + "      tags: X\n"
    (remedy,) = checked(tmp_path, mapping, ["a,b", "c", "d, e"] * 3).remedies
    assert str(remedy) == 'test.yaml:7: tags: {column: X, transform: [{split: ","}]}'
    assert checked(tmp_path, pasted(mapping, remedy), ["a,b", "c", "d, e"] * 3).problems == ()


def test_an_enumeration_in_small_letters_is_raised(tmp_path):
    mapping = EVENT + "      contactExtEventType: X\n"
    (remedy,) = checked(tmp_path, mapping, ["purchase", "PURCHASE", "Cart"] * 3).remedies
    assert str(remedy) == "test.yaml:8: contactExtEventType: {column: X, transform: [upper]}"


def test_an_enumeration_that_is_mistyped_is_mapped(tmp_path):
    mapping = EVENT + "      contactExtEventType: X\n"
    (remedy,) = checked(tmp_path, mapping, ["PURCHSE", "PURCHASE", "PURCHASES"] * 3).remedies
    told = "{column: X, transform: [{map: {values: {PURCHASE: PURCHASE, PURCHSE: PURCHASE, PURCHASES: PURCHASE}}}]}"
    assert remedy.line == f"contactExtEventType: {told}"


def test_a_field_that_is_often_blank_need_not_be_required(tmp_path):
    mapping = MAPPING + "      contact.name: {column: X, required: true}\n"
    (remedy,) = checked(tmp_path, mapping, ["", "", "Anna"] * 3).remedies
    assert str(remedy) == "test.yaml:7: contact.name: X"


def test_rows_without_the_address_are_left_out_by_a_condition(tmp_path):
    (remedy,) = checked(tmp_path, MAPPING.replace("E-mail", "X"), ["", "", "x@example.com"] * 3).remedies
    assert (remedy.line, remedy.code, remedy.mended) == ('when: "{X} is not blank"', "required", 6)


def test_a_condition_that_stands_is_kept_beside_the_new_one(tmp_path):
    mapping = MAPPING.replace("E-mail", "X").replace("    fields", "    when: \"{E-mail} != 'none'\"\n    fields")
    (remedy,) = checked(tmp_path, mapping, ["", "", "x@example.com"] * 3).remedies
    assert str(remedy) == "test.yaml:5: when: \"({E-mail} != 'none') and {X} is not blank\""
    assert checked(tmp_path, pasted(mapping, remedy), ["", "", "x@example.com"] * 3).counts["skipped"] == 6


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("X == 'yes'", "lower(X) == 'yes'"),
        ("{X} == 'Yes'", "lower({X}) == 'yes'"),
        ("X in ['yes', 'ja'] and {E-mail} != 'X'", "lower(X) in ['yes', 'ja'] and {E-mail} != 'X'"),
    ],
    ids=["bare", "capital in the constant", "a list, and another column"],
)
def test_a_condition_that_misses_words_by_their_case_reads_small_letters(tmp_path, written, line):
    mapping = MAPPING.replace("    fields", f'    when: "{written}"\n    fields')
    cells = ["Yes", "yes", "YES "] * 3
    (remedy,) = checked(tmp_path, mapping, cells).remedies
    assert str(remedy) == f'test.yaml:5: when: "{line}"'
    assert (remedy.code, remedy.mended, remedy.tried) == ("near-miss", 6, 6)
    assert checked(tmp_path, pasted(mapping, remedy), cells).counts == {"planned": 9}


def test_a_line_that_would_change_good_cells_is_not_proposed(tmp_path):
    mapping = MAPPING + "      properties.x: {column: X, transform: [{number: {decimal: '.', thousands: ','}}]}\n"
    report = checked(tmp_path, mapping, ["1,234.50", "7.25", "12,5", "3,75", "8,25"] * 3)
    assert report.problems == (("not-a-number", "properties.x", "error", 9),)
    assert report.remedies == ()


def test_a_line_that_mends_fewer_than_half_is_not_proposed(tmp_path):
    mapping = MAPPING + "      properties.x: {column: X, transform: [boolean]}\n"
    assert checked(tmp_path, mapping, ["n/a", "perhaps", "often", "tak"] * 3).remedies == ()


def test_two_bad_cells_are_mended_in_the_sheet(tmp_path):
    mapping = MAPPING + "      properties.x: {column: X, transform: [boolean]}\n"
    assert checked(tmp_path, mapping, ["n/a", "n/a", "tak"]).remedies == ()


def test_a_remedy_that_mends_most_says_of_how_many(tmp_path):
    mapping = MAPPING + "      properties.x: {column: X, transform: [boolean]}\n"
    (remedy,) = checked(tmp_path, mapping, ["n/a", "n/a", "perhaps", "tak"] * 3).remedies
    assert (remedy.mended, remedy.tried, remedy.rows) == (6, 9, 9)


def test_words_that_a_list_tells_apart_by_case_are_not_thrown_together(tmp_path):
    mapping = MAPPING + "      properties.x: {column: X, transform: [{map: {values: {Ja: a, ja: b}}}]}\n"
    (remedy,) = checked(tmp_path, mapping, ["JA", "Ja"] * 3).remedies
    assert "ignore_case" not in remedy.line
    assert checked(tmp_path, pasted(mapping, remedy), ["JA", "Ja"] * 3).problems == ()


def test_a_line_holds_ten_words_at_most(tmp_path):
    words = ["n/a", "N/A", "null", "NULL", "-", "--", "?", "brak", "nil", "None", "none", "NaN"]
    mapping = MAPPING + "      properties.x: {column: X, transform: [boolean]}\n"
    (remedy,) = checked(tmp_path, mapping, words).remedies
    assert (remedy.mended, remedy.tried) == (10, 12)


def test_the_summary_holds_the_remedies(tmp_path):
    mapping = MAPPING + "      properties.x: {column: X, transform: [boolean]}\n"
    report = checked(tmp_path, mapping, ["n/a"] * 3)
    assert json.loads(report.summary_path.read_text())["remedies"] == [
        {
            "where": "test.yaml:7", "line": "properties.x: {column: X, transform: [{blank_if: [n/a]}, boolean]}",
            "record": 1, "field": "properties.x", "code": "not-a-boolean", "mends": 3, "of": 3, "rows": 3,
        }
    ]  # fmt: skip


def test_three_remedies_are_shown_and_the_rest_counted(tmp_path):
    names = "abcde"
    fields = "".join(f"      properties.{n}: {{column: {n}, transform: [boolean]}}\n" for n in names)
    rows = "".join(f"a{place}@example.com;{';'.join(['n/a'] * 5)}\n" for place in range(4))
    sheet = write_csv(tmp_path / "sheet.csv", f"E-mail;{';'.join(names)}\n{rows}")
    report = etl.check(mapping_of(MAPPING + fields, tmp_path), [sheet], options=etl.Options(out=tmp_path / "out"))
    assert [line.plain for line in remedy_lines(report, pasted_in(report, 100, room=9), 100)] == [
        "Paste   test.yaml:7 mends all 4: neither yes nor no, in properties.a  (and 2 more: see summary.json)",
        "        properties.a: {column: a, transform: [{blank_if: [n/a]}, boolean]}",
        "        test.yaml:8 mends all 4: neither yes nor no, in properties.b",
        "        properties.b: {column: b, transform: [{blank_if: [n/a]}, boolean]}",
        "        test.yaml:9 mends all 4: neither yes nor no, in properties.c",
        "        properties.c: {column: c, transform: [{blank_if: [n/a]}, boolean]}",
    ]
    assert remedy_lines(report, pasted_in(report, 80, room=4), 80)[0].plain == (
        "Paste   test.yaml:7 mends all 4: neither yes nor no, in properties.a  (2 of 5)"
    )


def test_a_sound_file_needs_no_remedy(tmp_path):
    report = checked(tmp_path, MAPPING, ["x"])
    assert report.remedies == ()
    assert pasted_in(report, 80, room=15) == []
