"""A moment as text: for programs, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: float | None, timespec: str = "milliseconds") -> str:
    """Return a Unix time as ISO 8601 in UTC, to the millisecond or the `timespec`; "" for None.

    >>> iso(0.5)
    '1970-01-01T00:00:00.500Z'
    """
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
