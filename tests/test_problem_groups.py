"""Groups of problems: counted like a plain Counter, named like a person names a cell, with what was meant."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import CONTACT, mapping_of, write_csv

import etl
from etl.codes import CODES
from etl.issues import IssueBatch
from etl.problem_groups import EXAMPLES, LONGEST, MANY_KINDS, SHOWN_VALUES, Groups, Place, Tally
from etl.records import Severity, SourceRef
from etl.report import ProblemGroup, RunReport

HEADER = ("E-mail", "Country", "")
WORDS = st.text(st.sampled_from("abż "), max_size=3)
CHUNKS = st.lists(st.lists(st.none() | WORDS, max_size=30), max_size=8)


def issues(values: list[str | None], columns: tuple[int, ...] = (1,), **changes: object) -> IssueBatch:
    places = np.arange(len(values), dtype=np.int64)
    messages = pa.array([f"'{value or ''}' is wrong" for value in values], pa.string())
    given_ = {"record": 1, "field": "contact.address.country", "code": "not-a-country", **changes}
    return IssueBatch(
        columns=columns, severity=Severity.ERROR, places=places, values=pa.array(values, pa.string()),
        messages=messages, hint="mend it", **given_,
    )  # fmt: skip


def place(rows: list[int], sheet: str = "", index: int = 0, **changes: object) -> Place:
    return Place(SourceRef(index, "in/people.csv", sheet), np.array(rows, dtype=np.int64), HEADER, **changes)


@given(CHUNKS)
def test_values_are_counted_like_a_counter_as_long_as_there_are_not_too_many(chunks):
    tally = Tally()
    for values in chunks:
        tally.add(pa.array(values, pa.string()))
    expected = Counter(value for values in chunks for value in values if value)
    assert tally.counts == expected
    assert tally.distinct == len(expected)
    assert tally.top(5) == tuple(sorted(expected.items(), key=lambda item: (-item[1], item[0]))[:5])


@given(CHUNKS, st.integers(1, 4))
def test_of_too_many_values_the_counts_are_lower_bounds_and_it_is_said(chunks, most):
    tally = Tally(most)
    for values in chunks:
        tally.add(pa.array(values, pa.string()))
    expected = Counter(value for values in chunks for value in values if value)
    assert all(count <= expected[value] for value, count in tally.counts.items())
    assert tally.distinct == (len(expected) if len(expected) <= most else None)
    assert len(tally.counts) <= 2 * most


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(0, 2))
def test_chunks_cut_elsewhere_give_the_same_groups(values, cut):
    texts = [f"v{value}" for value in values]
    whole, parts = Groups(), Groups()
    whole.take([issues(texts)], place(list(range(2, len(texts) + 2))))
    for start in range(0, len(texts), cut + 1):
        part = texts[start : start + cut + 1]
        parts.take([issues(part)], place(list(range(start + 2, start + 2 + len(part)))))
    assert whole.found() == parts.found()


def test_a_value_in_half_of_ten_thousand_different_ones_is_found():
    tally = Tally()
    for chunk in range(20):
        tally.add(pa.array([f"{chunk}-{n}" for n in range(5_000)] + ["Polska"] * 50))
    assert tally.top(1) == (("Polska", 1_000),)
    assert tally.distinct is None


def test_a_long_value_is_cut_and_then_nobody_knows_how_many_there_are():
    tally = Tally()
    tally.add(pa.array(["x" * 9_000] * 9))
    assert tally.top(1) == (("x" * LONGEST + "…", 9),)
    assert tally.distinct is None


def test_the_later_ones_of_very_many_kinds_keep_few_values():
    groups = Groups()
    for kind in range(MANY_KINDS + 1):
        groups.take([issues([f"v{n}" for n in range(200)], field=f"properties.k{kind}")], place(list(range(2, 202))))
    by_field = {group.field: group for group in groups.found()}
    assert by_field["properties.k0"].distinct == 200
    assert by_field[f"properties.k{MANY_KINDS}"].distinct is None


def test_a_group_is_of_one_record_field_code_severity_and_column():
    groups = Groups()
    rows = place([2, 3])
    changed = [{}, {"record": 2}, {"field": "tags"}, {"code": "too-long"}, {"columns": (0,)}]
    groups.take([issues(["a", "b"], **change) for change in changed], rows)
    groups.take([issues(["a", "b"])], place([4, 5]))
    assert [group.count for group in groups.found()] == [4, 2, 2, 2, 2]


def test_mistyped_addresses_are_grouped_by_what_follows_the_at():
    groups = Groups()
    values = ["a@gmial.com", "b@gmial.com", "c@wp.pll"]
    groups.take([issues(values, code="email-typo", field="contact.email", columns=(0,))], place([2, 3, 4]))
    (group,) = groups.found()
    assert group.values == (("@gmial.com", 2), ("@wp.pll", 1))


def test_the_examples_are_the_first_three_whatever_the_order_they_are_told_in():
    groups = Groups()
    late = issues(["d", "e"]).at(np.array([5, 4]))
    early = issues(["b", "a"]).at(np.array([3, 1]))
    groups.take([late, early], place([2, 3, 4, 5, 6, 7]))
    (group,) = groups.found()
    assert [(one.where, one.value) for one in group.examples] == [
        ('row 3, column "Country"', "a"), ('row 5, column "Country"', "b"), ('row 6, column "Country"', "e"),
    ]  # fmt: skip
    assert group.examples[0].message == "'a' is wrong"


@pytest.mark.parametrize(
    ("at", "columns", "told"),
    [
        (place([17]), (1,), 'row 17, column "Country"'),
        (place([17]), (0, 1), 'row 17, columns "E-mail", "Country"'),
        (place([17]), (2,), "row 17, column C"),
        (place([17]), (), "row 17"),
        (place([17], names_file=True), (1,), 'row 17 of people.csv, column "Country"'),
        (place([1042], "Contacts", columns=4), (1,), "Contacts!F1042"),
        (place([6], "Contacts", columns=(1, 2, 9)), (0, 2), "Contacts!B6, J6"),
        (place([6], "Kunden '24"), (0,), "'Kunden ''24'!A6"),
        (place([6], "2024"), (0,), "'2024'!A6"),
        (place([6], "Contacts"), (), "Contacts, row 6"),
        (place([6], "Contacts", names_file=True), (0,), "Contacts!A6 of people.csv"),
    ],
    ids=["text", "several", "nameless", "row", "files", "sheet", "cells", "quoted", "digits", "sheet row", "books"],
)
def test_a_cell_is_named_as_a_person_names_it(at, columns, told):
    assert at.of(int(at.rows[0]), columns) == told


# ---- whole runs


def checked(folder: Path, mapping: str, cells: list[str], name: str = "X") -> RunReport:
    rows = "".join(f"a{n}@example.com;{cell}\n" for n, cell in enumerate(cells))
    sheet = write_csv(folder / "sheet.csv", f"E-mail;{name}\n{rows}")
    return etl.check(mapping_of(mapping, folder), [sheet], options=etl.Options(out=folder / "out"))


def test_the_groups_of_a_run_add_up_to_its_problems(tmp_path):
    cells = ["Polsak"] * 5 + ["", "Atlantis", "PL", "Pol ska"] * 3
    mapping = CONTACT + "      contact.address.country: {column: Land, transform: country, required: true}\n"
    report = checked(tmp_path, mapping, cells, "Land")
    assert [(g.code, g.field, g.severity, g.count) for g in report.groups] == list(report.problems)
    assert report.groups[0] == ProblemGroup(
        "not-a-country", "contact.address.country", "Land", "error", 8, CODES["not-a-country"].hint,
        values=(("Polsak", 5), ("Atlantis", 3)), distinct=2, suggestion="did you mean PL?", record=1,
        examples=report.groups[0].examples,
    )  # fmt: skip
    assert [one.where for one in report.groups[0].examples] == [f'row {row}, column "Land"' for row in (2, 3, 4)]


def test_keys_that_are_there_twice_are_a_group_too(tmp_path):
    mapping = CONTACT.replace("upsert\n", "upsert\n    duplicates: error\n")
    sheet = write_csv(tmp_path / "sheet.csv", "E-mail\na@example.com\nb@example.com\na@example.com\n")
    report = etl.check(mapping_of(mapping, tmp_path), [sheet], options=etl.Options(out=tmp_path / "out"))
    (group,) = report.groups
    assert (group.code, group.column, group.count) == ("duplicate-key", "E-mail", 2)
    assert group.values == (("a@example.com", 2),)
    assert [one.where for one in group.examples] == ['row 2, column "E-mail"', 'row 4, column "E-mail"']


def test_in_a_workbook_the_cell_is_named(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Contacts"
    for row in ([], [None, "E-mail"], [None, "a@example.com"], [None, "nobody"]):
        sheet.append(row)
    book.save(tmp_path / "people.xlsx")
    report = etl.check(
        mapping_of(CONTACT, tmp_path), [tmp_path / "people.xlsx"], options=etl.Options(out=tmp_path / "o")
    )
    assert [one.where for one in report.groups[0].examples] == ["Contacts!B4"]


@pytest.mark.parametrize(
    ("field", "cells", "told"),
    [
        ("contact.address.country: {column: X, transform: country}", ["Polsak"] * 3, "did you mean PL?"),
        (
            "contact.address.country: {column: X, transform: country}", ["Polsak", "Niemyc", "Atlantis"],
            'did you mean DE for "Niemyc", PL for "Polsak"?',
        ),
        ("contact.address.country: {column: X, transform: country}", ["Atlantis"] * 3, ""),
        (
            "contact.address.country: {column: X, transform: {regex_extract: '^([A-Z]{2})$'}}", ["Polska"] * 4,
            "did you mean PL?",
        ),
        (
            "contact.address.country: {column: X, transform: {map: {values: {PL: PL, DE: DE}}}}",
            ["Polska"] * 3 + ["Deutschland"], "did you mean PL?",
        ),
        ("properties.shop: {column: X, transform: {map: {values: {Berlin: B}}}}", ["Berlni"] * 2, "did you mean Berlin?"),
        ("properties.shop: {column: X, transform: {map: {values: {Berlin: B}}}}", ["Kraków"] * 2, ""),
        ("newEmail: X", ["a@gmial.com", "b@gmial.com"], "did you mean gmail.com?"),
        (
            "properties.born: {column: X, transform: {date: [YYYY-MM-DD]}}", ["31.01.2024"] * 3,
            (
                "this line of the mapping mends all 3: "
                "properties.born: {column: X, transform: [{date: {formats: [YYYY-MM-DD, DD.MM.YYYY]}}]}"
            ),
        ),
        ("properties.born: {column: X, transform: {date: [YYYY-MM-DD]}}", ["spring"] * 3, ""),
    ],
    ids=[
        "country", "countries", "no country", "pattern", "map of codes", "map", "far", "mistyped", "a line", "nothing",
    ],
)  # fmt: skip
def test_what_was_probably_meant_is_suggested(tmp_path, field, cells, told):
    (group,) = checked(tmp_path, CONTACT + f"      {field}\n", cells).groups
    assert group.suggestion == told


def test_of_an_enumeration_the_nearest_word_is_suggested(tmp_path):
    mapping = (
        "version: 1\nname: e\nrecords:\n  - action: event.create\n    fields:\n"
        "      email: E-mail\n      contactExtEventType: X\n"
    )
    (group,) = checked(tmp_path, mapping, ["Purchase"] * 2 + ["PURCHASE", "purchse"]).groups
    assert (group.code, group.suggestion) == ("not-in-enumeration", "did you mean PURCHASE?")


def test_a_country_that_two_are_alike_is_not_guessed():
    from etl.transforms.countries import nearest_country

    assert [nearest_country(name) for name in ("Polsak", "Polska", "Niger", "Nigeri", "Austrlia", "XQ", "")] == [
        "PL", "PL", "NE", None, None, None, None,
    ]  # fmt: skip


def test_a_group_shows_few_of_its_values_and_examples(tmp_path):
    report = checked(tmp_path, CONTACT + "      newEmail: X\n", [f"nobody {n}" for n in range(50)])
    (group,) = report.groups
    assert (len(group.values), len(group.examples), group.distinct) == (SHOWN_VALUES, EXAMPLES, 50)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["PL", "Polsak", "Polsak", "Atlantis", "", "nowhere"]), min_size=1, max_size=30))
def test_the_values_of_a_run_are_those_of_its_file(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("run")
    report = checked(folder, CONTACT + "      contact.address.country: {column: X, transform: country}\n", cells)
    expected = Counter(cell for cell in cells if cell not in {"PL", ""})
    found = dict(report.groups[0].values) if report.groups else {}
    assert found == expected
