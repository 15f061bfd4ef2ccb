"""`apply` and its neighbours: blanks, failures, lists, and columns of the wrong kind."""

from __future__ import annotations

import pandas as pd
import pytest
from list_rows import failed_rows, lists_of, rows_of

from etl.records import text_series
from etl.transforms import Example, apply, by_unique, is_blank, passed, transform


def test_a_failed_cell_keeps_the_text_it_had() -> None:
    outcome = apply("number", text_series(["1,5", "12"]), {})
    assert outcome.values.tolist() == ["1,5", "12"]
    assert failed_rows(outcome).tolist() == [True, False]


def test_a_failed_cell_is_blank_in_the_next_step() -> None:
    outcome = apply("number", text_series(["1,5", "12"]), {})
    assert passed(outcome).tolist() == ["", "12"]


def test_a_failed_item_is_kept_until_it_has_been_reported() -> None:
    outcome = apply("number", lists_of([["x", "1"], [], ["2", "y"]]), {})
    assert rows_of(outcome.values) == [["x", "1"], [], ["2", "y"]]
    assert outcome.failed.tolist() == [True, False, False, True]
    assert failed_rows(outcome).tolist() == [True, False, True]


def test_a_failed_item_is_gone_in_the_next_step() -> None:
    outcome = apply("number", lists_of([["x", "1"], [], ["2", "y"]]), {})
    assert rows_of(passed(outcome)) == [["1"], [], ["2"]]


def test_repeats_that_a_step_makes_go_but_failures_stay() -> None:
    outcome = apply("number", lists_of([["1", "1.0", "x", "01"]]), {})
    assert rows_of(outcome.values) == [["1", "x"]]
    assert outcome.failed.tolist() == [False, True]


def test_an_item_that_fails_is_no_repeat_of_a_result_with_its_text() -> None:
    outcome = apply("map", lists_of([["a", "b"]]), {"values": {"a": "b"}})
    assert rows_of(outcome.values) == [["b", "b"]]
    assert outcome.failed.tolist() == [False, True]


def test_a_column_in_which_nothing_failed_is_passed_on_as_it_is() -> None:
    outcome = apply("lower", text_series(["A", "b"]), {})
    assert outcome.failed is None
    assert passed(outcome) is outcome.values
    assert failed_rows(outcome).tolist() == [False, False]


def test_default_leaves_rows_with_items_alone() -> None:
    assert rows_of(apply("default", lists_of([["A"]]), {"value": "NONE"}).values) == [["A"]]


def test_a_name_can_be_registered_once() -> None:
    with pytest.raises(AssertionError, match="BUG: transform 'strip' is registered twice"):
        transform(name="strip", example=Example({}, "a", "a"))(lambda text: text)


def test_blank_items_go_after_each_step() -> None:
    outcome = apply("blank_if", lists_of([["-", "VIP"], ["-"]]), {"values": ("-",)})
    assert rows_of(outcome.values) == [["VIP"], []]


def test_the_same_item_in_two_rows_is_no_repeat() -> None:
    outcome = apply("lower", lists_of([["A", "a"], ["A"]]), {})
    assert rows_of(outcome.values) == [["a"], ["a"]]


def test_default_gives_a_row_without_items_its_one_item() -> None:
    outcome = apply("default", lists_of([["A"], [], ["B"]]), {"value": "NONE"})
    assert rows_of(outcome.values) == [["A"], ["NONE"], ["B"]]


def test_concat_makes_no_item_out_of_none() -> None:
    outcome = apply("concat", lists_of([["A"], []]), {"prefix": "x-"})
    assert rows_of(outcome.values) == [["x-A"], []]


def test_the_reason_of_a_failure_is_found_at_its_own_place() -> None:
    outcome = apply("email", text_series(["", "a@b.pl", "nobody"]), {})
    assert outcome.details_at([1, 2]) == ["", "an email address must have an @-sign"]


def test_the_rows_index_survives_split_and_join() -> None:
    index = pd.Index([12, 40], dtype="int64")
    lists = apply("split", text_series(["a;b", ""], index), {"separator": ";"}).values
    text = apply("join", lists, {"separator": "+"}).values
    assert text.index.equals(index)
    assert text.tolist() == ["a+b", ""]


@pytest.mark.parametrize(
    ("name", "column"),
    [("join", text_series(["a"])), ("take", text_series(["a"])), ("split", lists_of([["a"]]))],
    ids=["join-on-text", "take-on-text", "split-on-list"],
)
def test_a_column_of_the_wrong_kind_is_a_bug(name: str, column: object) -> None:
    with pytest.raises(AssertionError, match="BUG: "):
        apply(name, column, {"join": {}, "take": {"item": 1}, "split": {"separator": ";"}}[name])


def test_arguments_that_were_not_checked_are_a_bug() -> None:
    with pytest.raises(AssertionError, match=r"BUG: strip was given the arguments \['x'\]"):
        apply("strip", text_series(["a"]), {"x": "1"})


def test_a_function_is_called_once_for_each_distinct_value() -> None:
    calls: list[str] = []
    result = by_unique(text_series(["b", "a", "b"]), lambda value: calls.append(value) or value * 2)
    assert result.tolist() == ["bb", "aa", "bb"]
    assert sorted(calls) == ["a", "b"]


def test_blank_is_white_space_and_characters_without_a_width() -> None:
    column = text_series(["", " \t\u00a0", "\ufeff\u200b", "a", "-", "\u00a0x"])
    assert is_blank(column).tolist() == [True, True, True, False, False, False]


def test_a_column_without_rows_is_fine() -> None:
    for name, arguments in [("strip", {}), ("email", {}), ("date", {}), ("title", {}), ("map", {"values": {"a": "b"}})]:
        assert apply(name, text_series([]), arguments).values.tolist() == []
    assert rows_of(apply("split", text_series([]), {"separator": ";"}).values) == []
