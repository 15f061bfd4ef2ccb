"""Payloads: what goes over the wire, byte for byte, in both forms."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.columns import Column
from etl.contract import ACTIONS
from etl.payloads import bodies, json_columns

UPSERT, EVENT = ACTIONS["contact.upsert"], ACTIONS["event.create"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def column(path: str, *values: object, action=UPSERT, name: str | None = None) -> Column:
    kind = pa.list_(pa.string()) if any(isinstance(value, list) for value in values) else pa.string()
    outgoing = name or path.rsplit(".", 1)[-1]
    return Column(path, action.field(path), outgoing, pa.array(values, kind), np.zeros(len(values), dtype=bool), (0,))


def plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_the_form_fields_nests_as_the_integration_page_does():
    columns = [
        column("contact.email", "a@example.com"),
        column("contact.address.city", "Łódź"),
        column("newEmail", "b@example.com"),
        column("tags", ["VIP", "NEW"]),
        column("properties.shoe size", "42"),
        column("properties.a.b", "dots"),
        column("dictionaryProperties.k", "v"),
    ]
    assert json.loads(bodies(columns, 1, "fields")[0].as_py()) == {
        "contact": {"email": "a@example.com", "address": {"city": "Łódź"}},
        "newEmail": "b@example.com",
        "tags": ["VIP", "NEW"],
        "properties": {"shoe size": "42", "a.b": "dots"},
        "dictionaryProperties": {"k": "v"},
    }


def test_an_event_has_its_value_as_a_number():
    columns = [column("value", "77.00", action=EVENT), column("externalId", "007", action=EVENT)]
    assert bodies(columns, 1, "fields")[0].as_py() == '{"value":77.0,"externalId":"007"}'


def test_the_envelope_is_flat_with_the_agreed_names_and_a_group_key():
    columns = [
        column("contact.email", "a@example.com", name="epost"),
        column("contact.address.city", "Malmö"),
        column("tags", ["A"]),
        column("properties.shoe", "42", name="shoe"),
        Column("attributes.kundnr", None, "kundnr", pa.array(["007"]), np.zeros(1, dtype=bool), (0,)),
    ]
    assert bodies(columns, 1, "envelope", pa.array(["main"]))[0].as_py() == (
        '{"data":{"epost":"a@example.com","city":"Malmö","tags":["A"],"shoe":"42","kundnr":"007"},"group_key":"main"}'
    )


def test_absent_values_and_empty_objects_are_left_out_and_cleared_ones_are_sent():
    columns = [
        column("contact.email", "a@example.com", "b@example.com"),
        column("contact.address.city", None, ""),
        column("tags", None, []),
        column("properties.k", None, None),
    ]
    assert bodies(columns, 2, "fields").to_pylist() == [
        '{"contact":{"email":"a@example.com"}}',
        '{"contact":{"email":"b@example.com","address":{"city":""}},"tags":[]}',
    ]


def test_a_row_without_any_value_is_an_empty_object_and_keeps_its_place():
    columns = [column("description", None, "x", None, action=EVENT), column("location", None, None, "y", action=EVENT)]
    assert bodies(columns, 3, "fields").to_pylist() == ["{}", '{"description":"x"}', '{"location":"y"}']


def test_no_rows_give_no_bodies():
    assert bodies([column("contact.email")], 0, "fields").to_pylist() == []


@given(st.lists(st.one_of(st.none(), TEXT), max_size=8))
def test_json_strings_are_those_of_the_json_module(values):
    found = json_columns.strings(pa.array(values, pa.string())).to_pylist()
    assert found == [None if value is None else plain(value) for value in values]


def test_each_control_character_alone_is_escaped_as_the_json_module_does():
    for sign in map(chr, range(0x20)):
        assert json_columns.strings(pa.array([sign], pa.string())).to_pylist() == [json.dumps(sign)]


@pytest.mark.parametrize(
    "text", ["9007199254740993", "0.12345678901234567", "-1234567890123456.7", "12345678901234567890"]
)
def test_a_number_beyond_what_a_float_holds_keeps_all_its_digits(text):
    (written,) = json_columns.decimals(pa.array([text], pa.string())).to_pylist()
    assert Decimal(written) == Decimal(text)


@given(st.lists(st.one_of(st.none(), st.lists(TEXT, max_size=4)), max_size=6))
def test_json_arrays_are_those_of_the_json_module(values):
    found = json_columns.arrays(pa.array(values, pa.list_(pa.string()))).to_pylist()
    assert found == [None if value is None else plain(value) for value in values]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_json_numbers_are_those_of_the_json_module(values):
    assert json_columns.numbers(np.array(values, dtype=np.float64)).to_pylist() == [plain(value) for value in values]


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b", 'q"uote', "ż"]), TEXT, max_size=4), min_size=1, max_size=6),
)
def test_json_objects_are_those_of_the_json_module(rows):
    names = sorted({name for row in rows for name in row})
    members = [(n, json_columns.strings(pa.array([row.get(n) for row in rows], pa.string()))) for n in names]
    found = json_columns.objects(members, len(rows), keep_empty=True).to_pylist()
    assert found == [plain({name: row[name] for name in names if name in row}) for row in rows]


@pytest.mark.parametrize("wire", ["fields", "envelope"])
def test_a_slice_of_a_larger_column_gives_the_bodies_of_its_own_rows(wire):
    whole = column("tags", ["A"], ["B", "C"], None, ["D"])
    part = Column("tags", whole.field, "tags", whole.values.slice(1, 2), whole.failed[1:3], (0,))
    found = [json.loads(body) for body in bodies([part], 2, wire, pa.array(["g", "g"])).to_pylist()]
    assert [(body.get("data", body)).get("tags") for body in found] == [["B", "C"], None]
