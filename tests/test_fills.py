"""Fill rates of a mapping's fields, against a plain recount, and where a field comes from, in words."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import CONTACT, mapping_of, rig, write_csv, write_rows

import etl
from etl.fills import MOST_KEYS
from etl.report import FieldFill, RunReport

HEADER = ["E-mail", "First", "Last", "Tags", "When"]
MAPPING = """\
version: 1
name: test
records:
  - action: contact.upsert
    when: "When == 'yes'"
    fields:
      contact.email: {column: E-mail, transform: lower}
      contact.name: {template: "{First} {Last}"}
      contact.fax: {column: First, blank: clear}
      contact.phone: {column: Last, default: none}
      tags: {column: Tags, transform: [{split: ","}, upper]}
      properties.source: {value: fair}
  - action: event.create
    fields:
      email: E-mail
      contactExtEventType: {value: VISIT}
      description: First
"""


def checked(folder: Path, mapping: str, rows: list[list[str]], header: list[str]) -> RunReport:
    sheet = write_rows(folder / "sheet.csv", [header, *rows])
    return etl.check(mapping_of(mapping, folder), [sheet], options=etl.Options(out=folder / "out", rows_per_chunk=3))


def rates(report: RunReport) -> dict[tuple[int, str], tuple[int, int]]:
    return {(fill.record, fill.field): (fill.filled, fill.rows) for fill in report.fills}


CELL = st.sampled_from(["", " ", "a", "b c"])
ROWS = st.lists(
    st.tuples(st.sampled_from(["a@example.com", "B@example.com", ""]), CELL, CELL, st.sampled_from(["", ",", "x,y"]),
              st.sampled_from(["yes", "no"])),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_a_field_is_filled_as_often_as_a_plain_count_says(tmp_path_factory, rows):
    report = checked(tmp_path_factory.mktemp("run"), MAPPING, [list(row) for row in rows], HEADER)
    said_yes = [row for row in rows if row[4] == "yes"]
    expected = {
        (1, "contact.email"): sum(bool(row[0]) for row in said_yes),
        (1, "contact.name"): sum(bool(row[1].strip() or row[2].strip()) for row in said_yes),
        (1, "contact.fax"): sum(bool(row[1].strip()) for row in said_yes),
        (1, "contact.phone"): len(said_yes),
        (1, "tags"): sum(row[3] == "x,y" for row in said_yes),
        (1, "properties.source"): len(said_yes),
        (2, "email"): sum(bool(row[0]) for row in rows),
        (2, "contactExtEventType"): len(rows),
        (2, "description"): sum(bool(row[1].strip()) for row in rows),
    }
    of = {1: len(said_yes), 2: len(rows)}
    assert rates(report) == {key: (count, of[key[0]]) for key, count in expected.items()}


def test_a_value_that_failed_fills_nothing_and_a_refused_row_is_not_counted(tmp_path):
    mapping = CONTACT + "      properties.n: {column: N, transform: integer}\n"
    sheet = write_csv(
        tmp_path / "s.csv", "E-mail;N\na@example.com;1\nb@example.com;x\nnobody;2\nc@example.com;1;2\n;\n"
    )
    report = etl.check(mapping_of(mapping, tmp_path), [sheet], options=etl.Options(out=tmp_path / "out"))
    assert rates(report) == {(1, "contact.email"): (3, 3), (1, "properties.n"): (2, 3)}


@pytest.mark.parametrize(
    ("field", "source", "transforms"),
    [
        ("contact.name: Name", 'column "Name"', ()),
        ("contact.name: {column: [Surname, name], transform: [strip, title]}", 'column "Name"', ("strip", "title")),
        ("contact.name: {column: Fax, optional: true}", 'column "Fax" (not in the file)', ()),
        ('contact.name: {template: "{Name} of {E-mail}"}', 'template "{Name} of {E-mail}"', ()),
        ("contact.name: {value: Anna}", "constant Anna", ()),
        (
            "tags: {all: [{column: Name, transform: {split: ','}}, {value: NEW}], transform: upper}",
            'column "Name" and constant NEW', ("split", "upper"),
        ),
    ],
    ids=["column", "alternatives", "absent", "template", "constant", "all"],
)  # fmt: skip
def test_where_a_field_comes_from_is_said_in_words(tmp_path, field, source, transforms):
    report = checked(tmp_path, CONTACT + f"      {field}\n", [["a@example.com", "Anna"]], ["E-mail", "Name"])
    assert report.fills[0] == FieldFill(
        1, "contact.upsert", "contact.email", 'column "E-mail"', (), 1, 1, required=True
    )
    assert (report.fills[1].source, report.fills[1].transforms) == (source, transforms)


def test_two_tables_that_call_a_column_differently_are_both_named(tmp_path):
    mapping = CONTACT.replace("contact.email: E-mail", "contact.email: [E-mail, Mail]")
    first = write_csv(tmp_path / "a.csv", "E-mail\na@example.com\n")
    second = write_csv(tmp_path / "b.csv", "Mail\nb@example.com\n")
    report = etl.check(mapping_of(mapping, tmp_path), [first, second], options=etl.Options(out=tmp_path / "out"))
    assert report.fills == (
        FieldFill(1, "contact.upsert", "contact.email", 'column "E-mail" or "Mail"', (), 2, 2, required=True),
    )


def test_a_dynamic_field_is_told_key_by_key(tmp_path):
    mapping = CONTACT + '      properties: {columns: {Shop: shop}, columns_like: "x_*", keys: "*"}\n'
    rows = [["a@example.com", "B", "1"], ["b@example.com", "", "2"]]
    report = checked(tmp_path, mapping, rows, ["E-mail", "Shop", "x_age"])
    assert [(fill.field, fill.source, fill.filled, fill.rows) for fill in report.fills[1:]] == [
        ("properties.shop", 'column "Shop"', 1, 2), ("properties.age", 'column "x_age"', 2, 2),
    ]  # fmt: skip


def test_a_dynamic_field_of_very_many_keys_is_told_as_a_whole(tmp_path):
    keys = [f"x_{n}" for n in range(MOST_KEYS + 1)]
    mapping = CONTACT + '      properties: {columns_like: "x_*"}\n'
    rows = [["a@example.com", *["1"] * len(keys)], ["b@example.com", "1", *[""] * (len(keys) - 1)]]
    report = checked(tmp_path, mapping, rows, ["E-mail", *keys])
    assert [(fill.field, fill.source, fill.filled, fill.rows) for fill in report.fills[1:]] == [
        ("properties.*", "51 columns", 52, 102)
    ]


def test_a_run_knows_its_fills_and_when_it_sent(tmp_path):
    sheet = write_csv(tmp_path / "sheet.csv", "E-mail\na@example.com\nb@example.com\nnobody\n")
    with rig(tmp_path) as where:
        report = where.run(CONTACT, sheet)
    assert rates(report) == {(1, "contact.email"): (3, 3)}
    assert [group.count for group in report.groups] == [1]
    assert sum(one.delivered for one in report.timeline.moments) == 2
    assert sum(one.requests for one in report.timeline.moments) == 2
    with report.results_path.open(encoding="utf-8-sig", newline="") as stream:
        sent = [row["sent_at"] for row in csv.DictReader(stream) if row["sent_at"]]
    assert len(sent) == 2
