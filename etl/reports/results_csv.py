"""results.csv: one line per source row and record, complete and in file order at the end of every run.

While a run sends, the file takes the lines as they happen, so that a killed run leaves what is known. The ordered
lines go to a second file, which replaces the first when all of them are there.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from etl.reports.cells import inert
from etl.reports.csv_columns import CsvColumns

COLUMNS = (
    "file", "sheet", "row", "action", "key", "status", "http_status", "attempts", "request_id", "field", "code",
    "message", "payload_sha256", "sent_at", "duration_ms", "record",
)  # fmt: skip
"""A promise to other programs: these columns, in this order."""
_TYPES = {
    "row": pa.int64(), "http_status": pa.int64(), "attempts": pa.int64(), "duration_ms": pa.float64(),
    "record": pa.int64(),
}  # fmt: skip
"""Of the columns that are no text."""
RISKY = ("file", "sheet", "key", "request_id", "field", "message")
"""Columns whose text is not ours alone: no spreadsheet may take it for a formula."""
_RISKY_PLACES = tuple(COLUMNS.index(name) for name in RISKY)
_HARMLESS = re.compile(r"(?:[A-Za-z0-9/][^;\t\r\n]*)?\Z")
"""How almost all texts are; only the others are worth a closer look."""


Shown = Callable[[Mapping[str, pa.Array]], Mapping[str, pa.Array]]


class ResultsCsv:
    """Writes results.csv: lines in any order as they happen, then all of them in order."""

    def __init__(self, path: Path, *, live: bool, shown: Shown | None = None) -> None:
        """Open the file; `live`: lines are shown as they happen, in `path` itself, until `finish`.

        `shown`: turns the columns into what they show of people, None: all of it.
        """
        self.path = path
        self._shown = shown
        self._ordered_path = path.with_name(path.name + ".ordered") if live else path
        self._ordered = CsvColumns(self._ordered_path, COLUMNS)
        self._live = CsvColumns(path, COLUMNS) if live else None

    def write_ordered(self, columns: Mapping[str, pa.Array]) -> None:
        """Append lines in file order."""
        self._ordered.write(_inert(self._shown(columns) if self._shown else columns))

    def write_live(self, columns: Mapping[str, pa.Array]) -> None:
        """Append lines as they happen."""
        if self._live is not None:
            self._live.write(_inert(self._shown(columns) if self._shown else columns))

    def write_live_lines(self, lines: Sequence[Sequence[object]]) -> None:
        """Append lines as they happen, the values of each in the order of COLUMNS."""
        if self._shown is not None and lines:
            self.write_live(_columns(lines))
        elif self._live is not None and lines:
            self._live.write_lines([_inert_line(values) for values in lines])

    def finish(self) -> None:
        """Put the ordered lines in place; call it once all rows are written."""
        self.close()
        if self._live is not None:
            self._ordered_path.replace(self.path)

    def make_room(self) -> None:
        """Give up the ordered lines, so that a full disk may take those that happened; `finish` is not to be called."""
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._ordered.close()
            # In a folder that has become read-only it stays.
            with contextlib.suppress(OSError):
                self._ordered_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files as they are. Raises OSError where lines cannot be written, once all files are closed."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._ordered.close)
            if self._live is not None:
                stack.callback(self._live.close)


def _columns(lines: Sequence[Sequence[object]]) -> dict[str, pa.Array]:
    columns = zip(COLUMNS, map(list, zip(*lines, strict=True)), strict=True)
    return {name: pa.array(values, _TYPES.get(name, pa.string())) for name, values in columns}


def _inert(columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    return {name: inert(values) if name in RISKY else values for name, values in columns.items()}


def _inert_line(values: Sequence[object]) -> list[object]:
    shown = list(values)
    for place in _RISKY_PLACES:
        value = shown[place]
        if isinstance(value, str) and not _HARMLESS.match(value):
            shown[place] = inert(pa.array([value], pa.string()))[0].as_py()
    return shown
