"""From cell to field: what each cell becomes, and what is told of it (mapping language, "From cell to field")."""

from __future__ import annotations

import json
import pickle

import pytest
from support import issues_of, job_of, prepared_of

from etl.pipeline import prepare
from etl.records import STATUSES

FIELDS = """\
version: 1
name: test
{top}records:
  - action: {action}
{record}    fields:
{fields}"""


def mapping(fields: str, *, action: str = "contact.upsert", record: str = "", top: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in fields.strip().splitlines())
    extra = "".join(f"    {line}\n" for line in record.strip().splitlines()) if record else ""
    return FIELDS.format(action=action, fields=lines, record=extra, top=top)


def payloads(folder, text: str, sheet: str) -> list[object]:
    prepared = prepared_of(folder, text, sheet)
    bodies: dict[int, object] = {}
    for record in prepared.records:
        for place, body in zip(record.places.tolist(), record.bodies.to_pylist(), strict=True):
            bodies[place] = json.loads(body)
    return [bodies.get(place) for place in range(len(prepared.chunk.blank))]


def statuses(folder, text: str, sheet: str) -> list[str]:
    (record,) = prepared_of(folder, text, sheet).records
    return [STATUSES[number].value for number in record.status]


EMAIL = "contact.email: E-mail\n"


@pytest.mark.parametrize("cell", ["NA", "null", "None", "TRUE", "nan", "00-950", "+48601234567", "1e5", "=1+1", "0123"])
def test_text_is_text_and_arrives_as_it_stands_in_the_cell(tmp_path, cell):
    found = payloads(tmp_path, mapping(EMAIL + "contact.name: Name"), f"E-mail;Name\na@example.com;{cell}\n")
    assert found == [{"contact": {"email": "a@example.com", "name": cell}}]


@pytest.mark.parametrize("cell", ["", "   ", "\u00a0"], ids=["empty", "spaces", "no-break space"])
@pytest.mark.parametrize(
    ("rule", "contact"),
    [
        ("{column: Name}", {"email": "a@example.com"}),
        ("{column: Name, blank: skip}", {"email": "a@example.com"}),
        ("{column: Name, blank: clear}", {"email": "a@example.com", "name": ""}),
        ("{column: Name, default: friend}", {"email": "a@example.com", "name": "friend"}),
    ],
)
def test_a_blank_cell_does_what_the_field_says(tmp_path, cell, rule, contact):
    found = payloads(tmp_path, mapping(EMAIL + f"contact.name: {rule}"), f"E-mail;Name\na@example.com;{cell}\n")
    assert found == [{"contact": contact}]


def test_a_blank_cell_that_must_not_be_is_an_error_of_the_row(tmp_path):
    text = mapping(EMAIL + "contact.name: {column: Name, required: true}")
    (told,) = issues_of(prepared_of(tmp_path, text, "E-mail;Name\na@example.com; \n"))
    assert (told.row, told.field, told.code, told.message) == (
        2, "contact.name", "required", "a value is required and the cell is blank",
    )  # fmt: skip


def test_the_address_of_a_contact_is_required_by_the_contract(tmp_path):
    (told,) = issues_of(prepared_of(tmp_path, mapping(EMAIL + "contact.name: Name"), "E-mail;Name\n;Anna\n"))
    assert (told.field, told.code) == ("contact.email", "required")


def test_cleared_tags_are_an_empty_list_and_a_cleared_property_an_empty_text(tmp_path):
    text = mapping(
        EMAIL
        + """\
tags: {column: Tags, transform: [{split: ","}], blank: clear}
properties.size: {column: Size, blank: clear}"""
    )
    found = payloads(tmp_path, text, "E-mail;Tags;Size\na@example.com;;\n")
    assert found == [{"contact": {"email": "a@example.com"}, "tags": [], "properties": {"size": ""}}]


def test_a_failed_value_is_an_issue_of_its_row_and_stops_no_other(tmp_path):
    text = mapping(EMAIL + 'properties.spent: {column: Spent, transform: [{number: {decimal: ","}}]}')
    sheet = "E-mail;Spent\na@example.com;1,5\nb@example.com;many\nc@example.com;2\n"
    assert statuses(tmp_path, text, sheet) == ["planned", "invalid", "planned"]
    (told,) = issues_of(prepared_of(tmp_path, text, sheet))
    assert (told.row, told.code, told.value, told.message) == (3, "not-a-number", "many", "'many' is not a number")


def test_a_failed_value_made_a_warning_is_left_out_and_never_clears(tmp_path):
    text = mapping(
        EMAIL + "properties.spent: {column: Spent, transform: [number], blank: clear}",
        record="checks: {not-a-number: warning}",
    )
    found = payloads(tmp_path, text, "E-mail;Spent\na@example.com;many\n")
    assert found == [{"contact": {"email": "a@example.com"}}]


def test_a_required_field_that_fails_stays_an_error_whatever_checks_says(tmp_path):
    text = mapping(
        EMAIL + "properties.spent: {column: Spent, transform: [number], required: true}",
        record="checks: {not-a-number: warning}",
    )
    assert statuses(tmp_path, text, "E-mail;Spent\na@example.com;many\n") == ["invalid"]


def test_each_transform_that_fails_is_told_once_and_the_first_speaks(tmp_path):
    text = mapping(EMAIL + "properties.x: {column: X, transform: [number, {map: {values: {'1': one}}}]}")
    found = issues_of(prepared_of(tmp_path, text, "E-mail;X\na@example.com;many\nb@example.com;2\n"))
    assert [(told.row, told.code) for told in found] == [(2, "not-a-number"), (3, "not-in-map")]


def test_a_default_skips_the_transforms_and_is_validated(tmp_path):
    text = mapping(EMAIL + "contact.name: {column: Name, transform: [upper], default: friend}")
    found = payloads(tmp_path, text, "E-mail;Name\na@example.com;\nb@example.com;anna\n")
    assert [row["contact"]["name"] for row in found] == ["friend", "ANNA"]


def test_a_float_is_a_plain_decimal_or_an_issue(tmp_path):
    text = mapping("value: Total\nemail: E-mail", action="event.create")
    sheet = (
        "E-mail;Total\na@example.com;12.50\na@example.com;12,50\na@example.com;1e3\na@example.com;inf\na@example.com;\n"
    )
    assert [row and row.get("value") for row in payloads(tmp_path, text, sheet)] == [12.5, None, None, None, None]
    assert [told.code for told in issues_of(prepared_of(tmp_path, text, sheet))] == ["not-a-number"] * 3


class TestTemplates:
    def test_join_columns_and_trim_the_edges(self, tmp_path):
        text = mapping(EMAIL + 'contact.name: {template: "{First} {Last}"}')
        sheet = "E-mail;First;Last\na@example.com;Anna;Nowak\nb@example.com;;Nowak\nc@example.com;;\n"
        names = [row["contact"].get("name") for row in payloads(tmp_path, text, sheet)]
        assert names == ["Anna Nowak", "Nowak", None]

    def test_with_blank_parts_any_one_blank_part_makes_it_blank(self, tmp_path):
        text = mapping(EMAIL + 'contact.name: {template: "{First} {Last}", blank_parts: any}')
        (row,) = payloads(tmp_path, text, "E-mail;First;Last\na@example.com;;Nowak\n")
        assert "name" not in row["contact"]

    def test_hold_literal_braces_doubled(self, tmp_path):
        text = mapping(EMAIL + 'contact.name: {template: "{{{First}}}"}')
        (row,) = payloads(tmp_path, text, "E-mail;First\na@example.com;Anna\n")
        assert row["contact"]["name"] == "{Anna}"


class TestLists:
    def test_split_makes_items_and_later_transforms_work_on_them(self, tmp_path):
        text = mapping(EMAIL + 'tags: {column: Tags, transform: [{split: ";"}, strip, upper]}')
        (row,) = payloads(tmp_path, text, 'E-mail,Tags\na@example.com,"vip; new;;VIP"\n')
        assert row["tags"] == ["VIP", "NEW"]

    def test_one_text_without_split_is_one_tag(self, tmp_path):
        (row,) = payloads(tmp_path, mapping(EMAIL + "tags: Tags"), "E-mail;Tags\na@example.com;vip new\n")
        assert row["tags"] == ["vip new"]

    def test_all_joins_specs_and_constants_in_order(self, tmp_path):
        text = mapping(EMAIL + "tags: {all: [{value: IMPORT}, A, {column: B, transform: [{split: '|'}]}]}")
        found = payloads(tmp_path, text, "E-mail;A;B\na@example.com;x;y|z\nb@example.com;;IMPORT\n")
        assert [row["tags"] for row in found] == [["IMPORT", "x", "y", "z"], ["IMPORT"]]

    def test_a_failed_item_is_an_issue_of_its_row_alone(self, tmp_path):
        text = mapping(EMAIL + "tags: {column: Tags, transform: [{split: '|'}, {map: {values: {a: A}}}]}")
        found = issues_of(prepared_of(tmp_path, text, "E-mail;Tags\na@example.com;a|a\nb@example.com;a|x\n"))
        assert [(told.row, told.code, told.value) for told in found] == [(3, "not-in-map", "x")]


class TestDynamicFields:
    def test_many_columns_feed_properties_under_their_own_keys(self, tmp_path):
        text = mapping(
            EMAIL
            + """\
properties.shoe_size: Shoe size
dictionaryProperties: {columns_like: "dict_*", keys: "*"}"""
        )
        found = payloads(tmp_path, text, "E-mail;Shoe size;dict_a;dict_b\na@example.com;42;x;\n")
        assert found[0]["properties"] == {"shoe_size": "42"}
        assert found[0]["dictionaryProperties"] == {"a": "x"}

    def test_the_rules_apply_to_each_value(self, tmp_path):
        text = mapping(EMAIL + "properties: {columns: {A: a, B: b}, transform: [upper], default: none}")
        (row,) = payloads(tmp_path, text, "E-mail;A;B\na@example.com;x;\n")
        assert row["properties"] == {"a": "X", "b": "none"}


class TestRowsAndRecords:
    def test_a_row_for_which_when_is_false_is_skipped_and_judged_no_further(self, tmp_path):
        text = mapping(EMAIL, record="when: \"Consent == 'yes'\"")
        sheet = "E-mail;Consent\nbad@@;no\na@example.com;yes\n"
        assert statuses(tmp_path, text, sheet) == ["skipped", "planned"]
        assert issues_of(prepared_of(tmp_path, text, sheet)) == []

    def test_a_row_on_which_when_cannot_be_evaluated_is_invalid_not_skipped(self, tmp_path):
        text = mapping(EMAIL, record='when: "Age >= 18"')
        sheet = "E-mail;Age\na@example.com;20\nb@example.com;old\nc@example.com;12\n"
        assert statuses(tmp_path, text, sheet) == ["planned", "invalid", "skipped"]

    def test_a_blank_row_is_skipped_and_a_ragged_one_invalid(self, tmp_path):
        text = mapping(EMAIL + "contact.name: Name")
        sheet = "E-mail;Name\na@example.com;A\n;;\nb@example.com;B;C;D\nc@example.com\n"
        assert statuses(tmp_path, text, sheet) == ["planned", "skipped", "invalid", "invalid"]

    def test_a_ragged_row_is_one_issue_however_many_records_it_has(self, tmp_path):
        text = mapping(EMAIL) + "  - action: event.create\n    fields:\n      email: E-mail\n      description: Name\n"
        prepared = prepared_of(tmp_path, text, "E-mail;Name\nb@example.com;B;C;D\n")
        assert [(told.row, told.code) for told in issues_of(prepared)] == [(2, "ragged-row")]
        assert [STATUSES[record.status[0]].value for record in prepared.records] == ["invalid", "invalid"]

    def test_an_invalid_first_record_does_not_stop_the_second(self, tmp_path):
        text = mapping(EMAIL) + "  - action: event.create\n    fields:\n      description: Name\n"
        prepared = prepared_of(tmp_path, text, "E-mail;Name\nbad@@;B\n")
        assert [STATUSES[record.status[0]].value for record in prepared.records] == ["invalid", "planned"]

    def test_the_key_that_people_see_is_the_address_also_of_an_invalid_row(self, tmp_path):
        (record,) = prepared_of(tmp_path, mapping(EMAIL), "E-mail;x\nbad@@;\na@example.com;\n").records
        assert record.keys.to_pylist() == ["bad@@", "a@example.com"]

    def test_lanes_are_persons_case_folded_whatever_the_action(self, tmp_path):
        text = mapping(EMAIL) + "  - action: event.create\n    fields:\n      email: E-mail\n      description: Name\n"
        first, second = prepared_of(tmp_path, text, "E-mail;Name\nA@Example.com;x\na@example.com;y\n").records
        assert len({*first.lanes.to_pylist(), *second.lanes.to_pylist()}) == 1


def test_a_prepared_chunk_does_not_depend_on_how_the_file_is_cut(tmp_path):
    text = mapping(EMAIL + "contact.name: {template: '{A} {B}', transform: [squeeze]}")
    rows = "".join(f"a{n}@example.com;x{n % 3};{'' if n % 4 else 'y'}\n" for n in range(50))
    job = job_of(tmp_path, text, "E-mail;A;B\n" + rows)
    cuts = []
    for size in (1, 7, 50):
        bodies: list[str] = []
        for bound, chunk in job.chunks(size):
            bodies += prepare(chunk, bound.plan, bound.binding).records[0].bodies.to_pylist()
        cuts.append(bodies)
    assert cuts[0] == cuts[1] == cuts[2]


def test_what_a_worker_needs_can_be_pickled(tmp_path):
    job = job_of(tmp_path, mapping(EMAIL, record="when: \"x == 'y'\""), "E-mail;x\na@example.com;y\n")
    plan, binding = pickle.loads(pickle.dumps((job.plan, job.tables[0].binding)))
    ((_, chunk),) = list(job.chunks(10))
    assert prepare(chunk, plan, binding).records[0].bodies.to_pylist() == ['{"contact":{"email":"a@example.com"}}']


def test_an_event_of_blank_cells_alone_is_not_sent_as_an_empty_object(tmp_path):
    text = mapping("description: Note\nvalue: Total", action="event.create")
    sheet = "Note;Total;x\nhello;;1\n;;1\n"
    assert statuses(tmp_path, text, sheet) == ["planned", "invalid"]
    assert [(told.row, told.code) for told in issues_of(prepared_of(tmp_path, text, sheet))] == [(3, "empty-record")]
