"""Cells of reports: never a formula."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from etl.utf8 import holds_any

_FORMULA = "^[\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r]"
"""What a spreadsheet may take for a formula: the OWASP set, its full-width forms, also behind spaces and quotes."""

_SIGNS = b"=+-@\t\r\xef"  # 0xef: with it begin the full-width forms


def inert(values: pa.Array) -> pa.Array:
    """Return text that no spreadsheet takes for a formula: an apostrophe stands before what could be one."""
    if not holds_any(values, _SIGNS):
        return values
    risky = pc.fill_null(pc.match_substring_regex(values, _FORMULA), fill_value=False)
    if not pc.any(risky).as_py():
        return values
    return pc.if_else(risky, pc.binary_join_element_wise("'", values, ""), values)
