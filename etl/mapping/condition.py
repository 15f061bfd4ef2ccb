"""A record's `when` on the rows of a chunk: which pass, which are skipped, and which it cannot decide, and why."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from etl.issues import VALUE_SHOWN, IssueBatch, Judge
from etl.mapping.binding import Binding
from etl.mapping.model import RecordSpec
from etl.records import CellFault, Chunk, Mask
from etl.transforms.columns import EDGES


def decide(spec: RecordSpec, chunk: Chunk, binding: Binding, open_rows: Mask) -> tuple[Mask, Mask, list[IssueBatch]]:
    """Return, of the `open_rows`, those that pass and those that are skipped; the rest have an issue for each bad cell.

    A cell that could not be read leaves the condition undecided, whatever the other cells say.
    """
    if spec.when is None:
        return open_rows, np.zeros(len(open_rows), dtype=bool), []
    positions = {name: position for name in spec.when.columns if (position := binding.position(name)) is not None}
    verdict = spec.when.evaluate(lambda name: chunk.cells[positions[name]])
    faults = _faults(chunk, set(positions.values()), open_rows)
    failed = verdict.failed.copy()
    for by_place in faults.values():
        failed[list(by_place)] = True
    blamed: dict[int, Mask] = {}
    for name, mask in verdict.blamed.items():
        known = blamed.get(positions[name])
        blamed[positions[name]] = mask & open_rows if known is None else known | (mask & open_rows)
    issues: list[IssueBatch] = []
    for position in dict.fromkeys(positions.values()):
        issues += _issues(spec.number, chunk, position, blamed.get(position), faults.get(position, {}))
    return open_rows & verdict.truth & ~failed, open_rows & ~verdict.truth & ~failed, issues


def _faults(chunk: Chunk, positions: set[int], open_rows: Mask) -> dict[int, dict[int, CellFault]]:
    """Return the cells of open rows that could not be read, by position and place."""
    found: dict[int, dict[int, CellFault]] = {}
    for fault in chunk.faults:
        if fault.column in positions:
            place = int(np.searchsorted(chunk.rows, fault.row))
            if open_rows[place]:
                found.setdefault(fault.column, {})[place] = fault
    return found


def _issues(
    record: int, chunk: Chunk, position: int, blamed: Mask | None, faults: dict[int, CellFault]
) -> Iterator[IssueBatch]:
    name = chunk.header[position]
    judge = Judge(record, {})
    unread = sorted(faults)
    if unread:
        values = [faults[place].value for place in unread]
        details = [f"'{name}' holds {f'the error {value}' if value else 'no value to read'}" for value in values]
        places = np.array(unread, dtype=np.int64)
        yield judge.issue("condition-failed", places, values, columns=(position,), detail=details)
    if blamed is None:
        return
    wrong = blamed.copy()
    wrong[unread] = False
    places = np.flatnonzero(wrong).astype(np.int64)
    if len(places):
        values = [text.strip(EDGES) for text in chunk.cells[position].iloc[places]]
        details = [f"'{name}' is {_quoted(value)}, not a plain number" for value in values]
        yield judge.issue("condition-failed", places, values, columns=(position,), detail=details)


def _quoted(value: str) -> str:
    if not value:
        return "blank"
    return f"'{value}'" if len(value) <= VALUE_SHOWN else f"'{value[:VALUE_SHOWN]}…'"
