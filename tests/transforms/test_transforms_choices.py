"""Lists of values and lists of items: look-ups, yes and no, splitting, taking."""

from __future__ import annotations

import pytest
from list_rows import failed_rows, lists_of, rows_of

from etl.records import text_series
from etl.transforms import apply, check_arguments
from etl.transforms.choices import FALSE_WORDS, TRUE_WORDS


def _values(name: str, given: object, cells: list[str]) -> list[str | None]:
    arguments, problems = check_arguments(name, given)
    assert problems == []
    outcome = apply(name, text_series(cells), arguments)
    return [None if bad else value for value, bad in zip(outcome.values, failed_rows(outcome), strict=True)]


CASES = [
    ("default", {"value": "x"}, ["", " \u00a0", "a"], ["x", "x", "a"]),
    ("blank_if", ["-", "n/a"], ["-", " n/a ", "N/A", "a-"], ["", "", "N/A", "a-"]),
    ("blank_if", {"values": "BRAK", "ignore_case": "true"}, ["brak", "Brak"], ["", ""]),
    ("map", {"values": {"K": "f", "M": "m"}}, ["K", " M ", "k", ""], ["f", "m", None, ""]),
    ("map", {"values": {"K": "f"}, "ignore_case": "yes"}, ["k", "K"], ["f", "f"]),
    ("map", {"values": {"K": "f"}, "else": ""}, ["K", "x"], ["f", ""]),
    ("map", {"values": {"k": "f", "K": "f", "m": "m"}, "ignore_case": "yes"}, ["K", "m"], ["f", "m"]),
    ("map", {"values": {"K": ""}}, ["K"], [""]),
    ("boolean", None, ["TRUE", "Tak", "ja", "0", "NEJ", "maybe", "x"], ["true", "true", "true", "false", "false", None, None]),
    ("boolean", {"true": "n"}, ["n", "no", "yes"], ["true", "false", None]),
    ("boolean", {"false": ["yes"]}, ["yes", "tak", "no"], ["false", "true", None]),
    ("boolean", {"output": ["1", "0"]}, ["tak", "nie"], ["1", "0"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "cells", "expected"), CASES, ids=[f"{name}-{given}" for name, given, _, _ in CASES]
)
def test_cells_become(name: str, given: object, cells: list[str], expected: list[str | None]) -> None:
    assert _values(name, given, cells) == expected


def test_no_word_means_both_yes_and_no() -> None:
    assert not set(TRUE_WORDS) & set(FALSE_WORDS)


SPLITS = [
    (";", "VIP; shop;;vip;VIP", ["VIP", "shop", "vip"]),
    (".", "a.b", ["a", "b"]),
    (" ", " a  b ", ["a", "b"]),
    ("\n", "a\nb\r\n", ["a", "b"]),
    (", ", "a, b,c", ["a", "b,c"]),
    (";", " ; ;", []),
]


@pytest.mark.parametrize(("separator", "cell", "items"), SPLITS, ids=[repr(cell) for _, cell, _ in SPLITS])
def test_split_takes_its_separator_literally_and_drops_blanks_and_repeats(
    separator: str, cell: str, items: list[str]
) -> None:
    outcome = apply("split", text_series(["first", cell, ""]), {"separator": separator})
    assert rows_of(outcome.values) == [["first"], items, []]


TAKES = [(1, ["a", "c", ""]), (2, ["b", "", ""]), (-1, ["b", "c", ""]), (-2, ["a", "", ""]), (9, ["", "", ""])]


@pytest.mark.parametrize(("item", "expected"), TAKES, ids=[str(item) for item, _ in TAKES])
def test_take_counts_from_one_and_from_the_end(item: int, expected: list[str]) -> None:
    assert apply("take", lists_of([["a", "b"], ["c"], []]), {"item": item}).values.tolist() == expected


def test_join_without_items_is_blank() -> None:
    assert apply("join", lists_of([["a", "b"], []]), {}).values.tolist() == ["a,b", ""]
