"""The nouns that travel between the stages. Imports nothing from etl but `Endpoint`.

Text is a pandas Series of dtype `str` (pyarrow storage), made by `text_series` alone: the dtype that pandas infers
differs with the content (an empty list gives `object`), and pandera tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.endpoint import Endpoint as Endpoint  # noqa: PLC0414 - one of the nouns

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
POSITION_BITS = 40
"""A row's position in a run is `source.index << POSITION_BITS | row`: unique, and ascending in reading order."""

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Status(StrEnum):
    """What became of one record of one row; each ends in exactly one."""

    PLANNED = "planned"
    DELIVERED = "delivered"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    INVALID = "invalid"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"


STATUSES = tuple(Status)
"""The statuses by number, so that those of a chunk are one int8 array."""


class Severity(StrEnum):
    """An error keeps the record from being sent; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Which table a row comes from: the `index`-th of the run, a file and, in a workbook, a sheet."""

    index: int
    file: str
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class CellFault:
    """A fault that reading found, in one cell or (`column` is None) in the whole row.

    `row` is the row number that a person sees; `column` the position of the column in the header, from 0.
    """

    row: int
    column: int | None
    code: str
    value: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of one table, as raw text.

    `cells`: dtype `str`, no missing values (a blank cell is ""); its columns are positions in `header` (ints, those
    that were asked for), its index (int64, unique, ascending) the row number that a person sees: the sheet's row, or
    the line of a text file on which the record starts.
    `blank`: bool, one per row, True where every cell of the row (asked for or not) is empty or white space.
    `typed`: by column, bool, one per row: the cells that the file itself holds as a number, a date or a boolean, so
    that their text is ours and can be read in one way alone; no columns where a format knows text only.
    `left_out`: by reason (a code of `outcomes.SKIPPED_BECAUSE`), bool: rows that the mapping's `source` passes over.
    """

    source: SourceRef
    header: tuple[str, ...]
    cells: pd.DataFrame
    blank: Mask
    faults: tuple[CellFault, ...] = ()
    typed: Mapping[int, Mask] = field(default_factory=dict)
    left_out: Mapping[str, Mask] = field(default_factory=dict)

    @property
    def rows(self) -> Rows:
        """The row numbers, int64, one per row."""
        return np.asarray(self.cells.index, dtype=np.int64)

    @property
    def positions(self) -> Rows:
        """The rows' positions in the run, int64, one per row."""
        return (np.int64(self.source.index) << POSITION_BITS) | self.rows


@dataclass(frozen=True, slots=True)
class Lists:
    """A column of lists, kept flat so that transforms work on all items at once.

    `items`: text Series with a RangeIndex; `owner`: int64, for each item the place (0 .. len(index) - 1) of its row,
    ascending; `index`: the rows' index.
    """

    items: pd.Series[str]
    owner: Rows
    index: pd.Index[Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One payload on its way: what to send, for which row and record, and in which lane.

    `lane` is shared by the records whose order must be kept (group key and person); None: no order to keep.
    `repeat_unknown`: whether a request whose outcome is unknown may be sent again (an event: if the mapping says so).
    `action`: its name in the contract; `key`: what makes two rows the same one (group key and key), None: nothing does;
    `before`: requests of earlier sittings of the run.
    """

    position: int
    record: int
    endpoint: Endpoint
    body: bytes
    lane: str | None
    repeat_unknown: bool
    action: str = ""
    key: str | None = None
    before: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """The deliveries of one row, sent in this order; a later one waits for the outcome of the earlier."""

    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one delivery. `sent_at`: Unix time in seconds of the last attempt, None if never sent."""

    delivery: Delivery
    status: Status
    http_status: int | None = None
    attempts: int = 0
    request_id: str = ""
    code: str = ""
    message: str = ""
    sent_at: float | None = None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A request is about to leave: the `attempt`-th (from 1) of this delivery, at Unix time `at`."""

    delivery: Delivery
    attempt: int
    at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request has ended. `is_final`: the delivery with it, as the receipt says; else it is to be sent again.

    Where it is not final, the request certainly was not carried out, or the delivery may be repeated
    (`Delivery.repeat_unknown`): whoever finds this entry as the last one may send again.
    """

    receipt: Receipt
    at: float
    is_final: bool


@dataclass(slots=True)
class Counts:
    """How many records ended in each status; `rows` is the number of source rows read."""

    rows: int = 0
    by_status: dict[Status, int] = field(default_factory=dict)

    def add(self, status: Status, count: int = 1) -> None:
        """Count `count` more records under `status`."""
        if count:
            self.by_status[status] = self.by_status.get(status, 0) + count

    @property
    def records(self) -> int:
        """The sum over all statuses."""
        return sum(self.by_status.values())

    @property
    def by_name(self) -> dict[str, int]:
        """The statuses that occur, by their word, in the order of `Status`."""
        return {status.value: self.by_status[status] for status in STATUSES if self.by_status.get(status)}


def cell_frame(columns: dict[int, pd.Series[str]], index: pd.Index[Any]) -> pd.DataFrame:
    """Return the cells of a chunk: text columns by their position in the header, which may be none."""
    return pd.DataFrame(columns, index=index, columns=pd.Index(list(columns), dtype="int64"))


def text_series(values: Sequence[str | None] | Any, index: pd.Index[Any] | None = None) -> pd.Series[str]:
    """Return `values` (text, None or NaN for missing; a list, or a pyarrow array) as a Series of dtype TEXT."""
    return pd.Series(pd.array(values, dtype=TEXT), index=index)
