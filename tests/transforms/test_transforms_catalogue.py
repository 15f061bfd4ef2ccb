"""The catalogue as a whole: every example, and the laws that every transform keeps for any text."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from list_rows import failed_rows, lists_of, rows_of

from etl.codes import CODES
from etl.records import TEXT, Lists, text_series
from etl.transforms import CATALOGUE, apply, check_arguments
from etl.transforms.registry import Example, Transform

EXAMPLES = [
    pytest.param(step, example, id=f"{step.name}-{number}")
    for step in CATALOGUE.values()
    for number, example in enumerate(step.examples, start=1)
]
TEXT_TO_TEXT = [step for step in CATALOGUE.values() if (step.takes, step.gives) == ("text", "text")]
CELLS = st.lists(
    st.text(max_size=12)
    | st.text(alphabet="0123456789.,-+() /:eEzł€", max_size=16)
    | st.sampled_from(
        ["", " ", "\u00a0", "\u200b", "Zażółć", "ß", "İ", "1/2/2024", "45322", "+48 600 123 456", "a@b.pl", "tak"]
    ),
    max_size=8,
)


def _arguments(step: Transform, example: Example) -> dict[str, Any]:
    arguments, problems = check_arguments(step, dict(example.arguments))
    assert problems == []
    return arguments


def _values(column: pd.Series | Lists) -> list[Any]:
    return rows_of(column) if isinstance(column, Lists) else column.tolist()


@pytest.mark.parametrize(("step", "example"), EXAMPLES)
def test_every_example_yields_its_result(step: Transform, example: Example) -> None:
    is_list = isinstance(example.given, list)
    column = lists_of([example.given]) if is_list else text_series([example.given])

    outcome = apply(step, column, _arguments(step, example))

    assert _values(outcome.values) == [example.result]
    assert outcome.failed is None


def test_the_catalogue_holds_every_transform_that_mappings_are_promised() -> None:
    promised = (
        "strip squeeze lower upper title replace regex_extract regex_replace split join take default blank_if map "
        "number integer boolean date phone country email slug hash concat truncate tag digits pad"
    )
    assert set(promised.split()) == set(CATALOGUE)


@pytest.mark.parametrize("step", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_transform_has_a_summary_an_example_and_a_known_code(step: Transform) -> None:
    assert step.summary.endswith((".", "has none."))
    assert step.examples
    assert step.code is None or step.code in CODES


@pytest.mark.parametrize(("step", "example"), EXAMPLES)
def test_checked_arguments_survive_pickling(step: Transform, example: Example) -> None:
    arguments = _arguments(step, example)
    assert pickle.loads(pickle.dumps(arguments)) == arguments


@pytest.mark.parametrize("step", TEXT_TO_TEXT, ids=lambda step: step.name)
@settings(max_examples=20, deadline=None)
@given(cells=CELLS)
def test_index_length_and_type_are_kept_and_the_input_is_untouched(step: Transform, cells: list[str]) -> None:
    index = pd.Index(range(7, 7 + len(cells)), dtype="int64")
    column = text_series(cells, index)
    for example in step.examples:
        outcome = apply(step, column, _arguments(step, example))

        assert outcome.values.index.equals(index)
        assert outcome.values.dtype == TEXT
        assert not outcome.values.isna().any()
        assert len(failed_rows(outcome)) == len(cells)
        assert column.tolist() == cells


@pytest.mark.parametrize("step", TEXT_TO_TEXT, ids=lambda step: step.name)
@settings(max_examples=20, deadline=None)
@given(cells=CELLS, cut=st.integers(0, 8))
def test_the_result_of_a_chunk_is_that_of_its_parts(step: Transform, cells: list[str], cut: int) -> None:
    for example in step.examples:
        arguments = _arguments(step, example)
        whole = apply(step, text_series(cells), arguments)
        parts = [apply(step, text_series(part), arguments) for part in (cells[:cut], cells[cut:])]

        assert whole.values.tolist() == [value for part in parts for value in part.values.tolist()]
        assert failed_rows(whole).tolist() == [bad for part in parts for bad in failed_rows(part).tolist()]


@pytest.mark.parametrize("step", [step for step in TEXT_TO_TEXT if not step.sees_blanks], ids=lambda step: step.name)
@pytest.mark.parametrize("blank", ["", "  ", "\u00a0\t", "\u200b"], ids=["empty", "spaces", "nbsp", "zero-width"])
def test_a_blank_cell_stays_blank_and_never_fails(step: Transform, blank: str) -> None:
    for example in step.examples:
        outcome = apply(step, text_series([blank]), _arguments(step, example))
        assert outcome.values.tolist() == [""]
        assert outcome.failed is None


IDEMPOTENT = [
    "strip",
    "squeeze",
    "lower",
    "upper",
    "number",
    "integer",
    "boolean",
    "email",
    "tag",
    "slug",
    "country",
    "digits",
]


@pytest.mark.parametrize("name", IDEMPOTENT)
@settings(max_examples=60, deadline=None)
@given(cells=CELLS)
def test_twice_is_the_same_as_once(name: str, cells: list[str]) -> None:
    first = apply(name, text_series(cells), {})
    good = text_series([v for v, bad in zip(first.values, failed_rows(first), strict=True) if not bad])

    second = apply(name, good, {})

    assert second.values.tolist() == good.tolist()
    assert second.failed is None


@settings(max_examples=100, deadline=None)
@given(
    digits=st.text(alphabet="0123456789", min_size=6, max_size=13),
    region=st.sampled_from(["PL", "DE", "SE", "US", "IT"]),
)
def test_a_phone_number_once_written_in_e164_stays_so(digits: str, region: str) -> None:
    first = apply("phone", text_series([digits]), {"region": region})
    if first.failed is None:
        for arguments in ({"region": region}, {}):
            assert apply("phone", first.values, arguments).values.tolist() == first.values.tolist()


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(st.sampled_from(["a", "A", "x1", "12", "7"]), max_size=5), max_size=5))
def test_items_of_a_list_keep_their_rows(rows: list[list[str]]) -> None:
    outcome = apply("digits", lists_of(rows), {})

    kept = [list(dict.fromkeys(item for item in row if any(c.isdigit() for c in item))) for row in rows]
    failed = failed_rows(outcome)
    values = outcome.values
    assert isinstance(values, Lists)
    assert np.all(np.diff(values.owner) >= 0)
    assert failed.tolist() == [any(not any(c.isdigit() for c in item) for item in row) for row in rows]
    good = values.owner if outcome.failed is None else values.owner[~outcome.failed]
    expected = [
        place for place, row in enumerate(kept) for _ in dict.fromkeys("".join(filter(str.isdigit, i)) for i in row)
    ]
    assert good.tolist() == expected
