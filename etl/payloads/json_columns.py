"""JSON by columns: Arrow arrays of values in, one Arrow array of JSON texts out.

Ten times as fast as a dict and an encoder per row, and byte for byte what `json.dumps(..., ensure_ascii=False,
separators=(",", ":"))` writes of the same values (tested against it). Null is absent everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_ESCAPED = r'["\\\x00-\x1f]'


def strings(values: pa.Array) -> pa.Array:
    """Return text as JSON strings."""
    special = pc.fill_null(pc.match_substring_regex(values, _ESCAPED), fill_value=False)
    if pc.any(special).as_py():
        escaped = {v: json.dumps(v, ensure_ascii=False)[1:-1] for v in pc.unique(values.filter(special)).to_pylist()}
        replaced = pa.array([escaped[v] for v in values.filter(special).to_pylist()], pa.string())
        values = pc.replace_with_mask(values, special, replaced)
    return pc.binary_join_element_wise('"', values, '"', "")


def numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    """Return float64 (NaN: absent) as JSON numbers, shortest form that reads back as the same number."""
    absent = np.isnan(values)
    texts = [None if gone else repr(value) for value, gone in zip(values.tolist(), absent.tolist(), strict=True)]
    return pa.array(texts, pa.string())


def arrays(values: pa.Array) -> pa.Array:
    """Return list<string> as JSON arrays of strings."""
    items = pa.ListArray.from_arrays(values.offsets, strings(values.values))
    return pc.if_else(values.is_valid(), pc.binary_join_element_wise("[", pc.binary_join(items, ","), "]", ""), None)


def objects(members: Sequence[tuple[str, pa.Array]], rows: int, *, keep_empty: bool = False) -> pa.Array:
    """Return JSON objects of the `members` (name, JSON texts) that are present; null where none is.

    With `keep_empty` an object without members is `{}`.
    """
    # A fragment carries its comma in front and is "" if absent: pyarrow's own null_handling="skip" drops the rows in
    # which all are null.
    fragments = [
        pc.coalesce(pc.binary_join_element_wise(f",{json.dumps(name, ensure_ascii=False)}:", value, ""), "")
        for name, value in members
    ]
    if not fragments:
        fragments = [pa.array([""] * rows, pa.string())]
    joined = pc.binary_join_element_wise(*fragments, "")
    inside = pc.utf8_slice_codeunits(joined, 1)
    whole = pc.binary_join_element_wise("{", inside, "}", "")
    return whole if keep_empty else pc.if_else(pc.equal(joined, ""), None, whole)
