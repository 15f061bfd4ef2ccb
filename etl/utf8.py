"""The bytes behind an Arrow text column: one look at all of them costs less than a pattern on each value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def utf8_of(texts: pa.Array) -> memoryview:
    """Return the UTF-8 of all values (of a string or large_string array) one after the other; nothing is copied."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return memoryview(b"")
    wide = pa.types.is_large_string(texts.type)
    ends = np.frombuffer(offsets, dtype=np.int64 if wide else np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def holds_any(texts: pa.Array, signs: bytes) -> bool:
    """Return whether one of `signs` (single bytes) is anywhere in the column; never False where a value holds one."""
    data = utf8_of(texts).tobytes()
    if len(signs) > 8:
        return len(data.translate(None, signs)) < len(data)
    return any(sign in data for sign in signs)
