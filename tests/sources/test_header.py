from __future__ import annotations

from collections.abc import Sequence

import pytest

from etl.sources.header import find_header


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([["E-mail", "City"], ["a@example.com", "X"]], 0),
        ([["Report", "", ""], ["E-mail", "First", "City"], ["a@example.com", "A", "X"]], 1),
        ([["Report", "2024-01-31", ""], ["E-mail", "First", "City"], ["a@example.com", "A", "X"]], 1),
        ([["E-mail"], ["a@example.com"]], 0),
        ([["a", "b", "", "d"], ["1", "2", "3", "4"], ["1", "2", "3", "4"]], 0),
        ([["x", "x"], ["a", "b"]], 1),
        ([["a@example.com", "601 234 567"], ["b@example.com", "602 234 567"]], 0),
        ([["a", "b"], ["1", "2"], ["1", "2", "3", "4", "5", "6"]], 0),
        ([["# of a shop", "May"], ["Name", "City"], ["Anna", "Oslo"]], 1),
        ([["## v2", "x"], ["# made", "by hand"], ["Name", "City"], ["Anna", "Oslo"]], 2),
        ([["#", "Name"], ["1", "Anna"]], 0),
        ([["#id", "name"], ["Anna", "Oslo"]], 0),
        ([["# of orders", "E-mail"], ["3", "a@example.com"]], 0),
        ([["Contact", "", "Address", ""], ["E-mail", "Name", "City", "Zip"], ["a@example.com", "A", "X", "1"]], 1),
        ([["Who", "Where"], ["Name", "City"], ["Anna", "Oslo"]], 0),
        ([], None),
    ],
    ids=[
        "first row",
        "title",
        "title with a date",
        "one column",
        "a gap in the header",
        "repeated names",
        "no header",
        "one overlong row",
        "a comment",
        "two kinds of comments",
        "a column of numbers",
        "a name with a sign",
        "a name like a comment, and no other row of names",
        "two header rows, of which the first has gaps",
        "two whole header rows: the first",
        "no rows",
    ],
)
def test_the_header_is_the_first_wide_row_of_names(rows: list[list[str]], place: int | None) -> None:
    assert find_header(rows) == place


def score(row: Sequence[str]) -> int:
    return len({"E-mail", "City"}.intersection(row))


def test_the_score_finds_the_header_and_the_earliest_wins() -> None:
    assert find_header([["City"], ["x", "y"], [" E-mail ", "City"], ["E-mail", "City"]], score) == 2


def test_without_a_scoring_row_the_looks_decide() -> None:
    assert find_header([["Title", ""], ["a", "b"], ["c", "d"]], score) == 1


def test_rows_beyond_the_first_fifty_are_no_header() -> None:
    assert find_header([["x", "y"]] * 50 + [["E-mail", "City"]], score) == 0
