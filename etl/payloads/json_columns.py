"""JSON by columns: Arrow arrays of values in, one Arrow array of JSON texts out.

Ten times as fast as a dict and an encoder per row, and byte for byte what `json.dumps(..., ensure_ascii=False,
separators=(",", ":"))` writes of the same values (tested against it). Null is absent everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import as_floats
from etl.utf8 import holds_any

_FLOAT_DIGITS = 15
"""Decimal text of so many characters is always the same number as float64."""
_ESCAPED = b'"\\' + bytes(range(0x20))
_ESCAPED_PATTERN = r'["\\\x00-\x1f]'


def strings(values: pa.Array) -> pa.Array:
    """Return text as JSON strings."""
    if holds_any(values, _ESCAPED):
        special = pc.fill_null(pc.match_substring_regex(values, _ESCAPED_PATTERN), fill_value=False)
        escaped = {v: json.dumps(v, ensure_ascii=False)[1:-1] for v in pc.unique(values.filter(special)).to_pylist()}
        replaced = pa.array([escaped[v] for v in values.filter(special).to_pylist()], pa.string())
        values = pc.replace_with_mask(values, special, replaced)
    return pc.binary_join_element_wise('"', values, '"', "")


def numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    """Return float64 (NaN: absent) as JSON numbers, shortest form that reads back as the same number."""
    absent = np.isnan(values)
    texts = [None if gone else repr(value) for value, gone in zip(values.tolist(), absent.tolist(), strict=True)]
    return pa.array(texts, pa.string())


def decimals(texts: pa.Array) -> pa.Array:
    """Return plain decimal text (null: absent) as JSON numbers of exactly its value.

    They are written as `numbers` writes them; what a float64 cannot hold is written with all its digits, since JSON
    knows no limit and a value must not change on the way.
    """
    written = numbers(as_floats(texts))
    long = pc.fill_null(pc.greater(pc.utf8_length(texts), _FLOAT_DIGITS), fill_value=False)
    if not pc.any(long).as_py():
        return written
    exact = [
        short if Decimal(short) == Decimal(text) else _json_decimal(text)
        for short, text in zip(written.filter(long).to_pylist(), texts.filter(long).to_pylist(), strict=True)
    ]
    return pc.replace_with_mask(written, long, pa.array(exact, pa.string()))


def _json_decimal(text: str) -> str:
    number = format(Decimal(text), "f")
    return number if "." in number else f"{number}.0"


def arrays(values: pa.Array) -> pa.Array:
    """Return list<string> as JSON arrays of strings."""
    items = pa.ListArray.from_arrays(values.offsets, strings(values.values))
    return pc.if_else(values.is_valid(), pc.binary_join_element_wise("[", pc.binary_join(items, ","), "]", ""), None)


def objects(members: Sequence[tuple[str, pa.Array]], rows: int, *, keep_empty: bool = False) -> pa.Array:
    """Return JSON objects of the `members` (name, JSON texts) that are present; null where none is.

    With `keep_empty` an object without members is `{}`.
    """
    if members and members[0][1].null_count == 0:
        (name, value), *others = members
        return pc.binary_join_element_wise(f"{{{_key(name)}", value, *_fragments(others), "}", "")
    joined = pc.binary_join_element_wise(pa.array([""] * rows, pa.string()), *_fragments(members), "")
    whole = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 1), "}", "")
    return whole if keep_empty else pc.if_else(pc.equal(joined, ""), None, whole)


def _fragments(members: Sequence[tuple[str, pa.Array]]) -> Iterator[pa.Array | str]:
    """Yield the members in pieces; each carries its comma in front, and is "" where it is absent."""
    for name, value in members:
        if value.null_count == 0:
            yield f",{_key(name)}"
            yield value
        else:
            # Not pyarrow's own null_handling="skip": it drops the rows in which all are null.
            yield pc.coalesce(pc.binary_join_element_wise(f",{_key(name)}", value, ""), "")


def _key(name: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}:"
