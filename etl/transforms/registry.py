"""The catalogue of transforms: what each takes, gives and is called.

A transform is one function over a whole column. It knows a Series, never the mapping language:

    @transform(code="not-a-number", example=Example({"decimal": ",", "thousands": "."}, "1.234,50", "1234.5"))
    def number(text: pd.Series[str], *, decimal: str = ".", ...) -> Outcome: ...

Text to text is the rule; `takes` and `gives` say otherwise ("list" is a `Lists`). A text-to-text transform is applied
to the items of a list. Input has no missing values (blank is ""), and is never changed in place; output has the same
index and length. Unless `sees_blanks`, it is called without the blank cells, which stay blank. A cell that it cannot
convert is marked in `Outcome.failed`, whatever its value; the caller makes the issue, with the transform's `code`.

The catalogue is full once `etl.transforms` is imported. `columns.apply` runs a transform as a mapping does,
`arguments.check_arguments` reads what a mapping gives it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_type_hints

import pandas as pd

from etl.records import Lists, Mask, Rows

Kind = Literal["text", "list"]

ArgumentCheck = Callable[[dict[str, Any], Path], Iterator[str]]
"""Yields what is wrong with the (typed) arguments given, as text; may replace them in the dict, by what they stand for.

The path is the folder against which file names are resolved.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transformed column, the mask of the cells (items, for a list) that failed, and what to say about these.

    `failed`: bool, one per value, None where none did. `detail` fills `{detail}` of the code's message; `reasons`,
    where given, says it value by value (text, as long as `values`; "" where the value did not fail).
    """

    values: pd.Series[str] | Lists
    failed: Mask | None = None
    detail: str = ""
    reasons: pd.Series[str] | None = None

    def details_at(self, places: Rows) -> list[str]:
        """Return what to say about each failed value at `places` (from 0): its own reason, else `detail`."""
        if self.reasons is None:
            return [self.detail] * len(places)
        return [own or self.detail for own in self.reasons.iloc[places].to_list()]


@dataclass(frozen=True, slots=True)
class Example:
    """`arguments` and `given` (a cell; a list of items) that yield `result`; each one is run as a test."""

    arguments: Mapping[str, Any]
    given: str | list[str]
    result: str | list[str]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a transform: its type as pydantic understands it, and its default (`required` if none).

    `name` is what a mapping writes; `parameter` the function's own, which has a `_` behind it where Python keeps the
    word for itself (`else_`).
    """

    name: str
    annotation: Any
    default: Any
    required: bool
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class Transform:
    """A registered transform. `summary` is the first line of the function's docstring.

    `fills_empty_lists`: on a list, a row without items is shown to it as one blank item. `check`: looks at the
    arguments when a mapping is loaded, beyond their types.
    """

    name: str
    call: Callable[..., pd.Series[str] | Lists | Outcome]
    takes: Kind
    gives: Kind
    code: str | None
    sees_blanks: bool
    summary: str
    examples: tuple[Example, ...]
    arguments: tuple[Argument, ...] = field(default=())
    fills_empty_lists: bool = False
    check: ArgumentCheck | None = None

    def argument(self, name: str) -> Argument | None:
        """Return the argument that a mapping calls `name`."""
        return next((argument for argument in self.arguments if argument.name == name), None)


CATALOGUE: dict[str, Transform] = {}


def transform(
    *,
    name: str | None = None,
    takes: Kind = "text",
    gives: Kind = "text",
    code: str | None = None,
    sees_blanks: bool = False,
    fills_empty_lists: bool = False,
    check: ArgumentCheck | None = None,
    example: Example | tuple[Example, ...],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function under its name (or `name`); its keyword-only parameters are its arguments.

    The first keyword-only parameter is the one that the short form `{name: value}` fills.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        label = name or function.__name__.rstrip("_")
        if label in CATALOGUE:
            raise AssertionError(f"BUG: transform {label!r} is registered twice")
        CATALOGUE[label] = Transform(
            name=label,
            call=function,
            takes=takes,
            gives=gives,
            code=code,
            sees_blanks=sees_blanks,
            summary=(function.__doc__ or "").strip().splitlines()[0],
            examples=example if isinstance(example, tuple) else (example,),
            arguments=_arguments_of(function),
            fills_empty_lists=fills_empty_lists,
            check=check,
        )
        return function

    return register


def as_outcome(result: pd.Series[str] | Lists | Outcome) -> Outcome:
    """Return `result` as an Outcome; a bare column is one in which nothing failed."""
    return result if isinstance(result, Outcome) else Outcome(result)


def _arguments_of(function: Callable[..., Any]) -> tuple[Argument, ...]:
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    # Only these are evaluated: `pd.Series[str]`, the usual type of the column, exists for type checkers alone.
    holder = type("Arguments", (), {"__annotations__": {p.name: p.annotation for p in named}})
    hints = get_type_hints(holder, globalns=function.__globals__, include_extras=True)
    return tuple(
        Argument(p.name.rstrip("_"), hints[p.name], p.default, p.default is inspect.Parameter.empty, p.name)
        for p in named
    )
