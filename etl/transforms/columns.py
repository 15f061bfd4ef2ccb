"""How a transform meets a column: blanks passed over, lists item by item, expensive work on distinct values only.

`apply` is what the mapping calls, step by step: `outcome = apply(name, column, arguments)`, an issue for each failure,
then `column = passed(outcome)` for the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Lists, Mask, text_series
from etl.transforms.registry import CATALOGUE, Outcome, Transform, as_outcome

WHITE_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Characters without a width: joiners, marks of direction, the soft hyphen, the byte order mark."""
EDGES = WHITE_SPACE + INVISIBLE
"""What does not count at the edges of a cell; a cell of nothing else is blank."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a function given to `convert` returns for a value that it cannot convert, and why."""

    reason: str = ""


def apply(transform: str | Transform, column: pd.Series[str] | Lists, arguments: Mapping[str, Any]) -> Outcome:
    """Return `column` transformed, as a mapping does it; `arguments` are those that `check_arguments` returned.

    Text to text: index and length are kept. Blank cells (nothing but white space and characters without a width)
    become "" and are not shown to the transform, unless it `sees_blanks`.
    Text to text on a `Lists`: the same, item by item; then items that are blank, and repeats within a row, are gone.
    Text to list, list to text: the whole column, blank cells being rows without items.

    `failed` (None: nothing failed) is as long as the values: one per cell, or one per item of the `Lists` returned.
    What failed is still there, with the text that the step was given, so that it can be reported; `passed` gives the
    column for the next step. The argument column is not changed. Never raises for a value; a column of the wrong kind
    is an AssertionError, since the chain was checked when the mapping was loaded.
    """
    step = CATALOGUE[transform] if isinstance(transform, str) else transform
    named = {(a.parameter or a.name): arguments[a.name] for a in step.arguments if a.name in arguments}
    if len(named) != len(arguments):
        raise AssertionError(f"BUG: {step.name} was given the arguments {sorted(arguments)}")
    if isinstance(column, Lists):
        if (step.takes, step.gives) == ("text", "text"):
            return _on_items(step, column, named)
    elif step.takes == "text":
        return _on_text(step, column, named) if step.gives == "text" else _call(step, _blanked(column), named)
    if step.takes == "text" or not isinstance(column, Lists):
        raise AssertionError(f"BUG: {step.name} takes {step.takes}, not {type(column).__name__}")
    return _call(step, column, named)


def passed(outcome: Outcome) -> pd.Series[str] | Lists:
    """Return the column for the next step: a cell that failed is "", an item that failed is gone."""
    if outcome.failed is None:
        return outcome.values
    if isinstance(outcome.values, Lists):
        return _keep(outcome.values, ~outcome.failed)
    emptied = pc.if_else(pa.array(outcome.failed), "", to_arrow(outcome.values))
    return text_series(emptied, outcome.values.index)


def is_blank(text: pd.Series[str]) -> Mask:
    """Return one bool per cell: whether it holds nothing but white space and characters without a width."""
    trimmed = pc.utf8_trim(to_arrow(text), characters=EDGES)
    return as_mask(pc.equal(pc.binary_length(trimmed), 0))


def by_unique(text: pd.Series[str], function: Callable[[str], str]) -> pd.Series[str]:
    """Return `function` of each value, having called it once for each distinct one."""
    return _values(convert(text, function))


def convert(text: pd.Series[str], function: Callable[[str], str | Failure]) -> Outcome:
    """Return `function` of each value, called once for each distinct one; a `Failure` marks all its cells."""
    encoded = to_arrow(text).dictionary_encode()
    results = [function(value) for value in encoded.dictionary.to_pylist()]
    texts = ["" if isinstance(result, Failure) else result for result in results]
    values = text_series(pa.array(texts, type=pa.large_string()).take(encoded.indices), text.index)
    if not any(isinstance(result, Failure) for result in results):
        return Outcome(values)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    failed = np.array([isinstance(result, Failure) for result in results], dtype=np.bool_)[codes]
    reasons = [result.reason if isinstance(result, Failure) else "" for result in results]
    reason_of_each = pa.array(reasons, type=pa.large_string()).take(encoded.indices)
    return Outcome(values, failed, reasons=text_series(reason_of_each, text.index))


def spread(part: Outcome, text: pd.Series[str], where: Mask) -> Outcome:
    """Return `part`, the outcome of the values at `where`, in its place among the other values of `text`."""
    mask = pa.array(where)
    merged = pc.replace_with_mask(to_arrow(text), mask, to_arrow(_values(part)))
    values = text_series(merged, text.index)
    if part.failed is None:
        return Outcome(values)
    failed = np.zeros(len(text), dtype=np.bool_)
    failed[where] = part.failed
    reasons = None
    if part.reasons is not None:
        none = pa.array([""], type=pa.large_string()).take(pa.array(np.zeros(len(text), dtype=np.int64)))
        reasons = text_series(pc.replace_with_mask(none, mask, to_arrow(part.reasons)), text.index)
    return Outcome(values, failed, part.detail, reasons)


def to_arrow(text: pd.Series[str]) -> Any:
    """Return the values of `text` as one pyarrow array of large strings, without copying where possible."""
    values = pa.array(text.array)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values if pa.types.is_large_string(values.type) else values.cast(pa.large_string())


def as_mask(booleans: Any) -> Mask:
    """Return a pyarrow array of booleans as a numpy one."""
    mask: Mask = np.asarray(booleans.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return mask


def without_repeats(lists: Lists, exempt: Mask | None = None) -> Mask:
    """Return one bool per item: False for a blank one and for a repeat within its row; True for those `exempt`."""
    keep = ~is_blank(lists.items)
    codes = to_arrow(lists.items).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    pairs = pd.DataFrame({"owner": lists.owner, "item": codes, "exempt": False if exempt is None else exempt})
    keep &= ~pairs.duplicated().to_numpy(dtype=np.bool_)
    return keep if exempt is None else keep | exempt


def _on_text(step: Transform, text: pd.Series[str], named: dict[str, Any]) -> Outcome:
    blank = is_blank(text)
    if not blank.any():
        return _with_given(_call(step, text, named), text)
    emptied = _emptied(text, blank)
    if step.sees_blanks:
        return _with_given(_call(step, emptied, named), emptied)
    filled = ~blank
    if not filled.any():
        return Outcome(emptied)
    part = _with_given(_call(step, emptied[filled], named), emptied[filled])
    return spread(part, emptied, filled)


def _on_items(step: Transform, lists: Lists, named: dict[str, Any]) -> Outcome:
    if step.fills_empty_lists:
        lists = _with_blank_items(lists)
    outcome = _on_text(step, lists.items, named)
    whole = Lists(_values(outcome), lists.owner, lists.index)
    keep = without_repeats(whole, outcome.failed)
    if outcome.failed is None or not outcome.failed.any():
        return Outcome(_keep(whole, keep))
    reasons = None if outcome.reasons is None else outcome.reasons[keep].reset_index(drop=True)
    return Outcome(_keep(whole, keep), outcome.failed[keep], outcome.detail, reasons)


def _call(step: Transform, column: pd.Series[str] | Lists, named: dict[str, Any]) -> Outcome:
    outcome = as_outcome(step.call(column, **named))
    if outcome.failed is not None and not outcome.failed.any():
        return Outcome(outcome.values)
    return outcome


def _with_given(outcome: Outcome, given: pd.Series[str]) -> Outcome:
    """Return `outcome` with what failed as it was given: its own value means nothing, and a report shows it."""
    if outcome.failed is None:
        return outcome
    values = pc.if_else(pa.array(outcome.failed), to_arrow(given), to_arrow(_values(outcome)))
    return replace(outcome, values=text_series(values, given.index))


def _blanked(text: pd.Series[str]) -> pd.Series[str]:
    blank = is_blank(text)
    return _emptied(text, blank) if blank.any() else text


def _emptied(text: pd.Series[str], where: Mask) -> pd.Series[str]:
    return text_series(pc.if_else(pa.array(where), "", to_arrow(text)), text.index)


def _keep(lists: Lists, keep: Mask) -> Lists:
    if keep.all():
        return lists
    return Lists(lists.items[keep].reset_index(drop=True), lists.owner[keep], lists.index)


def _with_blank_items(lists: Lists) -> Lists:
    rows = np.arange(len(lists.index), dtype=np.int64)
    empty = np.setdiff1d(rows, lists.owner)
    if not len(empty):
        return lists
    owner = np.concatenate([lists.owner, empty])
    order = np.argsort(owner, kind="stable")
    blanks = pa.array([""] * len(empty), type=pa.large_string())
    items = pa.concat_arrays([to_arrow(lists.items), blanks]).take(pa.array(order))
    return Lists(text_series(items), owner[order], lists.index)


def _values(outcome: Outcome) -> pd.Series[str]:
    if isinstance(outcome.values, Lists):
        raise AssertionError("BUG: a text-to-text transform gave a list")
    return outcome.values
