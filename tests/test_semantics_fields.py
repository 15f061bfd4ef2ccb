"""What a cell becomes in the corners of the mapping language: absent columns, lists, numbers, keys, who is blamed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from support import issues_of, mapping_of, prepared_of, results_of, rig, write_csv
from test_pipeline import EMAIL, mapping, payloads, statuses

import etl
from etl.errors import MappingError
from etl.job import open_job
from etl.payloads import json_columns
from etl.pipeline import prepare
from etl.records import STATUSES
from etl.settings import load_settings


def columns_of_issues(prepared: Any) -> list[tuple[str, tuple[str, ...], str]]:
    """Return (code, columns, value) of every issue, in order."""
    return [
        (batch.code, tuple(prepared.chunk.header[p] for p in batch.columns), value)
        for batch in prepared.issues
        for value in batch.values.to_pylist()
    ]


def envelope(folder: Path, text: str, sheet: str, group_key: str = "") -> Any:
    """Return the chunk of a small CSV, judged for a target of the wire form envelope."""
    config = folder / "etl.toml"
    setting = f'group_key = "{group_key}"\n' if group_key else ""
    config.write_text(f'[targets.t]\nurl = "http://127.0.0.1:1"\nwire = "envelope"\n{setting}', encoding="utf-8")
    target = load_settings(config, {}, folder).target("t")
    job = open_job(mapping_of(text, folder), [write_csv(folder / "s.csv", sheet)], target)
    ((bound, chunk),) = list(job.chunks(100))
    return prepare(chunk, bound.plan, bound.binding)


TEXTS = [
    "  lead", "trail  ", "\u00a0nb\u00a0", "😀", "e\u0301", 'q"q', "a\tb", "a\nb", "a\r\nb", "\x01\x7f", "N/A", "-", "'x",
    "\ufeffz", "0", "1,5", "00.50", "=1+1", "NaN", "x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("cell", TEXTS, ids=lambda cell: ascii(cell[:12]))
def test_a_cell_without_transforms_arrives_letter_by_letter(tmp_path, cell):
    text = mapping(EMAIL + "contact.name: Name\nproperties.p: Name\ntags: Name")
    quoted = cell.replace('"', '""')
    (body,) = payloads(tmp_path, text, f'E-mail;Name\na@example.com;"{quoted}"\n')
    assert (body["contact"]["name"], body["properties"]["p"], body["tags"]) == (cell, cell, [cell])


class TestAnOptionalColumnThatIsAbsent:
    SHEET = "E-mail;Name\na@example.com;Anna\nb@example.com;\n"

    @pytest.mark.parametrize(
        "field",
        [
            "contact.phone: {column: Mobile, optional: true, blank: clear}",
            "contact.phone: {template: '{Mobile}{Ext}', optional: true, blank: clear}",
            "tags: {all: [{column: T1, optional: true}, {column: T2, optional: true}], optional: true, blank: clear}",
            "properties.size: {column: Size, optional: true, blank: clear}",
        ],
    )
    def test_clears_nothing_since_there_is_no_cell_to_be_blank(self, tmp_path, field):
        prepared = prepared_of(tmp_path, mapping(EMAIL + field), self.SHEET)
        assert prepared.records[0].clears == {}
        assert prepared.records[0].bodies.to_pylist() == [
            '{"contact":{"email":"a@example.com"}}', '{"contact":{"email":"b@example.com"}}',
        ]  # fmt: skip

    def test_is_not_required_since_required_speaks_of_cells(self, tmp_path):
        text = mapping(EMAIL + "contact.phone: {column: Mobile, optional: true, required: true}")
        assert statuses(tmp_path, text, self.SHEET) == ["planned", "planned"]

    def test_gives_the_default_where_there_is_one(self, tmp_path):
        text = mapping(EMAIL + "contact.phone: {column: Mobile, optional: true, default: '112'}")
        assert [row["contact"]["phone"] for row in payloads(tmp_path, text, self.SHEET)] == ["112", "112"]

    def test_still_clears_and_requires_where_the_file_has_it(self, tmp_path):
        clear = mapping(EMAIL + "contact.phone: {column: Name, optional: true, blank: clear}")
        assert [row["contact"]["phone"] for row in payloads(tmp_path, clear, self.SHEET)] == ["Anna", ""]
        required = mapping(EMAIL + "contact.phone: {column: Name, optional: true, required: true}")
        assert statuses(tmp_path, required, self.SHEET) == ["planned", "invalid"]


class TestLists:
    def test_a_tag_that_a_transform_leaves_blank_is_gone(self, tmp_path):
        text = mapping(EMAIL + "tags: {column: T, transform: [{replace: {old: x, new: ' '}}]}")
        assert payloads(tmp_path, text, "E-mail;T\na@example.com;x\n") == [{"contact": {"email": "a@example.com"}}]

    def test_a_blank_part_of_several_specs_is_gone(self, tmp_path):
        text = mapping(EMAIL + "tags: {all: [{column: T, transform: [{replace: {old: x, new: ' '}}]}, U]}")
        (row,) = payloads(tmp_path, text, "E-mail;T;U\na@example.com;x;vip\n")
        assert row["tags"] == ["vip"]

    def test_a_fault_in_one_of_several_specs_names_the_column_of_that_one(self, tmp_path):
        text = mapping(EMAIL + "tags: {all: [{column: T, transform: [integer]}, {column: U, transform: [integer]}]}")
        prepared = prepared_of(tmp_path, text, "E-mail;T;U\na@example.com;x;1\nb@example.com;1;y\nc@example.com;p;q\n")
        assert sorted(columns_of_issues(prepared)) == [
            ("not-an-integer", ("T",), "p"), ("not-an-integer", ("T",), "x"),
            ("not-an-integer", ("U",), "q"), ("not-an-integer", ("U",), "y"),
        ]  # fmt: skip


class TestTemplates:
    def test_an_issue_of_several_columns_names_all_of_them(self, tmp_path):
        text = mapping(EMAIL + "contact.name: {template: '{First} {Last}', required: true}")
        prepared = prepared_of(tmp_path, text, "E-mail;First;Last\na@example.com;;\n")
        assert columns_of_issues(prepared) == [("required", ("First", "Last"), "")]

    def test_a_column_used_twice_has_its_faults_told_once(self, tmp_path):
        text = mapping(EMAIL + "contact.name: {template: '{Name} alias {Name}'}")
        report = checked(tmp_path, text, workbook(tmp_path, [["E-mail", "Name"], ["a@example.com", "#N/A"]]))
        assert [line["code"] for line in issues_csv(report)] == ["error-cell"]


class TestNumbers:
    @pytest.mark.parametrize(
        ("cell", "sent"),
        [
            ("12.50", "12.5"), ("+3", "3.0"), ("-0.250", "-0.25"), ("007", "7.0"), ("0.1", "0.1"),
            ("1234567890123456789", "1234567890123456789.0"), ("12345678901234567.89", "12345678901234567.89"),
            ("0.1000000000000000000", "0.1"), ("100000000000000000.00", "1e+17"),
        ],
    )  # fmt: skip
    def test_a_number_is_sent_as_exactly_the_number_of_the_cell(self, tmp_path, cell, sent):
        (record,) = prepared_of(tmp_path, mapping("value: V", action="event.create"), f"V;x\n{cell};\n").records
        assert record.bodies.to_pylist() == [f'{{"value":{sent}}}']

    @pytest.mark.parametrize("text", ["1e5", ".5", "5.", "1_000", "inf", "١"])
    @pytest.mark.parametrize("key", ["value", "default"])
    def test_a_constant_is_refused_where_a_cell_would_be(self, tmp_path, text, key):
        column = "column: V, " if key == "default" else ""
        with pytest.raises(MappingError, match="is not a number"):
            mapping_of(mapping(f"value: {{{column}{key}: '{text}'}}", action="event.create"), tmp_path)

    def test_an_error_is_never_hidden_behind_a_warning_of_the_same_cell(self, tmp_path):
        text = mapping("value: V", action="event.create", record="checks: {too-many-decimals: error}")
        sheet = "V;x\n12345678901234567890.123;\n12345678901234567890;\n1.234;\n"
        assert statuses(tmp_path, text, sheet) == ["invalid", "planned", "invalid"]
        codes = [(told.row, told.code) for told in issues_of(prepared_of(tmp_path, text, sheet))]
        assert codes == [(2, "too-many-decimals"), (3, "too-many-digits"), (4, "too-many-decimals")]


class TestTheGroupKey:
    def test_that_failed_is_an_error_whatever_default_and_checks_say(self, tmp_path):
        top = (
            "group_key: {column: G, transform: [{map: {values: {pl: PL}}}], default: X}\n"
            "checks: {not-in-map: warning}\n"
        )
        prepared = envelope(
            tmp_path, mapping(EMAIL, top=top), "E-mail;G\na@example.com;pl\nb@example.com;\nc@example.com;?\n"
        )
        (record,) = prepared.records
        assert [STATUSES[number].value for number in record.status] == ["planned", "planned", "invalid"]
        assert [json.loads(body)["group_key"] for body in record.bodies.to_pylist()] == ["PL", "X"]

    def test_that_is_blank_is_an_error_of_its_row(self, tmp_path):
        prepared = envelope(
            tmp_path, mapping(EMAIL, top="group_key: G\n"), "E-mail;G\na@example.com;\nb@example.com;pl\n"
        )
        assert columns_of_issues(prepared) == [("group-key-blank", ("G",), "")]

    def test_that_would_be_a_list_is_refused_when_the_mapping_is_loaded(self, tmp_path):
        with pytest.raises(MappingError, match="'group_key' takes one text"):
            mapping_of(mapping(EMAIL, top='group_key: {column: G, transform: [{split: ","}]}\n'), tmp_path)

    def test_stands_beside_names_and_lists_of_the_envelope(self, tmp_path):
        fields = "contact.email: {column: E-mail, as: epost}\ncontact.address.city: City\nproperties.shoe: Shoe"
        attributes = "    attributes:\n      kundnr: Nr\n      teams: {column: Teams, transform: [{split: '|'}]}\n"
        sheet = "E-mail;City;Shoe;Nr;Teams\na@example.com;Malmö;42;007;a|b\nb@example.com;;;;\n"
        (record,) = envelope(tmp_path, mapping(fields) + attributes, sheet, "main").records
        assert record.bodies.to_pylist() == [
            '{"data":{"epost":"a@example.com","city":"Malmö","shoe":"42","kundnr":"007","teams":["a","b"]},"group_key":"main"}',
            '{"data":{"epost":"b@example.com"},"group_key":"main"}',
        ]


class TestAConditionThatCannotBeDecided:
    def test_blames_each_bad_cell_by_its_column_and_value(self, tmp_path):
        text = mapping(EMAIL, record='when: "A > 1 and B == 2"')
        sheet = "E-mail;A;B\na@example.com;x;2\nb@example.com;2;y\nc@example.com;;z\nd@example.com;0;q\n"
        prepared = prepared_of(tmp_path, text, sheet)
        found = [(told.row, told.value, told.message) for told in issues_of(prepared)]
        assert sorted(found) == [
            (2, "x", "`when` cannot be evaluated: 'A' is 'x', not a plain number"),
            (3, "y", "`when` cannot be evaluated: 'B' is 'y', not a plain number"),
            (4, "", "`when` cannot be evaluated: 'A' is blank, not a plain number"),
            (4, "z", "`when` cannot be evaluated: 'B' is 'z', not a plain number"),
        ]
        assert {columns for _, columns, _ in columns_of_issues(prepared)} == {("A",), ("B",)}

    def test_names_the_cell_that_holds_an_error_and_skips_nobody_for_it(self, tmp_path):
        text = mapping(EMAIL, record="when: \"Consent == 'yes'\"")
        rows = [["E-mail", "Consent"], ["a@example.com", "#REF!"], ["b@example.com", "yes"], ["c@example.com", "no"]]
        report = checked(tmp_path, text, workbook(tmp_path, rows))
        assert [line["status"] for line in results_of(report)] == ["invalid", "planned", "skipped"]
        (line,) = issues_csv(report)
        assert (line["cell"], line["column"], line["value"]) == ("D4", "Consent", "#REF!")
        assert line["message"] == "`when` cannot be evaluated: 'Consent' holds the error #REF!"


class TestTheIssuesOfAWorkbook:
    def test_name_cell_and_column_also_where_the_table_does_not_start_at_a(self, tmp_path):
        text = mapping(
            EMAIL + "contact.name: {template: '{First} {Last}', required: true}\n"
            "properties.n: {column: Amount, transform: [number]}"
        )
        rows = [
            ["E-mail", "First", "Last", "Amount"],
            ["a@example.com", "#N/A", "x", "=1+1"],
            ["bad", None, None, "many"],
            ["#NAME?", "A", "B", 3],
        ]
        report = checked(tmp_path, text, workbook(tmp_path, rows))
        assert [
            (line["cell"], line["column"], line["field"], line["code"], line["value"]) for line in issues_csv(report)
        ] == [
            ("D4", "First", "contact.name", "error-cell", "#N/A"),
            ("F4", "Amount", "properties.n", "formula-without-value", ""),
            ("D5, E5", "First, Last", "contact.name", "required", ""),
            ("F5", "Amount", "properties.n", "not-a-number", "many"),
            ("C5", "E-mail", "contact.email", "email-syntax", "bad"),
            ("C6", "E-mail", "contact.email", "error-cell", "#NAME?"),
        ]

    def test_that_are_made_warnings_leave_the_field_out_and_clear_nothing(self, tmp_path):
        text = mapping(EMAIL + "contact.name: {column: Name, blank: clear}", record="checks: {error-cell: warning}")
        report = checked(tmp_path, text, workbook(tmp_path, [["E-mail", "Name"], ["a@example.com", "#N/A"]]))
        assert (report.counts, report.clears, report.exit_code) == ({"planned": 1}, {}, 0)

    def test_of_a_required_field_stay_errors_whatever_checks_says(self, tmp_path):
        text = mapping("contact.email: E-mail\ncontact.name: Name", record="checks: {error-cell: warning}")
        report = checked(tmp_path, text, workbook(tmp_path, [["E-mail", "Name"], ["#N/A", "x"]]))
        assert report.counts == {"invalid": 1}


def test_a_key_that_is_given_twice_is_told_with_its_field(tmp_path):
    with rig(tmp_path) as server:
        file = write_csv(tmp_path / "s.csv", "E-mail;x\na@example.com;1\nA@example.com;2\n")
        report = server.check(mapping(EMAIL, record="duplicates: error"), file)
    assert {(line["status"], line["field"], line["code"]) for line in results_of(report)} == {
        ("invalid", "contact.email", "duplicate-key")
    }


def test_a_message_that_quotes_a_part_of_a_value_says_so(tmp_path):
    text = mapping(EMAIL + "properties.n: {column: N, transform: [number]}")
    (told,) = issues_of(prepared_of(tmp_path, text, f"E-mail;N\na@example.com;{'x' * 81}\n"))
    assert told.message == f"'{'x' * 80}…' is not a number"
    assert told.value == "x" * 81


def test_an_address_with_a_space_at_its_edge_is_told_how_to_be_mended(tmp_path):
    (told,) = issues_of(prepared_of(tmp_path, mapping(EMAIL), "E-mail;x\na@example.com ;\n"))
    assert told.message.endswith(
        "there is a space before or after it, which the `strip` and `email` transforms take off"
    )


@pytest.mark.parametrize("rows", [[], [["", ""]], [["bad", "x"]] * 3], ids=["header alone", "blank", "all invalid"])
@pytest.mark.parametrize(
    "text",
    [
        mapping("description: {value: hello, transform: [upper]}", action="event.create"),
        mapping(
            EMAIL + "tags: {all: [{column: N, transform: [{split: ','}]}, {value: x}], blank: clear}\n"
            "contact.name: {template: '{N} {E-mail}', transform: [title]}\nproperties: {columns_like: '*'}"
        ),
        mapping("email: E-mail\nvalue: {column: N, transform: [{number: {decimals: 2}}]}", action="event.create"),
    ],
    ids=["constants", "contact", "event"],
)
def test_a_chunk_without_planned_rows_is_no_trouble(tmp_path, text, rows):
    sheet = "\n".join(";".join(row) for row in [["E-mail", "N"], *rows]) + "\n"
    report = checked(tmp_path, text, write_csv(tmp_path / "s.csv", sheet))
    assert report.rows == len(rows) == sum(report.counts.values())


def test_a_thousand_columns_of_one_field_are_judged(tmp_path):
    header = "E-mail;" + ";".join(f"C{number}" for number in range(1000))
    row = "a@example.com;" + ";".join(str(number) if number % 2 else "" for number in range(1000))
    (body,) = payloads(tmp_path, mapping(EMAIL + "properties: {columns_like: 'C*', keys: '*'}"), f"{header}\n{row}\n")
    assert body["properties"] == {str(number): str(number) for number in range(1, 1000, 2)}


def test_decimals_are_written_as_floats_where_a_float_holds_them():
    import pyarrow as pa

    texts = pa.array(["1.50", None, "0.1", "12345678901234567.89"])
    assert json_columns.decimals(texts).to_pylist() == ["1.5", None, "0.1", "12345678901234567.89"]


# ---- builders


def workbook(folder: Path, rows: list[list[object]]) -> Path:
    """Return a workbook whose table starts at C3; text that begins with # is an error, with = a formula never saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    for down, row in enumerate(rows):
        for right, value in enumerate(row):
            cell = sheet.cell(3 + down, 3 + right, value)
            if isinstance(value, str) and value.startswith("#"):
                cell.data_type = "e"
    path = folder / "book.xlsx"
    book.save(path)
    return path


def checked(folder: Path, text: str, file: Path) -> etl.RunReport:
    return etl.check(mapping_of(text, folder), [file], options=etl.Options(out=folder / "out"))


def issues_csv(report: etl.RunReport) -> list[dict[str, str]]:
    with report.issues_path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
