"""The examples of a mapping, tried: each row goes the way that a row of a file goes, and what comes of it is compared.

Cells that an example does not name are blank, and every column that the mapping names exists. Duplicates and whatever
else only a whole file shows play no part: an example is one row, and its cells alone say how dates are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import pandas as pd

from etl.contract import FieldType, Wire
from etl.flat_payload import Value, flat, refuse_clashes, wire_of
from etl.mapping import Binding, Mapping, bind
from etl.mapping.binding import Header, named_columns
from etl.mapping.model import Example, RecordSpec
from etl.outcomes import Lines, lines_of
from etl.pipeline import Plan, Prepared, prepare
from etl.proofs import prove
from etl.records import STATUSES, Chunk, SourceRef, Status, cell_frame, text_series

_PLANNED, _SKIPPED = STATUSES.index(Status.PLANNED), STATUSES.index(Status.SKIPPED)
_ROW = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one record (number from 1, in the order of the mapping); None: not there."""

    record: int
    path: str
    expected: Value | None
    got: Value | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One example, tried. `number` from 1; `line`, `column`: where it stands in the mapping.

    `expected`: `gives`, `skipped`, or the code of an issue; `reasons`: sentences about what is wrong that no field
    shows; `differences`: the fields that are missing, too many or not the same. Right where both are empty.
    """

    number: int
    line: int
    column: int
    expected: str
    reasons: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether what came of the row is what the example says."""
        return not self.reasons and not self.differences


def try_examples(mapping: Mapping) -> tuple[Trial, ...]:
    """Return the examples of the mapping, tried, in their order.

    Raises MappingError where a row cannot be taken at all: two of its columns are the same one to the mapping, or
    nothing can be sent in any wire form.
    """
    wire = wire_of(mapping)
    return tuple(_try(mapping, wire, number, example) for number, example in enumerate(mapping.examples, start=1))


def _try(mapping: Mapping, wire: Wire, number: int, example: Example) -> Trial:
    header = _header(mapping, example.row)
    binding = bind(mapping, header, f"the example in line {example.line}")
    refuse_clashes(mapping, wire, binding)
    chunk = _one_row(header, example.row)
    # What the column of a file would prove about its dates and amounts, the one cell has to.
    proven = prove(mapping, binding, 0, lambda positions: (one for one in (chunk,))).mapping
    # The group key of a target's settings is nothing that a mapping can be right or wrong about.
    plan = Plan(proven, wire, "-" if wire == "envelope" and mapping.group_key is None else None)
    prepared = prepare(chunk, plan, binding)
    reasons: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    if example.gives is not None:
        sent = _sent(prepared, binding, plan)
        if len(sent) != len(example.gives):
            reasons = (_miscounted(len(example.gives), len(sent), prepared),)
        else:
            pairs = zip(example.gives, sent, strict=True)
            differences = tuple(one for given, (spec, got) in pairs for one in _compare(spec, given, got))
    elif example.issue is not None:
        reasons = tuple(_without_issue(example.issue, prepared))
    else:
        reasons = tuple(_not_skipped(prepared))
    expected = "gives" if example.gives is not None else example.issue or "skipped"
    return Trial(number, example.line, example.column, expected, reasons, differences)


def _header(mapping: Mapping, row: MappingType[str, str]) -> tuple[str, ...]:
    """Return the columns of the row, and the first of each group of alternatives of which it has none."""
    given = Header(tuple(row))
    others = [names[0] for names in named_columns(mapping) if not any(given.matches(name) for name in names)]
    header = list(row)
    for name in others:
        # A column may be named twice, in other spelling: it is one column all the same.
        if not Header(header).matches(name):
            header.append(name)
    return tuple(header)


def _one_row(header: tuple[str, ...], row: MappingType[str, str]) -> Chunk:
    index = pd.Index([_ROW], dtype="int64")
    cells = {place: text_series([row.get(name, "")], index) for place, name in enumerate(header)}
    frame = cell_frame(cells, index)
    blank = np.array([not any(cell.strip() for cell in row.values())])
    return Chunk(SourceRef(0, "example"), header, frame, blank)


def _sent(prepared: Prepared, binding: Binding, plan: Plan) -> list[tuple[RecordSpec, dict[str, Value]]]:
    found = []
    for record in prepared.records:
        for body in record.bodies.to_pylist():
            payload = flat(body, record.spec, binding, plan.wire)
            if plan.group_key is not None:
                del payload["group_key"]
            found.append((record.spec, payload))
    return found


def _compare(spec: RecordSpec, given: MappingType[str, Value], got: MappingType[str, Value]) -> Iterator[Difference]:
    for path in dict.fromkeys((*given, *got)):
        expected, found = given.get(path), got.get(path)
        if expected is None or found is None or not _is_same(spec, path, expected, found):
            yield Difference(spec.number, path, expected, found)


def _is_same(spec: RecordSpec, path: str, expected: Value, got: Value) -> bool:
    if isinstance(got, tuple):
        return got == ((expected,) if isinstance(expected, str) else expected)
    if expected == got:
        return True
    field = spec.action.field(path)
    if field is None or field.type is not FieldType.FLOAT or not isinstance(expected, str):
        return False
    try:
        return Decimal(expected) == Decimal(got)
    except InvalidOperation:
        return False


def _miscounted(wanted: int, got: int, prepared: Prepared) -> str:
    told = "; ".join(_what_became(line) for line in lines_of(prepared))
    if wanted == 1 and got == 0:
        return f"expected a record, got none: {told}"
    return f"expected {wanted} record{'s' * (wanted != 1)}, got {got}: {told}"


def _without_issue(code: str, prepared: Prepared) -> Iterator[str]:
    found = {batch.code: batch.messages[0].as_py() for batch in prepared.issues if len(batch)}
    if code in found:
        return
    others = ", ".join(f"{other} ({message})" for other, message in found.items())
    told = others or "; ".join(_what_became(line) for line in lines_of(prepared))
    yield f"expected the issue {code}, got {told}"


def _not_skipped(prepared: Prepared) -> Iterator[str]:
    wrong = [line for line in lines_of(prepared) if line.status[0] != _SKIPPED]
    if wrong:
        yield f"expected the row to be skipped, but {'; '.join(map(_what_became, wrong))}"


def _what_became(line: Lines) -> str:
    """Return `contact.upsert is invalid: contact.email: a value is required and the cell is blank`."""
    if line.status[0] == _PLANNED:
        return f"{line.action} would be sent"
    message = line.messages[0].as_py()
    return f"{line.action} is {STATUSES[line.status[0]].value}{f': {message}' if message else ''}"
