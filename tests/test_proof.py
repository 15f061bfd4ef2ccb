"""Dates and amounts by proof over the whole column: what is used, what is refused, what stops, and what is said."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import issues_of, job_of, mapping_of, write_csv

from etl.errors import SourceError
from etl.job import Job, open_job
from etl.mapping import bind
from etl.pipeline import Plan, prepare
from etl.proofs import prove
from etl.records import TEXT, Chunk, SourceRef

AMBIGUOUS = ["03/04/2024", "05/06/2024"]


def mapping(fields: str) -> str:
    lines = "".join(f"      {line}\n" for line in fields.splitlines())
    return f"version: 1\nname: test\nrecords:\n  - action: event.create\n    fields:\n      email: E-mail\n{lines}"


def sheet(*columns: list[str], names: str = "Ordered") -> str:
    rows = [";".join([f"c{number}@example.com", *cells]) for number, cells in enumerate(zip(*columns, strict=True))]
    return "\n".join([f"E-mail;{names}", *rows]) + "\n"


def sent(job: Job, field: str) -> list[object]:
    """Return the field of every row, None where the row is not sent."""
    found: list[object] = []
    for bound, chunk in job.chunks(10_000):
        (record,) = prepare(chunk, bound.plan, bound.binding).records
        values: list[object] = [None] * len(chunk.blank)
        for place, body in zip(record.places.tolist(), record.bodies.to_pylist(), strict=True):
            values[place] = json.loads(body).get(field)
        found += values
    return found


def dates(folder: Path, cells: list[str], transform: str = "date") -> Job:
    return job_of(folder, mapping(f"detail1: {{column: Ordered, transform: [{transform}]}}"), sheet(cells))


def amounts(folder: Path, cells: list[str], transform: str = "number") -> Job:
    return job_of(folder, mapping(f"detail1: {{column: Ordered, transform: [{transform}]}}"), sheet(cells))


def refusal(folder: Path, fields: str, text: str) -> str:
    with pytest.raises(SourceError) as caught:
        job_of(folder, mapping(fields), text)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(f"{folder}/", "")


class TestDates:
    @pytest.mark.parametrize(
        ("cells", "read", "note"),
        [
            (["03/04/2024", "23/04/2024"], ["2024-04-03", "2024-04-23"], "day first: B3 = 23/04/2024 rules out month first"),
            (["03/04/2024", "04/23/2024"], ["2024-03-04", "2024-04-23"], "month first: B3 = 04/23/2024 rules out day first"),
            (["3.4.24", "23.4.24 10:15"], ["2024-04-03", "2024-04-23"], "day first: B3 = 23.4.24 10:15 rules out month first"),
            (["03-04-2024", "", "x", "23/04/24"], ["2024-04-03", None, None, "2024-04-23"], "day first: B5 = 23/04/24 rules out month first"),
            (["2024-04-03", "2024/4/3", "23/04/24"], ["2024-04-03", "2024-04-03", "2024-04-23"], "day first: B4 = 23/04/24 rules out month first"),
        ],
        ids=["day first", "month first", "two digits and a time", "any sign", "among other forms"],
    )  # fmt: skip
    def test_are_read_as_the_one_order_that_reads_all_of_them(self, tmp_path, cells, read, note):
        job = dates(tmp_path, cells)
        assert sent(job, "detail1") == read
        assert f"the dates of 'Ordered' are read {note}" in job.notes

    def test_that_read_either_way_are_refused_with_both_readings_and_the_line_to_write(self, tmp_path):
        told = refusal(
            tmp_path, "detail1: {column: Ordered, transform: [strip, date], required: true}", sheet(AMBIGUOUS)
        )
        assert told == (
            "sheet.csv: the dates of 'Ordered' can be read in two ways, and no cell tells which: "
            "B2 = 03/04/2024 is 3 April 2024 (day first) or 4 March 2024 (month first)\n"
            "  hint: write one of these into test.yaml, line 7\n"
            "    detail1: {column: Ordered, transform: [strip, {date: {day_first: true}}], required: true}  # 3 April 2024\n"
            "    detail1: {column: Ordered, transform: [strip, {date: {day_first: false}}], required: true}  # 4 March 2024"
            "   [dates-ambiguous]"
        )

    def test_that_read_the_same_in_both_orders_are_no_question(self, tmp_path):
        job = dates(tmp_path, ["03/03/2024", "12.12.2024"])
        assert sent(job, "detail1") == ["2024-03-03", "2024-12-12"]
        assert [note for note in job.notes if "Ordered" in note and "are read" in note] == []

    def test_in_both_orders_leave_what_could_be_either_an_issue_of_its_row(self, tmp_path):
        job = dates(tmp_path, ["23/04/2024", "04/23/2024", "03/04/2024"])
        assert sent(job, "detail1") == ["2024-04-23", "2024-04-23", None]
        assert (
            "the dates of 'Ordered' are written in both ways: B2 = 23/04/2024 is day first, "
            "B3 = 04/23/2024 is month first; a date that could be either is an issue of its row"
        ) in job.notes

    def test_of_no_calendar_rule_out_nothing(self, tmp_path):
        told = refusal(
            tmp_path, "detail1: {column: Ordered, transform: [date]}", sheet([*AMBIGUOUS, "31/02/2024", "45/13/2024"])
        )
        assert told.endswith("[dates-ambiguous]")

    def test_in_a_blank_or_broken_row_are_no_evidence(self, tmp_path):
        text = sheet(AMBIGUOUS) + "d@example.com;23/04/2024;one too many\n"
        told = refusal(tmp_path, "detail1: {column: Ordered, transform: [date]}", text)
        assert told.endswith("[dates-ambiguous]")

    def test_are_read_after_the_transforms_before(self, tmp_path):
        job = dates(tmp_path, ["on 03/04/2024", "on 23/04/2024"], "{replace: {old: 'on ', new: ''}}, date")
        assert sent(job, "detail1") == ["2024-04-03", "2024-04-23"]

    def test_beyond_the_limit_count_as_well(self, tmp_path):
        text = mapping("detail1: {column: Ordered, transform: [date]}")
        job = job_of(tmp_path, text, sheet(["03/04/2024", "23/04/2024"]), limit=1)
        assert sent(job, "detail1") == ["2024-04-03"]

    def test_of_every_column_in_doubt_are_told_at_once(self, tmp_path):
        fields = "detail1: {column: Ordered, transform: [date]}\nvalue: {column: Total, transform: [number]}"
        told = refusal(tmp_path, fields, sheet(AMBIGUOUS, ["1,234", "1"], names="Ordered;Total"))
        assert told.splitlines()[:3] == [
            "2 columns are not read:",
            (
                "sheet.csv: the dates of 'Ordered' can be read in two ways, and no cell tells which: "
                "B2 = 03/04/2024 is 3 April 2024 (day first) or 4 March 2024 (month first)"
            ),
            (
                "sheet.csv: the amounts of 'Total' can be read in two ways, and no cell tells which: "
                "C2 = 1,234 is 1234 (a decimal point) or 1.234 (a decimal comma)"
            ),
        ]

    def test_that_feed_two_fields_are_told_once_with_every_line_to_write(self, tmp_path):
        fields = "detail1: {column: Ordered, transform: [date]}\ndetail2: {column: Ordered, transform: [date]}"
        told = refusal(tmp_path, fields, sheet(AMBIGUOUS))
        assert told.count("can be read in two ways") == 1
        assert "detail1: {column: Ordered, transform: [{date: {day_first: true}}]}" in told
        assert "detail2: {column: Ordered, transform: [{date: {day_first: true}}]}" in told

    def test_of_each_file_are_proved_by_that_file(self, tmp_path):
        text = mapping("detail1: {column: Ordered, transform: [date]}")
        files = [
            write_csv(tmp_path / "eu.csv", sheet(["03/04/2024", "23/04/2024"])),
            write_csv(tmp_path / "us.csv", sheet(["03/04/2024", "04/23/2024"])),
        ]
        job = open_job(mapping_of(text, tmp_path), files, None)
        assert sent(job, "detail1") == ["2024-04-03", "2024-04-23", "2024-03-04", "2024-04-23"]

    def test_of_many_columns_at_once_are_proved_column_by_column(self, tmp_path):
        text = (
            "version: 1\nname: t\nrecords:\n  - action: contact.upsert\n    fields:\n      contact.email: E-mail\n"
            "      properties: {columns: [A, B], transform: [date]}\n"
        )
        rows = sheet(["03/04/2024", "23/04/2024"], ["03/04/2024", "04/23/2024"], names="A;B")
        job = job_of(tmp_path, text, rows)
        assert sent(job, "properties") == [
            {"A": "2024-04-03", "B": "2024-03-04"}, {"A": "2024-04-23", "B": "2024-04-23"},
        ]  # fmt: skip

    def test_of_a_part_of_a_list_are_proved_and_refused_in_their_line(self, tmp_path):
        text = (
            "version: 1\nname: t\nrecords:\n  - action: contact.upsert\n    fields:\n      contact.email: E-mail\n"
            "      tags: {all: [{column: Ordered, transform: [date]}, {value: vip}]}\n"
        )
        job = job_of(tmp_path, text, sheet(["03/04/2024", "23/04/2024"]))
        assert sent(job, "tags") == [["2024-04-03", "vip"], ["2024-04-23", "vip"]]
        with pytest.raises(SourceError) as caught:
            job_of(tmp_path, text, sheet(AMBIGUOUS))
        line = "tags: {all: [{column: Ordered, transform: [{date: {day_first: true}}]}, {value: vip}]}  # 3 April 2024"
        assert line in caught.value.hint


class TestAmounts:
    @pytest.mark.parametrize(
        ("cells", "read", "note"),
        [
            (["1,234", "12.50"], ["1234", "12.5"], "with a decimal point: B3 = 12.50 rules out a decimal comma"),
            (["1.234", "12,50"], ["1234", "12.5"], "with a decimal comma: B3 = 12,50 rules out a decimal point"),
            (["1.234", "1.234.567"], ["1234", "1234567"], "with a decimal comma: B3 = 1.234.567 rules out a decimal point"),
            (["1,234", "1234,567,890", "0.500"], ["1234", None, "0.5"], "with a decimal point: B4 = 0.500 rules out a decimal comma"),
            (["1.234", "1234.567"], ["1.234", "1234.567"], "with a decimal point: B3 = 1234.567 rules out a decimal comma"),
            (["1 234,5", "2.000", "1'000"], ["1234.5", "2000", "1000"], "with a decimal comma: B2 = 1 234,5 rules out a decimal point"),
            (["1\u00a0234,5", "-7"], ["1234.5", "-7"], "with a decimal comma: B2 = 1\u00a0234,5 rules out a decimal point"),
        ],
        ids=["point", "comma", "repeated groups", "a zero in front", "a long whole part", "several thousands signs", "nbsp"],
    )  # fmt: skip
    def test_are_read_by_the_one_sign_that_reads_all_of_them(self, tmp_path, cells, read, note):
        job = amounts(tmp_path, cells)
        assert sent(job, "detail1") == read
        assert f"the amounts of 'Ordered' are read {note}" in job.notes

    @pytest.mark.parametrize(
        ("cells", "read"),
        [
            (["12", "-7", "+3"], ["12", "-7", "3"]), (["12.50", "0.1"], ["12.5", "0.1"]),
            (["1 234", "12"], ["1234", "12"]), (["many", "12"], [None, "12"]),
        ],
        ids=["whole", "plain", "spaces", "garbage"],
    )  # fmt: skip
    def test_that_nobody_could_mistake_are_read_without_a_word(self, tmp_path, cells, read):
        job = amounts(tmp_path, cells)
        assert sent(job, "detail1") == read
        assert [note for note in job.notes if "amounts" in note] == []

    def test_with_a_currency_are_read_without_it(self, tmp_path):
        job = amounts(tmp_path, ["€ 1.234", "5,50 zł"], "{number: {currency: true}}")
        assert sent(job, "detail1") == ["1234", "5.5"]

    def test_that_read_either_way_are_refused_with_both_readings_and_the_line_to_write(self, tmp_path):
        told = refusal(
            tmp_path, "value: {column: Ordered, transform: [{number: {decimals: 2}}]}", sheet(["7", "1.234"])
        )
        assert told == (
            "sheet.csv: the amounts of 'Ordered' can be read in two ways, and no cell tells which: "
            "B3 = 1.234 is 1.234 (a decimal point) or 1234 (a decimal comma)\n"
            "  hint: write one of these into test.yaml, line 7\n"
            '    value: {column: Ordered, transform: [{number: {decimal: ".", decimals: 2}}]}  # 1.234\n'
            '    value: {column: Ordered, transform: [{number: {decimal: ",", thousands: ".", decimals: 2}}]}  # 1234'
            "   [amounts-ambiguous]"
        )

    def test_with_both_signs_leave_what_could_be_either_an_issue_of_its_row(self, tmp_path):
        job = amounts(tmp_path, ["12.50", "12,50", "1.234", "7"])
        assert sent(job, "detail1") == ["12.5", None, None, "7"]
        assert (
            "the amounts of 'Ordered' are written in both ways: B2 = 12.50 has a decimal point, "
            "B3 = 12,50 has a decimal comma; an amount that could be either is an issue of its row"
        ) in job.notes


class TestPins:
    @pytest.mark.parametrize(
        ("transform", "cells", "message"),
        [
            (
                "{date: {day_first: true}}", ["03/04/2024", "04/23/2024"],
                ("the mapping reads the dates of 'Ordered' day first (test.yaml, line 7), and the file has month first: "
                "B3 = 04/23/2024 rules out day first\n"
                "  hint: have the file saved as before, or change the line to\n"
                "    detail1: {column: Ordered, transform: [{date: {day_first: false}}]}   [pin-contradicted]"),
            ),
            (
                "{date: DD.MM.YYYY}", ["03.04.2024", "04/23/2024"],
                ("the mapping reads the dates of 'Ordered' day first (test.yaml, line 7), and the file has month first: "
                "B3 = 04/23/2024 rules out day first\n"
                "  hint: have the file saved as before, or change the formats there   [pin-contradicted]"),
            ),
            (
                '{number: {decimal: ",", thousands: "."}}', ["1.234", "12.50"],
                ("the mapping reads the amounts of 'Ordered' with a decimal comma (test.yaml, line 7), and the file has "
                "a decimal point: B3 = 12.50 rules out a decimal comma\n"
                "  hint: have the file saved as before, or change the line to\n"
                '    detail1: {column: Ordered, transform: [{number: {decimal: "."}}]}   [pin-contradicted]'),
            ),
            (
                '{number: {thousands: ","}}', ["1,234", "1.234,50"],
                ("the mapping reads the amounts of 'Ordered' with a decimal point (test.yaml, line 7), and the file has "
                "a decimal comma: B3 = 1.234,50 rules out a decimal point\n"
                "  hint: have the file saved as before, or change the line to\n"
                '    detail1: {column: Ordered, transform: [{number: {decimal: ",", thousands: "."}}]}   [pin-contradicted]'),
            ),
        ],
        ids=["day_first", "formats", "decimal", "thousands"],
    )  # fmt: skip
    def test_that_the_file_contradicts_stop_the_run(self, tmp_path, transform, cells, message):
        told = refusal(tmp_path, f"detail1: {{column: Ordered, transform: [{transform}]}}", sheet(cells))
        assert told == f"sheet.csv: {message}"

    @pytest.mark.parametrize(
        ("transform", "cells", "read"),
        [
            ("{date: {day_first: true}}", AMBIGUOUS, ["2024-04-03", "2024-06-05"]),
            ("{date: {day_first: true}}", ["23/04/2024", "04/23/2024"], ["2024-04-23", None]),
            ("{date: {formats: [DD/MM/YYYY, MM/DD/YYYY]}}", ["04/23/2024", "03/04/2024"], ["2024-04-23", "2024-04-03"]),
            ("{date: YYYY-MM-DD}", ["2024-04-23", "04/23/2024"], ["2024-04-23", None]),
            ('{number: {decimal: ","}}', ["1,234", "x"], ["1.234", None]),
            ('{number: {decimal: ","}}', ["1,5", "1.5"], ["1.5", None]),
        ],
        ids=["nothing against it", "both orders", "formats of both orders", "no order", "amounts", "amounts in both ways"],
    )  # fmt: skip
    def test_that_the_file_does_not_contradict_hold(self, tmp_path, transform, cells, read):
        assert sent(dates(tmp_path, cells, transform), "detail1") == read

    def test_that_a_first_witness_supports_read_no_further(self, tmp_path):
        loaded = mapping_of(mapping("detail1: {column: Ordered, transform: [{date: {day_first: true}}]}"), tmp_path)
        binding = bind(loaded, ("E-mail", "Ordered"), "s.csv")
        taken: list[int] = []

        def read(positions):
            assert positions == [1]
            for number in range(5):
                taken.append(number)
                yield chunk_of(["23/04/2024"], None, first_row=number + 2)

        prove(loaded, binding, 0, read)
        assert taken == [0]

    def test_without_a_date_or_a_number_the_table_is_not_read(self, tmp_path):
        loaded = mapping_of(mapping("detail1: {column: Ordered, transform: [upper, {date: YYYY-MM-DD}]}"), tmp_path)

        def read(_positions):
            raise AssertionError("read")

        assert prove(loaded, bind(loaded, ("E-mail", "Ordered"), "s.csv"), 0, read).mapping is loaded


def chunk_of(cells: list[str], typed: list[bool] | None, first_row: int = 2) -> Chunk:
    """Return a chunk of the column `Ordered`, as a workbook gives it."""
    index = pd.Index(np.arange(first_row, first_row + len(cells)), dtype=np.int64)
    emails = [f"c{number}@example.com" for number in range(len(cells))]
    frame = pd.DataFrame({0: emails, 1: cells}, index=index).astype(TEXT)
    masks = {} if typed is None else {1: np.array(typed)}
    header = ("E-mail", "Ordered")
    return Chunk(SourceRef(0, "s.xlsx", "Sheet1"), header, frame, np.zeros(len(cells), dtype=bool), typed=masks)


def typed_values(folder: Path, transform: str, cells: list[str], typed: list[bool]) -> tuple[list[object], list[str]]:
    """Return what is sent of a chunk with typed cells, by proof, and the notes."""
    loaded = mapping_of(mapping(f"detail1: {{column: Ordered, transform: [{transform}]}}"), folder)
    chunk = chunk_of(cells, typed)
    binding = bind(loaded, chunk.header, "s.xlsx")
    proof = prove(loaded, binding, 0, lambda _positions: (one for one in [chunk]))
    assert proof.refusals == ()
    prepared = prepare(chunk, Plan(proof.mapping), binding)
    values: list[object] = [None] * len(cells)
    (record,) = prepared.records
    for place, body in zip(record.places.tolist(), record.bodies.to_pylist(), strict=True):
        values[place] = json.loads(body)["detail1"]
    return values, list(proof.notes)


class TestTypedCells:
    @pytest.mark.parametrize(
        ("transform", "cells", "typed", "read"),
        [
            ('{number: {decimal: ",", thousands: "."}}', ["1.234", "1.234"], [True, False], ["1.234", "1234"]),
            ('strip, squeeze, {number: {decimal: ",", decimals: 1}}', ["1.25", "1,25"], [True, False], ["1.3", "1.3"]),
            ('{integer: {thousands: "."}}', ["1.234", "1.234"], [True, False], [None, "1234"]),
            ('{replace: {old: "5", new: ""}}, {number: {decimal: ",", thousands: "."}}', ["51.234", "1.5"], [True, True], ["1234", None]),
            ("number", ["1.234", "12,50", "1.000"], [True, False, False], ["1.234", "12.5", "1000"]),
            ("number", ["1.234", "1.5"], [True, True], ["1.234", "1.5"]),
            ("date", ["2024-03-04", "03/04/2024", "23/04/2024"], [True, False, False], ["2024-03-04", "2024-04-03", "2024-04-23"]),
        ],
        ids=["pinned", "unchanged on the way", "integer", "changed on the way", "proved by the texts", "all typed", "dates"],
    )  # fmt: skip
    def test_read_one_way_whatever_the_texts_beside_them_are(self, tmp_path, transform, cells, typed, read):
        assert typed_values(tmp_path, transform, cells, typed)[0] == read

    @pytest.mark.parametrize("transform", ["date", "{date: {day_first: true}}"])
    def test_of_dates_up_to_day_12_beside_texts_are_told_as_half_converted(self, tmp_path, transform):
        cells = ["2024-03-04", "23/04/2024", "2024-11-12 08:00:00"]
        _, notes = typed_values(tmp_path, transform, cells, [True, False, True])
        assert notes[-1] == (
            "'Ordered' holds real dates whose day is 12 at most, such as B2 = 2024-03-04, and other dates as text, such "
            "as B3 = 23/04/2024: the program that saved the file has taken some texts for dates, and probably exchanged "
            "day and month in them; import the original text again, with this column as text   [dates-half-converted]"
        )

    def test_of_dates_after_day_12_are_not_half_converted(self, tmp_path):
        cells = ["2024-03-04", "23/04/2024", "2024-03-13"]
        _, notes = typed_values(tmp_path, "{date: {day_first: true}}", cells, [True, False, True])
        assert notes == []


DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2068, 12, 31))
SIGNS = st.sampled_from("./-")
AMOUNTS = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2)


def outcome(text: str, transform: str, cells: list[str]) -> list[object] | None:
    """Return what the column is read as; None where it is refused."""
    with tempfile.TemporaryDirectory() as name:
        try:
            job = job_of(Path(name), mapping(text.format(transform)), sheet(cells))
        except SourceError as error:
            assert error.code.endswith("-ambiguous")  # noqa: PT017 - a property, not an expectation of an error
            return None
        return sent(job, "detail1")


LINE = "detail1: {{column: Ordered, transform: [{}]}}"


@settings(max_examples=60, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=8), st.booleans(), SIGNS)
def test_a_column_in_one_order_is_never_read_in_the_other(days, day_first, sign):
    cells = [day.strftime(f"%d{sign}%m{sign}%Y" if day_first else f"%m{sign}%d{sign}%Y") for day in days]
    assert outcome(LINE, "date", cells) in (None, [day.isoformat() for day in days])


@settings(max_examples=60, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.booleans(), st.booleans(), st.sampled_from([0, 2]))
def test_amounts_with_one_sign_are_never_read_by_the_other(values, comma, grouped, places):
    texts = [f"{value:,.{places}f}" if grouped else f"{value:.{places}f}" for value in values]
    cells = [text.translate(str.maketrans(",.", ".,")) if comma else text for text in texts]
    found = outcome(LINE, "number", cells)
    assert found is None or [float(str(one)) for one in found] == [float(text.replace(",", "")) for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=5), st.lists(st.tuples(DAYS, st.booleans()), max_size=4))
def test_more_rows_never_turn_a_proof_round(days, others):
    cells = [day.strftime("%d/%m/%Y") for day in days]
    more = [day.strftime("%d/%m/%Y" if day_first else "%m/%d/%Y") for day, day_first in others]
    before, after = outcome(LINE, "date", cells), outcome(LINE, "date", cells + more)
    if before is not None and after is not None:
        assert all(new in (old, None) for old, new in zip(before, after, strict=False))


def test_what_could_be_either_among_both_is_told_in_its_row(tmp_path):
    job = dates(tmp_path, ["23/04/2024", "04/23/2024", "03/04/2024"])
    ((bound, chunk),) = list(job.chunks(10))
    (told,) = issues_of(prepare(chunk, bound.plan, bound.binding))
    assert told.message == (
        "'03/04/2024' is not a date (day or month first? the mapping's `date` needs `day_first` or `formats`)"
    )
