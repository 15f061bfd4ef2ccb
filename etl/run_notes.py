"""What a run tells beside its counts, in sentences, and the stop that only its outcome shows."""

from __future__ import annotations

from etl.guards import Stop
from etl.records import Counts, Status
from etl.survey import Survey

ARRIVED = (Status.DELIVERED, Status.REJECTED, Status.UNKNOWN)
Outcomes = tuple[tuple[str, str, str, int], ...]
"""What was sent and not delivered: (status, code, example of the message, count)."""


def down(counts: Counts, outcomes: Outcomes) -> Stop | None:
    """Return a stop where no connection was ever made: too few rows to trip the breaker, and the same trouble."""
    reasons = {code for _, code, _, _ in outcomes} - {"earlier-record-failed"}
    if reasons != {"not-connected"} or any(counts.by_status.get(status) for status in ARRIVED):
        return None
    hint = "check the target's `url`, and `etl doctor`; then send the rows again"
    return Stop("endpoint-down", f"no connection could be made: {outcomes[0][2]}", 3, hint)


def erased_notes(held_back: int) -> list[str]:
    """Return the note of contacts that were deleted through us, and are not brought back."""
    if not held_back:
        return []
    rows = "1 row is" if held_back == 1 else f"{held_back:,} rows are"
    return [
        f"{rows} of contacts that were deleted through us, and held back (results.csv says when); --revive sends them"
    ]


def missing_notes(missing: int) -> list[str]:
    """Return the note of rows that the second reading did not find."""
    if missing <= 0:
        return []
    were = "row that was" if missing == 1 else "rows that were"
    return [f"{missing:,} {were} checked could not be read again; not sent, and not in results.csv"]


def near_miss_notes(found: Survey, *, quotes: bool = True) -> list[str]:
    """Return the notes of cells that differ from a condition's word in capital letters or so; `quotes`: say how."""
    return [
        f"{count:,} {'row has' if count == 1 else 'rows have'} {_quoted(variant, quotes)} in '{column}' where the "
        f"condition says '{literal}'; the two are not the same"
        for (column, literal, variant), count in found.near_misses.most_common()
    ]


def _quoted(variant: str, quotes: bool) -> str:
    return f"'{variant}'" if quotes else "something much like it"
