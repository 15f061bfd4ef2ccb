"""issues.csv and results.csv → the lines of the page's table: the first issues, and the rows that did not arrive.

Only as much of the files is read as the page holds: of issues.csv its beginning, of results.csv nothing unless a row
was refused, failed, is in doubt or was held back, and then up to the last one that is wanted. Both files show of people
what the run's view shows (`etl.redaction`); nothing is hidden here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from etl.records import Status
from etl.reports import issues_csv, results_csv
from etl.reports.cells import as_it_was
from etl.reports.csv_batches import parsed
from etl.reports.csv_records import blocks
from etl.reports.material import Material
from etl.reports.page_text import MESSAGE_SHOWN, cells, messages, visible

if TYPE_CHECKING:
    from etl.report import RunReport

MAX_LINES = 10_000
"""Lines of the table in the page; all are in issues.csv and results.csv."""
NOT_ARRIVED = (Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.BLOCKED)
"""Statuses of rows that have a line of their own: no issue tells of them."""
KINDS = ("rejected", "failed", "unknown", "error", "warning", "blocked")
"""What a line may be of, the gravest first: a status, or the severity of an issue."""
_LOOKED_AT = MESSAGE_SHOWN + 2
_RISKY = ("file", "sheet", "column", "field", "value", "key", "message")
_ISSUE_COLUMNS = ("file", "sheet", "row", "cell", "column", "field", "severity", "code", "value", "message", "hint")
_RESULT_COLUMNS = ("file", "sheet", "row", "key", "status", "field", "code", "message")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `row`: as a person counts; `place`: file and sheet, "" where there is one table alone.

    `cell`: `F1042`, `Contacts!F1042`; `kind`: one of KINDS; `value`: the cell's text, of a row the key.
    """

    row: int
    place: str
    cell: str
    column: str
    field: str
    kind: str
    code: str
    value: str
    message: str
    hint: str


def lines_of(material: Material, most: int = MAX_LINES) -> list[Line]:
    """Return the lines of the table in the order of the rows, at most `most`. Raises OSError."""
    report = material.report
    wanted = _room(report, most)
    found = _issue_lines(material, most - sum(wanted.values()))
    if any(wanted.values()):
        found += _result_lines(material, wanted)
    order = {table: place for place, table in enumerate(_tables(report))}
    found.sort(key=lambda one: (order.get(one[0], len(order)), one[1].row))
    return [line for _, line in found]


def issues_in(report: RunReport) -> int:
    """Return how many issues there are in all."""
    return sum(count for *_, count in report.problems)


def rows_not_arrived(report: RunReport) -> int:
    """Return how many records were refused, failed, are in doubt or were held back."""
    return sum(report.counts.get(status.value, 0) for status in NOT_ARRIVED)


def _room(report: RunReport, most: int) -> dict[str, int]:
    """Return how many lines each status gets: what issues leave, at least half; the held back ones come last."""
    room = max(most - issues_in(report), most // 2)
    wanted = {}
    for status in NOT_ARRIVED:
        wanted[status.value] = min(report.counts.get(status.value, 0), room)
        room -= wanted[status.value]
    return wanted


_Found = list[tuple[tuple[str, str], Line]]
"""Lines, each with the file and the sheet of its table."""


def _issue_lines(material: Material, most: int) -> _Found:
    report, found = material.report, _Found()
    for part in _parts(report.issues_path, issues_csv.COLUMNS, _ISSUE_COLUMNS):
        found += _lines(report, part.slice(0, most - len(found)), "severity", "value")
        if len(found) >= most:
            break
    return found


def _result_lines(material: Material, wanted: Mapping[str, int]) -> _Found:
    report, left, found = material.report, dict(wanted), _Found()
    statuses = [status for status, count in left.items() if count]
    marks = [f",{status},".encode() for status in statuses]

    def may_hold(block: bytes) -> bool:
        return any(mark in block for mark in marks)

    for part in _parts(report.results_path, results_csv.COLUMNS, _RESULT_COLUMNS, may_hold):
        for status in statuses:
            own = part.filter(pc.equal(part.column("status"), status)).slice(0, left[status])
            left[status] -= len(own)
            found += _lines(report, own, "status", "key")
        if not any(left.values()):
            break
    return found


def _parts(
    path: Path,
    names: Sequence[str],
    columns: Sequence[str],
    may_hold: Callable[[bytes], bool] = bool,
) -> Iterator[pa.Table]:
    """Yield the file part by part, its cells as they were; parts that cannot hold what is sought are left out."""
    with path.open("rb") as stream:
        stream.readline()  # the names
        for block in blocks(stream):
            if may_hold(block):
                yield parsed(block, names, columns=columns, numbers=("row",))


def _lines(report: RunReport, part: pa.Table, kind: str, value: str) -> _Found:
    if not len(part):
        return []
    read = {name: part.column(name).combine_chunks() for name in part.column_names}
    # What is not shown need not become a text of Python's: a cell may have megabytes.
    read |= {name: as_it_was(pc.utf8_slice_codeunits(read[name], 0, _LOOKED_AT)) for name in _RISKY if name in read}
    read = {name: values.to_pylist() for name, values in read.items()}
    none = [""] * len(part)
    tables = list(zip(read["file"], read["sheet"], strict=True))
    one_table = len(_tables(report)) <= 1
    told = zip(
        tables, read["row"], read.get("cell", none), read.get("column", none), read["field"], read[kind], read["code"],
        cells(read[value]), messages(read["message"]), read.get("hint", none), strict=True,
    )  # fmt: skip
    return [
        (
            table,
            Line(
                row, "" if one_table else visible(place_of(*table)), _cell(cell, table[1]), visible(column),
                visible(field), state, code, text, message, visible(hint, MESSAGE_SHOWN),
            ),
        )
        for table, row, cell, column, field, state, code, text, message, hint in told
    ]  # fmt: skip


def place_of(file: str, sheet: str) -> str:
    """Return how a person names a table: `shop.xlsx, Contacts`."""
    return ", ".join(filter(None, (Path(file).name, sheet)))


def _cell(cell: str, sheet: str) -> str:
    return visible(f"{sheet}!{cell}" if sheet and cell else cell)


def _tables(report: RunReport) -> list[tuple[str, str]]:
    return [(str(one["file"]), str(table.get("sheet", ""))) for one in report.files for table in one.get("tables", ())]
