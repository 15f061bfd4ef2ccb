import pickle
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.mapping.braces import TextError
from etl.mapping.expressions import parse
from etl.mapping.template import parse_template
from etl.records import text_series

CELLS = {
    "Consent": ["yes", "Yes", " yes ", "no", ""],
    "Age": ["3", "x", "", "10", "9007199254740993"],
    "First name": ["a", "", "  ", "b", "c"],
}


def lookup(name: str) -> "pd.Series[str]":
    return text_series(CELLS[name])


def signs(text: str) -> str:
    """One sign a row: T true, F false, ! failed."""
    verdict = parse(text).evaluate(lookup)
    return "".join(
        "!" if bad else "T" if good else "F" for good, bad in zip(verdict.truth, verdict.failed, strict=True)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Consent == 'yes'", "TFTFF", id="cells-are-trimmed-and-case-sensitive"),
        pytest.param("Consent != 'yes'", "FTFTT", id="not-equal"),
        pytest.param("lower(Consent) == 'yes'", "TTTFF", id="lower"),
        pytest.param("Consent in ['yes', \"no\"]", "TFTTF", id="in"),
        pytest.param("Consent not in ('yes', 'no')", "FTFFT", id="not-in"),
        pytest.param("{First name} is blank", "FTTFF", id="is-blank"),
        pytest.param("{First name} is not blank", "TFFTT", id="is-not-blank"),
        pytest.param("contains(Consent, 'es')", "TTTFF", id="contains"),
        pytest.param("Age > 3", "F!!TT", id="order-with-a-blank-fails"),
        pytest.param("3 < Age", "F!!TT", id="mirrored"),
        pytest.param("Age == 3", "T!FFF", id="a-blank-is-no-number-and-equals-none"),
        pytest.param("Age in [3, 10]", "T!FTF", id="in-numbers"),
        pytest.param("number(Age) != number(Age)", "F!FFF", id="a-blank-equals-a-blank"),
        pytest.param("Age == 9007199254740992", "F!FFF", id="long-numbers-are-exact"),
        pytest.param("Consent == 'Yes' or Age > 3", "FT!TT", id="or-is-decided-where-one-side-is"),
        pytest.param("Consent == 'yes' and Age > 3", "FF!FF", id="and-is-decided-where-one-side-is"),
        pytest.param("not (Consent == 'yes' or Consent == 'no')", "FTFFT", id="not"),
        pytest.param("Consent == 'no' or Consent == 'yes' and Age == 3", "TFFTF", id="and-binds-before-or"),
    ],
)
def test_a_condition_holds_fails_or_not_row_by_row(text: str, expected: str) -> None:
    assert signs(text) == expected


def test_each_cell_that_is_no_number_is_blamed_and_no_other() -> None:
    blamed = parse("Age > 3 and Consent > 1").evaluate(lookup).blamed
    assert {name: "".join("x" if one else "." for one in mask) for name, mask in blamed.items()} == {
        "Age": ".xx..",
        "Consent": ".xxxx",
    }


def test_a_blank_that_differs_from_a_number_is_not_blamed_for_its_neighbour() -> None:
    cells = {"a": text_series(["", "x"]), "b": text_series(["q", "3"])}
    blamed = parse("a != 3 and b > 2").evaluate(cells.__getitem__).blamed
    assert (blamed["a"].tolist(), blamed["b"].tolist()) == ([False, True], [True, False])


def test_a_cell_that_a_field_would_call_blank_is_blank_for_a_condition() -> None:
    cells = {"a": text_series(["\u200b", "\u00a0", "\ufeffx\u200b"])}
    assert parse("a is blank").evaluate(cells.__getitem__).truth.tolist() == [True, True, False]
    assert parse("a == 'x'").evaluate(cells.__getitem__).truth.tolist() == [False, False, True]


def test_columns_are_named_once_in_order_of_appearance() -> None:
    assert parse("b == 'x' and ({A c} is blank or b == 'y')").columns == ("b", "A c")


def test_near_misses_are_equal_but_for_case_and_spaces() -> None:
    assert parse("Consent == 'yes' or Age == 1").near_misses(lookup) == [("Consent", "yes", "Yes", 1)]


def test_a_condition_survives_pickling() -> None:
    expression = parse("Consent == 'yes' or Age > 3")

    assert pickle.loads(pickle.dumps(expression)) == expression


@pytest.mark.parametrize(
    ("text", "message", "offset", "hint"),
    [
        ("a = 'x'", "'=' is no sign here", 2, "write =="),
        ("a == 'x' && b == 'y'", "'&&' is no sign here", 9, "write and"),
        ("a == 'x", "a quote that is never closed", 5, "close it with the same sign"),
        ("a < b", "< between two columns", 2, "say how they are read: number(a) < number(b)"),
        ("a < '3'", "< with a number in quotes", 2, "write 3 without quotes"),
        ("a in [1, 'x']", "text and numbers in one list", 9, "put all of them into quotes, or none"),
        ("lower(a) == 'Yes'", "lower() leaves no capitals", 9, "write 'yes'"),
        ("a == 'x '", "text with spaces at its edge", 2, "cells are trimmed: write 'x'"),
        ("1 == 1", "two constants are compared", 2, "name a column; text alone stands in quotes"),
        ("a < b < c", "two comparisons in a row", 6, "join them with `and`"),
        ("{a == 'x'", "'{' without '}'", 0, "close the column's name with }"),
        ("a", "a comparison, such as == 'yes' is expected here, not the end", 1, ""),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_offset(text: str, message: str, offset: int, hint: str) -> None:
    with pytest.raises(TextError) as caught:
        parse(text)

    assert (caught.value.message, caught.value.offset, caught.value.hint) == (message, offset, hint)


def test_depth_is_limited() -> None:
    with pytest.raises(TextError, match="more than 40 levels"):
        parse("(" * 41 + "a == 'x'" + ")" * 41)


def test_braces_of_a_template_are_doubled_and_odd_names_quoted() -> None:
    parts = parse_template("{{{Shop}}}: {'a } b'}")

    assert [(part.text, part.is_column) for part in parts] == [
        ("{", False),
        ("Shop", True),
        ("}: ", False),
        ("a } b", True),
    ]


# ---- the evaluator agrees with a plain one, row by row: True, False, None for failed

_CELL = st.sampled_from(
    ["", " ", "x", "X", "x ", "1", "1.0", "-2.5", "+3", "1e3", "12345678901234567.5", "yes", "a\u00a0"]
)
_TEXT = st.sampled_from(["x", "X", "yes", "1", ""])
_NUMBER = st.sampled_from(["1", "0", "-2.5", "3", "12345678901234567.5"])
_COLUMN = st.sampled_from(["a", "b"])
Node = tuple[object, ...]
_LEAVES = st.one_of(
    st.tuples(st.just("text"), _COLUMN, st.sampled_from(["==", "!="]), _TEXT),
    st.tuples(st.just("number"), _COLUMN, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), _NUMBER),
    st.tuples(st.just("among"), _COLUMN, st.lists(_NUMBER, min_size=1, max_size=3)),
    st.tuples(st.just("pair"), st.sampled_from(["==", "!=", "<", ">="])),
    st.tuples(st.just("blank"), _COLUMN),
    st.tuples(st.just("contains"), _COLUMN),
)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=8,
)


def _written(node: Node) -> str:
    match node:
        case ("text", column, sign, value):
            return f"{column} {sign} '{value}'"
        case ("number", column, sign, value):
            return f"{column} {sign} {value}"
        case ("among", column, list(values)):
            return f"{column} in [{', '.join(values)}]"
        case ("pair", sign):
            return f"number(a) {sign} number(b)"
        case ("blank", column):
            return f"{column} is blank"
        case ("contains", column):
            return f"contains({column}, 'x')"
        case ("not", inner):
            return f"not ({_written(inner)})"  # type: ignore[arg-type]
        case (word, left, right):
            return f"({_written(left)}) {word} ({_written(right)})"  # type: ignore[arg-type]
    raise AssertionError(node)


def _number(cell: str) -> Decimal | str | None:
    """The number, "" for a blank, None for what is none."""
    digits = cell.lstrip("+-") if cell[:1] in "+-" else cell
    plain = digits.count(".") <= 1 and all(part.isdigit() for part in digits.split("."))
    return Decimal(cell) if cell and plain else "" if not cell else None


def _compare(sign: str, left: Decimal | str | None, right: Decimal | str | None) -> bool | None:
    if left is None or right is None:
        return None
    if sign in {"==", "!="}:
        return (left == right) == (sign == "==")
    if not isinstance(left, Decimal) or not isinstance(right, Decimal):
        return None
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign]


def _plain(node: Node, row: dict[str, str]) -> bool | None:
    match node:
        case ("text", str(column), sign, value):
            return (row[column] == value) == (sign == "==")
        case ("number", str(column), str(sign), str(value)):
            return _compare(sign, _number(row[column]), Decimal(value))
        case ("among", str(column), list(values)):
            found = [_compare("==", _number(row[column]), Decimal(value)) for value in values]
            return None if None in found else any(found)
        case ("pair", str(sign)):
            return _compare(sign, _number(row["a"]), _number(row["b"]))
        case ("blank", str(column)):
            return not row[column]
        case ("contains", str(column)):
            return "x" in row[column]
        case ("not", inner):
            value = _plain(inner, row)  # type: ignore[arg-type]
            return None if value is None else not value
        case (word, left, right):
            both = [_plain(left, row), _plain(right, row)]  # type: ignore[arg-type]
            decisive = word == "or"
            return decisive if decisive in both else None if None in both else not decisive
    raise AssertionError(node)


@settings(deadline=None)
@given(_TREES, st.lists(st.tuples(_CELL, _CELL), max_size=8))
def test_columns_are_judged_as_a_plain_evaluator_judges_row_by_row(tree: Node, rows: list[tuple[str, str]]) -> None:
    columns = {"a": text_series([one for one, _ in rows]), "b": text_series([other for _, other in rows])}

    verdict = parse(_written(tree)).evaluate(columns.__getitem__)

    expected = [_plain(tree, {"a": one.strip(), "b": other.strip()}) for one, other in rows]
    assert verdict.truth.tolist() == [value is True for value in expected]
    assert verdict.failed.tolist() == [value is None for value in expected]


@given(st.text(alphabet="ab{}'\"()[], =!<>.+-019notinisblankor&|\u00e9", max_size=40))
def test_any_text_is_a_condition_or_a_mistake_with_a_place(text: str) -> None:
    offset = 0
    try:
        parse(text)
    except TextError as error:
        offset = error.offset

    assert 0 <= offset <= len(text)
