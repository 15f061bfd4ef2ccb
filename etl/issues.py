"""Issues as columns: what is wrong with which row, kept as arrays until a report writes them.

Half a million bad cells of a million rows are normal; an object for each would cost more than the rows themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.codes import CODES
from etl.records import Rows, Severity

WHOLE_ROW = 0
"""The `record` of an issue that concerns every record of its row."""
VALUE_SHOWN = 80
"""Characters of a value that a message quotes."""


@dataclass(frozen=True, slots=True)
class IssueBatch:
    """Issues of one code in one field of one record.

    `places`: int64, the places (0 .. rows - 1) of the rows in their chunk; `columns`: the positions in the header of
    the columns that the value comes from, () where there is none; `values`, `messages`: text, one per place.
    """

    record: int
    field: str
    columns: tuple[int, ...]
    code: str
    severity: Severity
    places: Rows
    values: pa.Array
    messages: pa.Array
    hint: str

    def __len__(self) -> int:
        return len(self.places)

    def at(self, places: Rows) -> IssueBatch:
        """Return the same issues at other places (one per issue)."""
        return replace(self, places=places)


@dataclass(frozen=True, slots=True)
class Judge:
    """Makes the issues of one record; `severities` are the mapping's `checks`, by code."""

    record: int
    severities: Mapping[str, Severity]

    def severity(self, code: str) -> Severity:
        """Return how grave an issue of this code is in the record."""
        return Severity(self.severities.get(code, CODES[code].severity))

    def issue(
        self,
        code: str,
        places: Rows,
        values: Any,
        *,
        field: str = "",
        columns: tuple[int, ...] = (),
        detail: str | Sequence[str] = "",
    ) -> IssueBatch:
        """Return issues of one code.

        `values`: text, one per place; `columns`: the positions of the columns that they come from; `detail`: one text
        for all, or one per place.
        """
        kind = CODES[code]
        severity = self.severity(code)
        quoted = as_text(values)
        shown = _shortened(pc.coalesce(quoted, ""))
        one = detail if isinstance(detail, str) else _the_one(detail)
        details = pa.array(detail, pa.string()) if one is None else one
        template = kind.message if one != "" else kind.message.replace(" ({detail})", "").replace(": {detail}", "")
        messages = _fill(template, shown, details, len(places))
        hint = kind.hint.replace("{detail}", "the values allowed" if one is None else one)
        return IssueBatch(self.record, field, columns, code, severity, places, quoted, messages, hint)


def _shortened(values: pa.Array) -> pa.Array:
    longer = pc.greater(pc.utf8_length(values), VALUE_SHOWN)
    if not pc.any(longer).as_py():
        return values
    cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(values, 0, VALUE_SHOWN), "…", "")
    return pc.if_else(longer, cut, values)


def _the_one(details: Sequence[str]) -> str | None:
    distinct = set(details)
    return distinct.pop() if len(distinct) == 1 else None


def as_text(values: Any) -> pa.Array:
    """Return a Series, a list or an Arrow array as one contiguous Arrow string array."""
    if isinstance(values, pd.Series):
        values = pa.array(values.array)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values.cast(pa.string()) if isinstance(values, pa.Array) else pa.array(values, pa.string())


def error_places(batches: Sequence[IssueBatch]) -> Rows:
    """Return the places with at least one error, ascending."""
    errors = [batch.places for batch in batches if batch.severity is Severity.ERROR]
    return np.unique(np.concatenate(errors)) if errors else np.empty(0, dtype=np.int64)


def _fill(template: str, values: pa.Array, details: Any, count: int) -> pa.Array:
    pieces: list[Any] = [{"{value}": values, "{detail}": details}.get(part, part) for part in _split(template)]
    if all(isinstance(piece, str) for piece in pieces):
        return pa.array(["".join(pieces)] * count, pa.string())
    filled = pc.binary_join_element_wise(*pieces, "")
    return filled if isinstance(filled, pa.Array) else pa.array([filled.as_py()] * count, pa.string())


def _split(template: str) -> list[str]:
    parts: list[str] = []
    while template:
        found = [(template.find(mark), mark) for mark in ("{value}", "{detail}") if mark in template]
        if not found:
            parts.append(template)
            break
        start, mark = min(found)
        parts += [template[:start], mark] if start else [mark]
        template = template[start + len(mark) :]
    return parts
