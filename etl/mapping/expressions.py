"""Conditions over columns (`when:`), parsed by our own grammar and evaluated on whole columns; never by eval.

A row on which a condition cannot be evaluated (text, or a blank where order is asked, read as a number) has failed,
unless the rest decides: `a == 'x' or b > 3` holds where a is 'x', whatever b is.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.mapping.grammar import NUMBER, parse_condition
from etl.mapping.nodes import (
    Among,
    Both,
    Column,
    Compare,
    Condition,
    Contains,
    Either,
    IsBlank,
    Lower,
    Not,
    Number,
    Operand,
    Text,
    ToNumber,
)
from etl.records import Mask
from etl.transforms.columns import EDGES

Lookup = Callable[[str], "pd.Series[str]"]

_FLOAT_DIGITS = 15
"""Decimals of so many digits keep their order and their difference as float64; longer ones are compared as Decimal."""
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ARROW_SIGNS = {
    "==": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`truth`: rows for which the condition holds; `failed`: rows on which it cannot be evaluated.

    `blamed`: by column, the failed rows whose cell there was read as a number and is none.
    """

    truth: Mask
    failed: Mask
    blamed: dict[str, Mask]


class NearMiss(NamedTuple):
    """`rows` cells of `column` are `variant`, which is `literal` but for case and spaces; counts of chunks add up."""

    column: str
    literal: str
    variant: str
    rows: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed condition. `text` as written; `columns` the names it uses, in order of appearance."""

    text: str
    columns: tuple[str, ...]
    root: Condition

    def evaluate(self, lookup: Lookup) -> Verdict:
        """Evaluate on raw cells (trimmed here, case-sensitive); `lookup` gives the column of a name."""
        cells = _Cells(lookup)
        answer = _answer(self.root, cells)
        blamed = {name: mask & answer.failed for name, mask in cells.not_numbers.items()}
        return Verdict(answer.truth, answer.failed, blamed)

    def near_misses(self, lookup: Lookup) -> list[NearMiss]:
        """Return the cells that equal a text constant only if case and spaces are ignored, by column and text."""
        cells = _Cells(lookup)
        found: dict[tuple[str, str, str], int] = {}
        for column, constants in _equalities(self.root):
            for literal, variant, count in _variants(cells.trimmed(column), constants):
                found[(column, literal, variant)] = count
        return [NearMiss(*key, count) for key, count in sorted(found.items())]


def parse(text: str) -> Expression:
    """Return the condition that `text` says; raises `braces.TextError`, with the offset of the mistake."""
    root, columns = parse_condition(text)
    return Expression(text, columns, root)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Three values a row: true, failed, or (neither) false."""

    truth: Mask
    failed: Mask

    @property
    def falsehood(self) -> Mask:
        return ~(self.truth | self.failed)


class _Cells:
    """The columns that a condition reads, each made ready once."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._trimmed: dict[str, pa.Array] = {}
        self.not_numbers: dict[str, Mask] = {}

    def trimmed(self, name: str) -> pa.Array:
        if name not in self._trimmed:
            array = pa.array(self._lookup(name).array)
            if isinstance(array, pa.ChunkedArray):
                array = array.combine_chunks()
            self._trimmed[name] = pc.utf8_trim(array.cast(pa.large_string()), characters=EDGES)
        return self._trimmed[name]

    def text(self, operand: Operand) -> pa.Array:
        match operand:
            case Column(name):
                return self.trimmed(name)
            case Lower(of):
                return pc.utf8_lower(self.text(of))
        raise AssertionError(f"BUG: no column of text in {operand!r}")

    def numbers(self, operand: Operand) -> _Numbers:
        inner = operand.of if isinstance(operand, ToNumber) else operand
        text = self.text(inner)
        blank = np.asarray(pc.equal(text, ""))
        good = np.asarray(pc.match_substring_regex(text, rf"\A(?:{NUMBER})\z"))
        return _Numbers(_column_of(inner), text, blank, good)

    def blame(self, numbers: _Numbers, failed: Mask) -> None:
        """Note the rows of a failed comparison in which the cell of `numbers` is the reason."""
        known = self.not_numbers.get(numbers.name)
        self.not_numbers[numbers.name] = failed if known is None else known | failed


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A column read as numbers; `text` is one where `good`."""

    name: str
    text: pa.Array
    blank: Mask
    good: Mask

    @property
    def needs_decimal(self) -> bool:
        longest = pc.max(pc.if_else(self.good, pc.binary_length(self.text), 0)).as_py()
        return longest is not None and longest > _FLOAT_DIGITS

    def as_array(self, *, exact: bool) -> npt.NDArray[Any]:
        plain = pc.if_else(pa.array(self.good), self.text, "0")
        if not exact:
            return np.asarray(pc.cast(pc.utf8_ltrim(plain, "+"), pa.float64()))
        coded = plain.dictionary_encode()
        values = np.empty(len(coded.dictionary), dtype=object)
        values[:] = [Decimal(one) for one in coded.dictionary.to_pylist()]
        chosen: npt.NDArray[Any] = values[np.asarray(coded.indices)] if len(plain) else values
        return chosen


def _answer(condition: Condition, cells: _Cells) -> _Answer:
    match condition:
        case Both(parts):
            return _both([_answer(part, cells) for part in parts])
        case Either(parts):
            return _not(_both([_not(_answer(part, cells)) for part in parts]))
        case Not(of):
            return _not(_answer(of, cells))
        case IsBlank(operand):
            return _sure(pc.equal(cells.text(operand), ""))
        case Contains(operand, part):
            return _sure(pc.match_substring(cells.text(operand), part))
        case Among(operand, choices):
            return _among(operand, choices, cells)
        case Compare(sign, left, right, numeric=True):
            return _compare_numbers(sign, left, right, cells)
        case Compare(sign, left, Text(value)):
            return _sure(_ARROW_SIGNS[sign](cells.text(left), pa.scalar(value, pa.large_string())))
        case Compare(sign, left, right):
            return _sure(_ARROW_SIGNS[sign](cells.text(left), cells.text(right)))


def _sure(truth: pa.Array) -> _Answer:
    mask = np.asarray(truth, dtype=bool)
    return _Answer(mask, np.zeros(len(mask), dtype=bool))


def _not(answer: _Answer) -> _Answer:
    return _Answer(answer.falsehood, answer.failed)


def _both(answers: list[_Answer]) -> _Answer:
    truth = np.logical_and.reduce([answer.truth for answer in answers])
    falsehood = np.logical_or.reduce([answer.falsehood for answer in answers])
    return _Answer(truth, ~(truth | falsehood))


def _among(operand: Operand, choices: tuple[Text, ...] | tuple[Number, ...], cells: _Cells) -> _Answer:
    texts = [choice.value for choice in choices if isinstance(choice, Text)]
    if texts:
        return _sure(pc.is_in(cells.text(operand), value_set=pa.array(texts, pa.large_string())))
    parts = [_not(_compare_numbers("==", operand, choice, cells)) for choice in choices]
    return _not(_both(parts))


def _compare_numbers(sign: str, left: Operand, right: Operand, cells: _Cells) -> _Answer:
    """Compare as numbers. A blank differs from every number, equals a blank, and has no order."""
    one = cells.numbers(left)
    second: _Numbers | None = None
    if isinstance(right, Number):
        exact = one.needs_decimal or len(str(right.value)) > _FLOAT_DIGITS
        other: Any = right.value if exact else float(right.value)
        other_blank: Mask = np.zeros(len(one.good), dtype=bool)
        other_good = ~other_blank
    else:
        second = cells.numbers(right)
        exact = one.needs_decimal or second.needs_decimal
        other, other_blank, other_good = second.as_array(exact=exact), second.blank, second.good
    good = one.good & other_good
    truth = np.asarray(_SIGNS[sign](one.as_array(exact=exact), other), dtype=bool) & good
    if sign in {"==", "!="}:
        any_blank = (one.blank | other_blank) & (one.good | one.blank) & (other_good | other_blank)
        same = one.blank & other_blank
        truth |= any_blank & (same if sign == "==" else ~same)
        good |= any_blank
    for side in (one,) if second is None else (one, second):
        harmless = side.good | side.blank if sign in {"==", "!="} else side.good
        cells.blame(side, ~good & ~harmless)
    return _Answer(truth, ~good)


def _column_of(operand: Operand) -> str:
    match operand:
        case Column(name):
            return name
        case Lower(of) | ToNumber(of):
            return _column_of(of)
    raise AssertionError(f"BUG: no column in {operand!r}")


def _equalities(condition: Condition) -> Iterator[tuple[str, list[str]]]:
    """Yield each column that is compared for equality with texts, and these."""
    match condition:
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _equalities(part)
        case Not(of):
            yield from _equalities(of)
        case Compare("==" | "!=", Column(name), Text(value)):
            yield name, [value]
        case Among(Column(name), choices):
            texts = [choice.value for choice in choices if isinstance(choice, Text)]
            if texts:
                yield name, texts


def _variants(cells: pa.Array, constants: list[str]) -> Iterator[tuple[str, str, int]]:
    folded_constants = _folded(pa.array(constants, pa.large_string())).to_pylist()
    literal_of = dict(zip(reversed(folded_constants), reversed(constants), strict=True))
    folded = _folded(cells)
    near = pc.is_in(folded, value_set=pa.array([key for key in literal_of if key], pa.large_string()))
    exact = pc.is_in(cells, value_set=pa.array(constants, pa.large_string()))
    variants = cells.filter(pc.and_not(near, exact))
    for counted in variants.value_counts().to_pylist():
        variant = counted["values"]
        folded_variant = _folded(pa.array([variant], pa.large_string()))[0].as_py()
        yield literal_of[folded_variant], variant, counted["counts"]


def _folded(text: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.replace_substring_regex(text, r"[\s\p{Z}\p{Cf}]+", ""))
