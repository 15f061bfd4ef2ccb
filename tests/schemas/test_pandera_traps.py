"""What pandera hides unless it is used with care, each trap pinned: none of them may cost a row its verdict."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pandera.pandas as pa_schema
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import issues_of, prepared_of

from etl.columns import Column
from etl.contract import ACTIONS
from etl.issues import Judge
from etl.records import TEXT
from etl.schemas import judge
from etl.schemas.validate import _failures, rules_of

UPSERT, EVENT = ACTIONS["contact.upsert"], ACTIONS["event.create"]
EVENTS = """\
version: 1
name: traps
records:
  - action: event.create
    when: "Sent == 'yes'"
    fields:
      email: E-mail
      value: Amount
      contactExtEventType: Type
      detail1: Note
"""
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def event_column(path: str, values: list[str | None], place: int = 0) -> Column:
    kind = pa.string()
    return Column(path, EVENT.field(path), path, pa.array(values, kind), np.zeros(len(values), dtype=bool), (place,))


def test_a_cell_that_cannot_be_converted_masks_no_other_fault_of_its_column(tmp_path):
    sheet = "E-mail;Amount;Type;Note;Sent\n" + "".join(
        f"a@example.com;{amount};PURCHASE;;yes\n" for amount in ["many", "1.234", "9" * 400, "5", "", "none", "0.001"]
    )
    found = [(told.row, told.code) for told in issues_of(prepared_of(tmp_path, EVENTS, sheet))]
    assert found == [
        (2, "not-a-number"), (3, "too-many-decimals"), (4, "not-finite"), (7, "not-a-number"), (8, "too-many-decimals"),
    ]  # fmt: skip


def test_every_bad_cell_of_a_row_is_told_in_one_pass(tmp_path):
    sheet = f"E-mail;Amount;Type;Note;Sent\nbad;1.234;purchase;{'n' * 256};yes\n"
    found = [(told.field, told.code) for told in issues_of(prepared_of(tmp_path, EVENTS, sheet))]
    assert found == [
        ("contactExtEventType", "not-in-enumeration"), ("detail1", "too-long"), ("email", "email-syntax"),
        ("value", "too-many-decimals"),
    ]  # fmt: skip


def test_a_row_is_known_by_its_own_number_whatever_was_skipped_before_it(tmp_path):
    rows = ["a@example.com;1;;;no", ";;;;", "bad;1;;;yes", "b@example.com;1;;;no", "c@example.com;1;wrong;;yes"]
    sheet = "E-mail;Amount;Type;Note;Sent\n" + "\n".join(rows) + "\n"
    found = [(told.row, told.code, told.value) for told in issues_of(prepared_of(tmp_path, EVENTS, sheet))]
    assert found == [(4, "email-syntax", "bad"), (6, "not-in-enumeration", "wrong")]


@pytest.mark.parametrize("value", ["a@example.com\n", "\na@example.com", "a@example.com\r\n"], ids=repr)
def test_a_line_break_at_the_end_is_not_overlooked_in_an_address(value):
    (batch,) = judge(EVENT, Judge(1, {}), [event_column("email", [value])])
    assert (batch.code, batch.places.tolist()) == ("email-syntax", [0])


def test_a_line_break_at_the_end_is_not_overlooked_in_an_enumeration():
    (batch,) = judge(EVENT, Judge(1, {}), [event_column("contactExtEventType", ["PURCHASE\n"])])
    assert batch.code == "not-in-enumeration"


@given(st.lists(ANY_TEXT, max_size=8), st.sampled_from([*UPSERT.fields, *EVENT.fields]))
def test_no_check_raises_whatever_the_text_since_one_that_raises_hides_its_column(values, field):
    for rule in rules_of(field):
        passes = rule.passes(pa.array(values, pa.string()))
        assert (len(passes), passes.dtype) == (len(values), np.dtype(bool))
        for value in values:
            assert isinstance(rule.detail(value), str)


def test_a_check_that_raises_is_a_fault_of_ours_and_no_verdict_and_names_no_value():
    def broken(_series: pd.Series) -> pd.Series:
        raise TypeError("secret@example.com")

    check = pa_schema.Check(broken, name="email-syntax", error="email-syntax")
    schema = pa_schema.DataFrameSchema({"email": pa_schema.Column(TEXT, check, nullable=True)})
    frame = pd.DataFrame({"email": pd.Series(["secret@example.com", "b@example.com"], dtype=TEXT)})
    with pytest.raises(AssertionError, match="fault of no row") as caught:
        _failures(schema, frame, Judge(1, {}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("values", [[], [None, None], [None]], ids=["no rows", "nulls", "one null"])
def test_columns_without_any_value_are_of_the_right_type_and_have_no_fault(values):
    columns = [event_column(path, values) for path in ("email", "value", "contactExtEventType", "description")]
    assert judge(EVENT, Judge(1, {}), columns) == []


def test_a_record_without_any_column_to_judge_has_no_fault():
    assert judge(EVENT, Judge(1, {}), []) == []


def test_the_issues_of_a_column_stand_in_the_order_of_the_rows():
    values = ["bad" if n % 3 else f"a{n}@example.com" for n in range(5_000)]
    (batch,) = judge(EVENT, Judge(1, {}), [event_column("email", values)])
    assert batch.places.tolist() == [n for n in range(5_000) if n % 3]


def test_threads_that_share_a_schema_find_the_same():
    def found(seed: int) -> list[int]:
        values = ["bad" if n % 7 == seed else "a@example.com" for n in range(700)]
        (batch,) = judge(EVENT, Judge(1, {}), [event_column("email", values), event_column("detail2", values)])
        return batch.places.tolist()

    with ThreadPoolExecutor(7) as pool:
        assert list(pool.map(found, list(range(7)) * 4)) == [list(range(seed, 700, 7)) for seed in range(7)] * 4
