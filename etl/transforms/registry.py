"""The catalogue of transforms: what each takes, gives and is called.

A transform is one function over a whole column. It knows a Series, never the mapping language:

    @transform(code="not-a-number", example=Example({"decimal": ","}, "1.234,50", "1234.50"))
    def number(text: pd.Series[str], *, decimal: str = ".", ...) -> Outcome: ...

Text to text is the rule; `takes` and `gives` say otherwise ("list" is a `Lists`). A text-to-text transform is applied
to the items of a list. Input has no missing values (blank is ""), and is never changed in place; output has the same
index and length. Unless `sees_blanks`, it is called without the blank cells, which stay blank. A cell that it cannot
convert is marked in `Outcome.failed`, whatever its value; the caller makes the issue, with the transform's `code`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

import pandas as pd

from etl.records import Lists, Mask

Kind = Literal["text", "list"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transformed column, the mask of the cells (items, for a list) that failed, and what to say about these.

    `failed`: bool, one per value, None where none did. `detail` fills `{detail}` of the code's message.
    """

    values: pd.Series[str] | Lists
    failed: Mask | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """`arguments` and `given` (a cell; a list of items) that yield `result`; each one is run as a test."""

    arguments: Mapping[str, Any]
    given: str | list[str]
    result: str | list[str]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a transform: its type as pydantic understands it, and its default (`required` if none)."""

    name: str
    annotation: Any
    default: Any
    required: bool


@dataclass(frozen=True, slots=True)
class Transform:
    """A registered transform. `summary` is the first line of the function's docstring."""

    name: str
    call: Callable[..., pd.Series[str] | Lists | Outcome]
    takes: Kind
    gives: Kind
    code: str | None
    sees_blanks: bool
    summary: str
    examples: tuple[Example, ...]
    arguments: tuple[Argument, ...] = field(default=())


CATALOGUE: dict[str, Transform] = {}


def transform(
    *,
    name: str | None = None,
    takes: Kind = "text",
    gives: Kind = "text",
    code: str | None = None,
    sees_blanks: bool = False,
    example: Example | tuple[Example, ...],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function under its name (or `name`); its keyword-only parameters are its arguments.

    The first keyword-only parameter is the one that the short form `{name: value}` fills.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        label = name or function.__name__.rstrip("_")
        if label in CATALOGUE:
            raise AssertionError(f"BUG: transform {label!r} is registered twice")
        hints = get_type_hints(function, include_extras=True)
        arguments = tuple(
            Argument(p.name, hints[p.name], p.default, p.default is inspect.Parameter.empty)
            for p in inspect.signature(function).parameters.values()
            if p.kind is inspect.Parameter.KEYWORD_ONLY
        )
        CATALOGUE[label] = Transform(
            name=label,
            call=function,
            takes=takes,
            gives=gives,
            code=code,
            sees_blanks=sees_blanks,
            summary=(function.__doc__ or "").strip().splitlines()[0],
            examples=example if isinstance(example, tuple) else (example,),
            arguments=arguments,
        )
        return function

    return register


def as_outcome(result: pd.Series[str] | Lists | Outcome) -> Outcome:
    """Return `result` as an Outcome; a bare column is one in which nothing failed."""
    return result if isinstance(result, Outcome) else Outcome(result)
