"""Text that no spreadsheet takes for a formula, and back: for reports, and for files that come back mended."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from etl.utf8 import holds_any

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"
"""With which a formula begins: the OWASP set, its full-width and small forms, and the typographic minus."""
_BEFORE = "\\p{Z}\\p{Cf}\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x{9f}\"'`\u201c\u201d\u201e\u2018\u2019"
"""What may stand before a sign all the same: spaces, what is not seen (a byte order mark), quotes."""
_FRONT = f"[{_BEFORE}\\s]*[{_SIGNS}\\t\\r]"
_INNER = f"[{_BEFORE}]*[{_SIGNS}]"
_ENDS = ";\\t\\r\\n"
"""Where a cell may end for a program that takes other separators than ours: it knows our quotes as little."""
_SIGN_BYTES = b"=+-@\t\r\xef\xe2"  # with the last two begin the full-width and small forms, and the minus
_END_BYTES = b";\t\r\n"


def inert(values: pa.Array) -> pa.Array:
    """Return text that no spreadsheet takes for a formula: an apostrophe stands before what could be one.

    Also within the text, behind a sign that ends a cell where the program has other separators.
    """
    if not holds_any(values, _SIGN_BYTES):
        return values
    if holds_any(values, _END_BYTES):
        values = pc.replace_substring_regex(values, f"([{_ENDS}])({_INNER})", r"\1'\2")
    risky = pc.fill_null(pc.match_substring_regex(values, f"^{_FRONT}"), fill_value=False)
    if not pc.any(risky).as_py():
        return values
    return pc.if_else(risky, pc.binary_join_element_wise("'", values, ""), values)


def as_it_was(values: pa.Array) -> pa.Array:
    """Return the text that `inert` was given: without the apostrophes in front of what could be a formula."""
    if not holds_any(values, b"'"):
        return values
    values = pc.replace_substring_regex(values, f"^'({_FRONT})", r"\1")
    return pc.replace_substring_regex(values, f"([{_ENDS}])'({_INNER})", r"\1\2")
