"""Fingerprints of payloads: SHA-256 of the exact bytes, whole columns of them."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Digests = npt.NDArray[np.bytes_]
"""SHA-256 digests, dtype S32. Compare them as arrays: one taken out loses the zero bytes at its end."""

SIZE = 32
_HEX = 2 * SIZE


def digests_of(bodies: pa.Array) -> Digests:
    """Return the digest of each body (string, no nulls)."""
    sha256 = hashlib.sha256
    raw = b"".join([sha256(body).digest() for body in bodies.cast(pa.binary()).to_pylist()])
    return np.frombuffer(raw, dtype=f"S{SIZE}")


def in_hex(digests: Digests) -> pa.Array:
    """Return the digests as text of 64 hex digits."""
    letters = digests.tobytes().hex().encode()
    ends = np.arange(0, len(letters) + _HEX, _HEX, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(digests), [None, pa.py_buffer(ends), pa.py_buffer(letters)])
