"""Schemas: what is judged, how it is told, and that no bad cell is hidden behind another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from pandera.config import ValidationDepth, config_context
from support import few

from etl.columns import Column
from etl.contract import ACTIONS
from etl.issues import Judge
from etl.schemas import addresses, judge

UPSERT, EVENT = ACTIONS["contact.upsert"], ACTIONS["event.create"]


def column(path: str, values: list[object], action=UPSERT) -> Column:
    kind = pa.list_(pa.string()) if any(isinstance(value, list) for value in values) else pa.string()
    return Column(path, action.field(path), path, pa.array(values, kind), np.zeros(len(values), dtype=bool), (0,))


def told(action, *columns: Column, checks=None) -> list[tuple[int, str, str, str]]:
    batches = judge(action, Judge(1, checks or {}), list(columns))
    return sorted(
        (int(place), batch.field, batch.code, batch.messages[at].as_py())
        for batch in batches
        for at, place in enumerate(batch.places)
    )


@pytest.mark.parametrize(
    ("action", "path", "value", "code", "message"),
    [
        (UPSERT, "contact.email", "anna@@example.com", "email-syntax",
         "'anna@@example.com' is not an e-mail address: the part after the @-sign contains invalid characters: '@'"),
        (UPSERT, "newEmail", "anna", "email-syntax", "'anna' is not an e-mail address: an email address must have an @-sign"),
        (UPSERT, "contact.email", "a" * 65 + "@example.com", "email-too-long", "the e-mail address is too long (77 characters)"),
        (UPSERT, "contact.email", "anna@gmial.com", "email-typo",
         "'anna@gmial.com' looks mistyped (did you mean anna@gmail.com?)"),
        (UPSERT, "properties.note", "x" * 256, "too-long", "the value has 256 characters where 255 is the limit"),
        (EVENT, "description", "x" * 2049, "too-long", "the value has 2,049 characters where 2,048 is the limit"),
        (EVENT, "products", "x" * 513, "too-long", "the value has 513 characters where 512 is the limit"),
        (EVENT, "detail20", "ż" * 256, "too-long", "the value has 256 characters where 255 is the limit"),
        (EVENT, "contactExtEventType", "purchase", "not-in-enumeration", "'purchase' is not one of the values allowed"),
        (EVENT, "value", "9" * 400, "not-finite", f"'{'9' * 80}…' is not a finite number"),
        (EVENT, "value", "12345678901234567890", "too-many-digits", "'12345678901234567890' has more than 19 digits"),
        (EVENT, "value", "1.005", "too-many-decimals", "'1.005' has more than 2 decimals"),
        (UPSERT, "tags", ["A,B"], "tag-comma", "the tag 'A,B' holds a comma and will become two tags"),
        (UPSERT, "tags", ["x" * 256], "too-long", "the value has 256 characters where 255 is the limit"),
        (UPSERT, "tags", ["młoda mama", "MLODA_MAMA"], "tag-collision", "two tags of the row become one: MLODA_MAMA"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)  # fmt: skip
def test_a_value_that_breaks_a_rule_is_told_in_one_message(action, path, value, code, message):
    assert told(action, column(path, [value], action)) == [(0, path, code, message)]


@pytest.mark.parametrize(
    ("action", "path", "value"),
    [
        (UPSERT, "contact.email", "anna.nowak+vip@sub.example.com"),
        (UPSERT, "contact.email", "łukasz@müller.example.com"),
        (UPSERT, "contact.email", "a" * 64 + "@example.com"),
        (UPSERT, "contact.email", None),
        (UPSERT, "properties.note", "x" * 255),
        (UPSERT, "contact.address.zipCode", "00-950"),
        (UPSERT, "tags", ["A", "B"]),
        (EVENT, "value", "-12.50"),
        (EVENT, "value", "1234567890123456789"),
        (EVENT, "contactExtEventType", "PHONE_CALL"),
    ],
)
def test_a_value_that_keeps_the_rules_has_no_issue(action, path, value):
    assert told(action, column(path, [value], action)) == []


def test_the_domains_that_never_exist_are_refused_and_those_of_samples_are_not():
    values = ["a@example.com", "a@example.org", "a@shop.invalid", "a@shop.test"]
    assert [place for place, *_ in told(UPSERT, column("contact.email", values))] == [2, 3]


def test_one_bad_cell_never_hides_another_of_its_column():
    value = column("value", ["9" * 400, "1.234", "5", "9" * 399, "0.001"], EVENT)
    kind = column("contactExtEventType", ["PURCHASE", "x", "y", "CART", "z"], EVENT)
    assert [(place, code) for place, _, code, _ in told(EVENT, value, kind)] == [
        (0, "not-finite"), (1, "not-in-enumeration"), (1, "too-many-decimals"), (2, "not-in-enumeration"),
        (3, "not-finite"), (4, "not-in-enumeration"), (4, "too-many-decimals"),
    ]  # fmt: skip


def test_a_mapping_may_turn_a_warning_into_an_error():
    (batch,) = judge(EVENT, Judge(1, {"too-long": "error"}), [column("detail1", ["x" * 256], EVENT)])
    assert batch.severity == "error"


def test_every_bad_cell_is_reported_once_at_a_million_rows_half_of_them_bad():
    count = 1_000_000
    emails = pa.array([f"a{n}@example.com" if n % 2 else f"a{n % 1000}@@example.com" for n in range(count)])
    types = pa.array([None if n % 4 else "wrong" for n in range(count)])
    none = np.zeros(count, dtype=bool)
    columns = [
        Column("email", EVENT.field("email"), "email", emails, none, (0,)),
        Column("contactExtEventType", EVENT.field("contactExtEventType"), "type", types, none, (1,)),
    ]
    by_code = {batch.code: batch.places for batch in judge(EVENT, Judge(1, {}), columns)}
    assert np.array_equal(by_code["email-syntax"], np.arange(0, count, 2))
    assert np.array_equal(by_code["not-in-enumeration"], np.arange(0, count, 4))


@few(20, soak=2_000)
@given(
    st.lists(
        st.sampled_from(["a@example.com", "a@@b", "", "x" * 65 + "@example.com", "a@gmial.com", None]), max_size=30
    )
)
def test_what_is_told_of_a_row_does_not_depend_on_its_neighbours(values):
    together = told(UPSERT, column("contact.email", values))
    alone = [
        (place, *rest)
        for place, value in enumerate(values)
        for _, *rest in told(UPSERT, column("contact.email", [value]))
    ]
    assert together == alone


@given(st.from_regex(r"[A-Za-z0-9_+.-]{1,12}@[a-z0-9.-]{1,12}\.(com|pl|de)", fullmatch=True))
def test_the_fast_filter_accepts_nothing_that_the_library_refuses(address):
    try:
        validate_email(address, check_deliverability=False)
        accepted = True
    except EmailNotValidError:
        accepted = False
    assert addresses.is_email(pa.array([address])).tolist() == [accepted]


@given(st.text(max_size=40))
def test_no_text_makes_the_judging_of_an_address_raise(text):
    column_ = column("contact.email", [text.encode("utf-8", "ignore").decode()])
    told(UPSERT, column_)


def test_validation_that_is_switched_off_is_noticed():
    with (
        config_context(validation_enabled=False, validation_depth=ValidationDepth.SCHEMA_AND_DATA),
        pytest.raises(AssertionError, match="PANDERA_VALIDATION_ENABLED"),
    ):
        told(UPSERT, column("contact.email", ["a@example.com"]))


def test_a_cleared_value_is_judged_by_no_rule_but_is_kept():
    cleared = np.array([True, False])
    one = Column("contact.phone", UPSERT.field("contact.phone"), "phone", pa.array(["", "1"]), ~cleared, (0,), cleared)
    assert told(UPSERT, one) == []
    assert pd.Series(one.values.to_pylist()).tolist() == ["", "1"]
