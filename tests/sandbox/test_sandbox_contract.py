"""The sandbox's JSON Schema and `etl.contract`, held against each other: they share nothing but the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from etl.contract import ACTIONS, Action, Field, FieldType
from etl.sandbox import wire

RIGHT: dict[FieldType, Any] = {
    FieldType.STRING: "text",
    FieldType.EMAIL: "anna@example.com",
    FieldType.FLOAT: 12.5,
    FieldType.LIST: ["A", "B"],
    FieldType.DYNAMIC: {"shoe size": "42"},
    FieldType.ENUMERATION: "PURCHASE",
}
WRONG: dict[FieldType, tuple[Any, ...]] = {
    FieldType.STRING: (5, True, None, ["a"], {"a": "b"}),
    FieldType.EMAIL: ("anna", "", 5, None, ["anna@example.com"]),
    FieldType.FLOAT: ("12.5", True, None, [1]),
    FieldType.LIST: ("A", [1], None, {"a": "b"}, [None]),
    FieldType.DYNAMIC: ("text", {"a": 1}, {"a": ["b"]}, {"a": None}, {"a": {"b": "c"}}, {"": "x"}),
    FieldType.ENUMERATION: ("purchase", "", "RETURN", 5, None),
}
ENVELOPE_HAS_NO = {FieldType.DYNAMIC}


CASES = [
    pytest.param(action, field, form, id=f"{action.name}-{field.path}-{form}")
    for action in ACTIONS.values()
    for field in action.fields
    for form in ("fields", "envelope")
    if form == "fields" or field.type not in ENVELOPE_HAS_NO
]


def payload(action: Action, field: Field, value: Any, form: str) -> dict[str, Any]:
    needed = {f: RIGHT[f.type] for f in action.fields if f.required} | {field: value}
    if form == "envelope":
        return {"data": {f.flat_name: given for f, given in needed.items()}, "group_key": "main"}
    body: dict[str, Any] = {}
    for each, given in needed.items():
        *parents, name = each.path.split(".")
        place = body
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = given
    return body


@pytest.mark.parametrize(("action", "field", "form"), CASES)
def test_a_field_of_the_contract_is_accepted_with_a_right_value(action: Action, field: Field, form: str) -> None:
    assert wire.faults(action.name, form, payload(action, field, RIGHT[field.type], form)) == []


@pytest.mark.parametrize(("action", "field", "form"), CASES)
def test_a_field_of_the_contract_is_refused_with_a_wrong_value(action: Action, field: Field, form: str) -> None:
    accepted = [
        value for value in WRONG[field.type] if not wire.faults(action.name, form, payload(action, field, value, form))
    ]
    assert accepted == []


@pytest.mark.parametrize(("action", "field", "form"), CASES)
def test_a_field_that_can_be_cleared_is_accepted_empty(action: Action, field: Field, form: str) -> None:
    empty = {FieldType.STRING: "", FieldType.LIST: [], FieldType.DYNAMIC: {"a": ""}}
    if field.clearable:
        assert wire.faults(action.name, form, payload(action, field, empty[field.type], form)) == []


@pytest.mark.parametrize("action", list(ACTIONS.values()), ids=list(ACTIONS))
def test_every_property_of_the_nested_schema_is_a_field_of_the_contract(action: Action) -> None:
    assert set(paths(wire.schema(action.name, "fields"))) == {field.path for field in action.fields}


@pytest.mark.parametrize("action", list(ACTIONS.values()), ids=list(ACTIONS))
def test_every_property_of_the_flat_schema_is_a_field_of_the_contract(action: Action) -> None:
    flat = wire.schema(action.name, "envelope")["properties"]["data"]["properties"]
    assert set(flat) == {field.flat_name for field in action.fields if field.type not in ENVELOPE_HAS_NO}


@pytest.mark.parametrize("action", list(ACTIONS.values()), ids=list(ACTIONS))
def test_both_require_the_same_fields(action: Action) -> None:
    required = {field.path for field in action.fields if field.required}
    missing = {message.split(":")[0] for message in wire.faults(action.name, "fields", {"contact": {}})}
    asked = {f"$.{path}" for path in required}
    assert asked <= missing


def test_both_list_the_same_event_types() -> None:
    field = ACTIONS["event.create"].field("contactExtEventType")
    listed = wire.schema("event.create", "fields")["properties"]["contactExtEventType"]["enum"]
    assert field is not None
    assert tuple(listed) == field.values


def test_both_agree_on_action_method_and_path() -> None:
    assert {(a.endpoint.method, a.endpoint.path): a.name for a in ACTIONS.values()} == wire.ROUTES


@pytest.mark.parametrize("form", ["fields", "envelope"])
@pytest.mark.parametrize("action", wire.ACTIONS)
def test_each_schema_is_one_of_draft_2020_12(action: str, form: str) -> None:
    schema = wire.schema(action, form)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_each_plain_field_of_the_contract_has_a_column() -> None:
    by_action = {"contact.upsert": wire.CONTACT_FIELDS, "event.create": wire.EVENT_FIELDS}
    for name, stored in by_action.items():
        plain = (FieldType.STRING, FieldType.FLOAT, FieldType.ENUMERATION)
        assert set(stored) == {field.flat_name for field in ACTIONS[name].fields if field.type in plain}


def paths(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, inner in schema["properties"].items():
        if "properties" in inner:
            yield from paths(inner, f"{prefix}{name}.")
        else:
            yield prefix + name
