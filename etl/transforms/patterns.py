r"""Text to text by regular expression, in RE2's syntax: no look-around, no back-references, and no pattern that hangs.

`\d`, `\w` and `\s` are ASCII; `.` matches a line break as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from etl.records import text_series
from etl.transforms.arguments import Expected, NonEmpty
from etl.transforms.columns import as_mask, to_arrow
from etl.transforms.registry import Example, Outcome, transform

Group = Annotated[int, Field(ge=0, le=9), Expected("a whole number from 0 to 9")]


def _check_extract(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    pattern, group = arguments["pattern"], arguments.get("group")
    fault = _fault(pattern)
    if fault:
        yield f"`regex_extract`, argument 'pattern': '{pattern}' is not a regular expression ({fault})"
    elif group and _fault(pattern, f"\\{group}"):
        yield f"`regex_extract`, argument 'group': '{pattern}' has no group {group}"
    elif _fault(_around(pattern, 0)):
        yield f"`regex_extract`, argument 'pattern': '{pattern}' is too large"


def _check_replace(arguments: dict[str, Any], _base: Path) -> Iterator[str]:
    pattern, replacement = arguments["pattern"], arguments["replacement"]
    fault = _fault(pattern)
    if fault:
        yield f"`regex_replace`, argument 'pattern': '{pattern}' is not a regular expression ({fault})"
    elif _fault(pattern, replacement):
        yield (
            f"`regex_replace`, argument 'replacement': '{replacement}' names a group that '{pattern}' does not have; "
            r"write \1 to \9 for its groups, \\ for a backslash"
        )


@transform(
    code="no-match",
    check=_check_extract,
    example=(
        Example({"pattern": "[0-9]{2}-[0-9]{3}"}, "00-950 Warszawa", "00-950"),
        Example({"pattern": "size ([A-Z]+)"}, "shirt, size XL", "XL"),
    ),
)
def regex_extract(text: pd.Series[str], *, pattern: NonEmpty, group: Group | None = None) -> Outcome:
    """Take what first matches a regular expression: its first group, or all of it where it has none.

    `group` chooses another group, 0 being the whole match. A value that does not match fails; a match in which the
    group took no part gives a blank.
    """
    values = to_arrow(text)
    chosen = group if group is not None else int(not _fault(pattern, r"\1"))
    matched = pc.match_substring_regex(values, pattern=_dotall(pattern))
    around = _around(pattern, chosen)
    found = pc.replace_substring_regex(values, pattern=around, replacement=f"\\{chosen or 1}")
    return Outcome(text_series(found, text.index), ~as_mask(matched), detail=pattern)


@transform(
    check=_check_replace,
    example=(
        Example({"pattern": "[^0-9]+", "replacement": ""}, "+48 600", "48600"),
        Example({"pattern": r"(\w+), (\w+)", "replacement": r"\2 \1"}, "Nowak, Anna", "Anna Nowak"),
    ),
)
def regex_replace(text: pd.Series[str], *, pattern: NonEmpty, replacement: str) -> pd.Series[str]:
    r"""Replace every match of a regular expression; `\1` to `\9` stand for its groups, `\\` for a backslash."""
    replaced = pc.replace_substring_regex(to_arrow(text), pattern=_dotall(pattern), replacement=replacement)
    return text_series(replaced, text.index)


def _dotall(pattern: str) -> str:
    return f"(?s){pattern}"


def _around(pattern: str, group: int) -> str:
    """Return a pattern of the whole text, whose group `group` (for 0: 1) is that of the first match of `pattern`."""
    inside = f"({pattern})" if group == 0 else f"(?:{pattern})"
    return rf"(?s)\A.*?{inside}(?s:.*)\z"


def _fault(pattern: str, replacement: str = "") -> str:
    """Return what RE2 says against the pattern (with the replacement), or ""."""
    try:
        pc.replace_substring_regex(pa.array([""]), pattern=pattern, replacement=replacement)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        what, _, _ = reason.partition(": ")
        # What follows there is the pattern within brackets that pyarrow puts around it.
        return what if what.startswith("missing") else reason
    return ""
