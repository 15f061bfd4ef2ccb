"""START HERE. Everything between reading and sending is one pure function: `prepare(chunk, plan, binding)`.

    file → sources → CHUNK → mapping.apply (transforms) → schemas.judge → payloads.bodies → PREPARED → load → reports

It knows no file, no network and no clock, so one process, several, or a cluster run the same code; `check` and `run`
both call it, which is why what is checked is what is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from etl.columns import Column
from etl.contract import FieldType, Wire
from etl.damage import Damage, Damages, spoiled
from etl.issues import WHOLE_ROW, IssueBatch, Judge, as_text, error_places
from etl.mapping.apply import Cells, columns_of
from etl.mapping.binding import Binding
from etl.mapping.condition import decide
from etl.mapping.model import Mapping, RecordSpec
from etl.payloads import bodies
from etl.records import STATUSES, CellFault, Chunk, Mask, Rows, Status
from etl.schemas import judge

KEY_SEPARATOR = "\x1f"
"""Between the parts of a key: a control character that no cell of a spreadsheet holds by accident."""
_PLANNED, _SKIPPED, _INVALID = (STATUSES.index(s) for s in (Status.PLANNED, Status.SKIPPED, Status.INVALID))
_NO_TEXT = pa.scalar("", pa.string())


@dataclass(frozen=True, slots=True)
class Plan:
    """What every chunk is prepared with: mapping and wire form. `group_key` comes from the target's settings."""

    mapping: Mapping
    wire: Wire = "fields"
    group_key: str | None = None


@dataclass(frozen=True, slots=True)
class PreparedRecord:
    """One record of every row of a chunk.

    `status`: int8, one per row, a place in STATUSES: planned, skipped or invalid; `keys`: string, one per row, for
    people ("" where not known); `reasons`: string, one per row, why a row is skipped.
    For the planned rows alone: `places` (int64, ascending), `bodies` (string, the JSON as it is sent), `lanes` (string,
    null: no order to keep), `identities` (string, null: no key; what makes two rows the same), and `clears` (by field,
    bool: the rows that clear it).
    `looked_at`: rows for which the record's condition is true; `filled`: by field, in how many of them it has a value.
    """

    spec: RecordSpec
    status: npt.NDArray[np.int8]
    keys: pa.Array
    reasons: np.ndarray
    places: Rows
    bodies: pa.Array
    lanes: pa.Array
    identities: pa.Array
    clears: dict[str, Mask]
    looked_at: int = 0
    filled: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chunk, judged: its records, and the issues of its rows (places count in the chunk)."""

    chunk: Chunk
    records: tuple[PreparedRecord, ...]
    issues: tuple[IssueBatch, ...]


def prepare(chunk: Chunk, plan: Plan, binding: Binding) -> Prepared:
    """Return what becomes of each row of `chunk`, before anything is sent; pure, and it never raises for a row."""
    whole_row = [fault for fault in chunk.faults if fault.column is None]
    judge_rows = Judge(WHOLE_ROW, plan.mapping.checks)
    broken = _whole_row_issues(chunk, [fault for fault in whole_row if not _is_left_out(chunk, fault)], judge_rows)
    refused = np.zeros(len(chunk.cells), dtype=bool)
    refused[error_places(broken)] = True
    damages = spoiled(chunk.cells)
    records, found = [], list(broken)
    for spec in plan.mapping.records:
        record, issues = _prepare_record(chunk, plan, binding, spec, refused, damages)
        records.append(record)
        found += issues
    return Prepared(chunk, tuple(records), tuple(found))


def _is_left_out(chunk: Chunk, fault: CellFault) -> bool:
    place = int(np.searchsorted(chunk.rows, fault.row))
    return any(bool(mask[place]) for mask in chunk.left_out.values())


def _whole_row_issues(chunk: Chunk, faults: Sequence[CellFault], judge_rows: Judge) -> list[IssueBatch]:
    found = []
    for code in sorted({fault.code for fault in faults}):
        of_code = [fault for fault in faults if fault.code == code]
        places = np.searchsorted(chunk.rows, [fault.row for fault in of_code]).astype(np.int64)
        details = [fault.detail for fault in of_code]
        found.append(judge_rows.issue(code, places, [f.value for f in of_code], detail=details))
    return found


def _prepare_record(
    chunk: Chunk, plan: Plan, binding: Binding, spec: RecordSpec, refused: Mask, damages: Damages
) -> tuple[PreparedRecord, list[IssueBatch]]:
    rows = len(chunk.cells)
    status = np.full(rows, _PLANNED, dtype=np.int8)
    reasons = np.full(rows, "", dtype=object)
    status[refused] = _INVALID
    blank = chunk.blank & ~refused
    status[blank] = _SKIPPED
    reasons[blank] = "blank-row"
    passed_over = blank.copy()
    for reason, mask in chunk.left_out.items():
        fresh = mask & ~passed_over
        status[fresh] = _SKIPPED
        reasons[fresh] = reason
        passed_over |= mask
    open_rows, skipped, issues = decide(spec, chunk, binding, ~refused & ~passed_over)
    status[skipped] = _SKIPPED
    reasons[skipped] = "when-false"
    active = np.flatnonzero(open_rows).astype(np.int64)
    columns, group_keys, found = _columns(_cells(chunk, open_rows, damages), plan, binding, spec)
    issues += [_moved(batch, active) for batch in found]
    status[error_places(issues)] = _INVALID
    empty = active[_is_empty(columns, len(active)) & (status[active] == _PLANNED)]
    if len(empty):
        issues.append(Judge(spec.number, {}).issue("empty-record", empty, [""] * len(empty)))
        status[empty] = _INVALID
    planned = status[active] == _PLANNED
    keys = _scatter(_shown_key(spec, columns, len(active)), active, rows)
    groups = None if group_keys is None else group_keys.filter(pa.array(planned))
    record = _planned(spec, plan.wire, [c.only(planned) for c in columns], groups, active[planned])
    filled = {column.path: _filled(column) for column in columns}
    return PreparedRecord(spec, status, keys, reasons, *record, len(active), filled), issues


def _cells(chunk: Chunk, keep: Mask, damages: Damages) -> Cells:
    if keep.all():
        return Cells(chunk.cells, _faults(chunk, chunk.cells), damages, chunk.typed)
    frame = chunk.cells[keep]
    kept: dict[int, tuple[Damage, ...]] = {}
    if damages:
        place_of = np.where(keep, np.cumsum(keep) - 1, -1)
        for position, found in damages.items():
            moved = (damage.among(place_of) for damage in found)
            kept[position] = tuple(damage for damage in moved if len(damage.places))
    typed = {position: mask[keep] for position, mask in chunk.typed.items()}
    return Cells(frame, _faults(chunk, frame), kept, typed)


def _faults(chunk: Chunk, frame: pd.DataFrame) -> dict[int, tuple[tuple[int, CellFault], ...]]:
    faults: dict[int, list[tuple[int, CellFault]]] = {}
    if any(fault.column is not None for fault in chunk.faults):
        place_of = {int(row): place for place, row in enumerate(frame.index)}
        for fault in chunk.faults:
            if fault.column is not None and fault.row in place_of:
                faults.setdefault(fault.column, []).append((place_of[fault.row], fault))
    return {column: tuple(found) for column, found in faults.items()}


def _columns(
    cells: Cells, plan: Plan, binding: Binding, spec: RecordSpec
) -> tuple[list[Column], pa.Array | None, list[IssueBatch]]:
    """Return the record's columns in the contract's order, its group keys, and every issue of both."""
    order = {field.path: place for place, field in enumerate(spec.action.fields)}
    columns, issues = columns_of(spec, spec.fields + spec.attributes, cells, binding)
    columns.sort(key=lambda column: order.get(column.field.path, 0) if column.field else len(order))
    issues += judge(spec.action, Judge(spec.number, spec.checks), columns)
    if plan.mapping.group_key is not None:
        (group_key,), found = columns_of(spec, (plan.mapping.group_key,), cells, binding)
        return columns, group_key.values, issues + found
    if plan.group_key is not None:
        return columns, pa.array([plan.group_key] * len(cells), pa.string()), issues
    return columns, None, issues


def key_identities(chunk: Chunk, plan: Plan, binding: Binding, spec: RecordSpec) -> tuple[pa.Array, Mask]:
    """Return the identity of every row of `chunk`, whatever becomes of the row; and which rows hide theirs.

    The identity (as in PreparedRecord) is null where it cannot be told, or there is none. A row hides it where a cell
    of its key holds something, but nothing that can be a key.
    """
    rows = len(chunk.cells)
    fields = tuple(field for field in spec.fields if field.path in spec.key)
    of_key = spec.model_copy(update={"fields": fields, "attributes": ()})
    cells = _cells(chunk, np.ones(rows, dtype=bool), spoiled(chunk.cells))
    columns, group_keys, issues = _columns(cells, plan, binding, of_key)
    prefix = pa.array([""] * rows, pa.string()) if group_keys is None else group_keys
    identities = _identity(prefix, _of_key(spec, columns), rows)
    wrong, hidden = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    wrong[error_places(issues)] = True
    hidden[error_places([batch for batch in issues if batch.code != "required"])] = True
    return pc.if_else(pa.array(wrong), pa.scalar(None, pa.string()), identities), hidden


def _is_empty(columns: list[Column], rows: int) -> Mask:
    """Return the rows for which every column is absent."""
    empty = np.ones(rows, dtype=bool)
    for column in columns:
        empty &= np.asarray(column.values.is_null())
    return empty


def _filled(column: Column) -> int:
    """Return how many rows have a value; one that clears the field is none."""
    cleared = 0 if column.cleared is None else int(np.count_nonzero(column.cleared))
    return len(column.values) - int(column.values.null_count) - cleared


def _moved(batch: IssueBatch, active: Rows) -> IssueBatch:
    """Return the issues with their places counted in the chunk."""
    return batch.at(active[batch.places])


def _shown_key(spec: RecordSpec, columns: list[Column], rows: int) -> pa.Array:
    parts = [pc.coalesce(_text(c), _NO_TEXT) for path in spec.key for c in columns if c.path == path]
    if not parts:
        person = [c for c in columns if c.path == spec.action.person]
        return pc.coalesce(_text(person[0]), _NO_TEXT) if person else pa.array([""] * rows, pa.string())
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")


def _planned(
    spec: RecordSpec, wire: Wire, columns: list[Column], group_keys: pa.Array | None, places: Rows
) -> tuple[Rows, pa.Array, pa.Array, pa.Array, dict[str, Mask]]:
    made = bodies(columns, len(places), wire, group_keys)
    prefix = pa.array([""] * len(places), pa.string()) if group_keys is None else group_keys
    lanes = _identity(prefix, [c for c in columns if c.path == spec.action.person], len(places))
    identities = _identity(prefix, _of_key(spec, columns), len(places))
    clears = {column.path: column.cleared for column in columns if column.cleared is not None}
    return places, made, lanes, identities, clears


def _of_key(spec: RecordSpec, columns: list[Column]) -> list[Column]:
    by_path = {column.path: column for column in columns}
    return [by_path[path] for path in spec.key if path in by_path]


def _identity(prefix: pa.Array, columns: list[Column], rows: int) -> pa.Array:
    """Return the group key and the columns' values as one text; e-mails case-folded; null where all are absent."""
    if not columns:
        return pa.nulls(rows, pa.string())
    parts = [_folded(column) for column in columns]
    joined = pc.binary_join_element_wise(prefix, *[pc.coalesce(part, _NO_TEXT) for part in parts], KEY_SEPARATOR)
    absent = np.logical_and.reduce([np.asarray(pc.equal(pc.coalesce(part, _NO_TEXT), "")) for part in parts])
    return pc.if_else(pa.array(absent), pa.scalar(None, pa.string()), joined)


def _folded(column: Column) -> pa.Array:
    text = _text(column)
    if column.field is None or column.field.type is not FieldType.EMAIL:
        return text
    if pc.all(pc.string_is_ascii(text)).as_py() is not False:
        return pc.utf8_lower(text)
    return pa.array([None if value is None else value.casefold() for value in text.to_pylist()], pa.string())


def _text(column: Column) -> pa.Array:
    return pc.binary_join(column.values, ",") if column.is_list else as_text(column.values)


def _scatter(values: pa.Array, places: Rows, rows: int) -> pa.Array:
    """Return `values` at their `places` among `rows`, "" elsewhere."""
    if len(places) == rows:
        return values
    take = np.zeros(rows, dtype=np.int64)
    take[places] = np.arange(len(places)) + 1
    return pa.concat_arrays([pa.array([""], pa.string()), values]).take(pa.array(take))
