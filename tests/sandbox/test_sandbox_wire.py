from __future__ import annotations

from typing import Any

import pytest

from etl.sandbox import wire
from etl.sandbox.wire import Record, Wire

ANNA = "anna@example.com"

TYPES = (
    "PURCHASE, CART, VISIT, PHONE_CALL, OTHER, RESERVATION, CANCELLED, ACTIVATION, MEETING, OFFER, DOWNLOAD, LOGIN, "
    "TRANSACTION"
)
REFUSALS = [
    ("contact.upsert", "fields", {"contact": {"email": "anna"}}, ["$.contact.email: is not an e-mail address"]),
    ("contact.upsert", "fields", {}, ["$.contact: is missing"]),
    ("contact.upsert", "fields", {"contact": {}}, ["$.contact.email: is missing"]),
    (
        "contact.upsert",
        "fields",
        {"contact": {"email": ANNA, "nme": "A"}},
        ["$.contact.nme: no field of this name"],
    ),
    (
        "contact.upsert",
        "fields",
        {"contact": {"email": ANNA, "address": {"city": 5}}, "tags": ["A", 5], "properties": {"shoe size": 42}},
        [
            "$.contact.address.city: must be of type string",
            "$.tags[1]: must be of type string",
            '$.properties["shoe size"]: must be of type string',
        ],
    ),
    ("contact.upsert", "fields", [], ["$: must be of type object"]),
    ("contact.upsert", "fields", None, ["$: must be of type object"]),
    ("contact.delete", "fields", {"email": ANNA, "data": {}}, ["$.data: no field of this name"]),
    (
        "contact.delete",
        "fields",
        {"email": f"{'a' * 60}@{'b' * 200}.com"},
        ["$.email: must have at most 254 character(s)"],
    ),
    ("event.create", "fields", {}, ["$: holds nothing"]),
    (
        "event.create",
        "fields",
        {"contactExtEventType": "SALE"},
        [f"$.contactExtEventType: must be one of {TYPES}"],
    ),
    ("event.create", "fields", {"detail21": "x"}, ["$.detail21: no field of this name"]),
    ("event.create", "envelope", {"data": {"email": ANNA}}, ["$.group_key: is missing"]),
    (
        "event.create",
        "envelope",
        {"data": {"email": ANNA}, "group_key": ""},
        ["$.group_key: must have at least 1 character(s)"],
    ),
    (
        "contact.upsert",
        "envelope",
        {"data": {"email": ANNA, "address": {"city": "Łódź"}, "vip": True}, "group_key": "main"},
        [
            "$.data.address: must be of type array or number or string",
            "$.data.vip: must be of type array or number or string",
        ],
    ),
    (
        "contact.upsert",
        "envelope",
        {"data": {"email": ANNA, "segments": ["a", 1]}, "group_key": "main"},
        ["$.data.segments[1]: must be of type string"],
    ),
]


@pytest.mark.parametrize(("action", "form", "body", "messages"), REFUSALS, ids=[str(i[3][0])[:60] for i in REFUSALS])
def test_a_refusal_names_the_path_and_not_the_value(action: str, form: str, body: Any, messages: list[str]) -> None:
    assert sorted(wire.faults(action, form, body)) == sorted(messages)


NO_ADDRESSES = [
    "a@b", "a b@example.com", "a@@example.com", "a@example.com\n", "a@example..com", "a;b@example.com",
    "a" * 65 + "@example.com",
]  # fmt: skip


@pytest.mark.parametrize("email", NO_ADDRESSES)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert wire.faults("contact.delete", "fields", {"email": email}) != []


@pytest.mark.parametrize("email", ["a.b+c@example.com", "zażółć@example.com", "a@münchen.example.com", "A@EXAMPLE.COM"])
def test_an_address_is_accepted(email: str) -> None:
    assert wire.faults("contact.delete", "fields", {"email": email}) == []


def test_no_more_than_twenty_messages_are_given() -> None:
    body = {f"unknown{number}": 1 for number in range(100)}
    assert len(wire.faults("contact.delete", "fields", body)) == 20


@pytest.mark.parametrize(
    ("configured", "body", "form"),
    [
        ("either", {"contact": {}}, "fields"),
        ("either", {"data": {}}, "envelope"),
        ("either", {"group_key": "a"}, "envelope"),
        ("either", [], "fields"),
        ("fields", {"data": {}}, "fields"),
        ("envelope", {"contact": {}}, "envelope"),
    ],
)
def test_the_form_is_the_configured_one_or_told_by_the_top_keys(configured: Wire, body: Any, form: str) -> None:
    assert wire.form_of(body, configured) == form


def test_both_forms_say_the_same() -> None:
    nested = {
        "contact": {"email": ANNA, "name": "Anna", "address": {"city": "Łódź"}},
        "newEmail": "a@example.com",
        "tags": ["A"],
    }
    flat = {
        "data": {"email": ANNA, "name": "Anna", "city": "Łódź", "newEmail": "a@example.com", "tags": ["A"]},
        "group_key": "",
    }
    assert wire.read("contact.upsert", "fields", nested, {}) == wire.read("contact.upsert", "envelope", flat, {})


def test_what_is_no_field_of_the_page_is_a_free_attribute() -> None:
    body = {"data": {"email": ANNA, "shoe": 42, "name": "A"}, "group_key": "main"}
    read = wire.read("contact.upsert", "envelope", body, {})
    assert read == Record("contact.upsert", ANNA, "main", "", {"name": "A"}, attributes={"shoe": 42})


def test_the_accounts_mapping_tells_which_attribute_is_which_field() -> None:
    body = {"data": {"epost": ANNA, "namn": "A"}, "group_key": "main"}
    read = wire.read("contact.upsert", "envelope", body, {"epost": "email", "namn": "name"})
    assert read == Record("contact.upsert", ANNA, "main", "", {"name": "A"})


def test_an_e_mail_under_an_unknown_name_is_found_by_its_looks() -> None:
    body = {"data": {"newEmail": "b@example.com", "namn": "A", "epost": ANNA}, "group_key": "main"}
    assert wire.person("contact.upsert", "envelope", body, {}) == ANNA


def test_a_contact_without_any_address_is_refused() -> None:
    body = {"data": {"name": "A"}, "group_key": "main"}
    assert wire.read("contact.delete", "envelope", body, {}) == [
        "$.data: no attribute holds the contact's e-mail address"
    ]


def test_a_mapped_attribute_that_is_no_address_is_refused() -> None:
    body = {"data": {"epost": "anna"}, "group_key": "main"}
    refusal = wire.read("contact.delete", "envelope", body, {"epost": "email"})
    assert refusal == ["$.data: the e-mail's attribute is not an e-mail address"]


@pytest.mark.parametrize("body", [None, [], {"contact": []}, {"contact": {"email": 5}}, {"data": 5}], ids=repr)
def test_the_person_of_nonsense_is_nobody(body: Any) -> None:
    for form in ("fields", "envelope"):
        for action in wire.ACTIONS:
            assert wire.person(action, form, body, {}) == ""
