"""results.csv: one line per source row and record, complete and in file order at the end of every run.

While a run sends, the file takes the lines as they happen, so that a killed run leaves what is known. The ordered
lines go to a second file, which replaces the first when all of them are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from etl.reports.cells import inert
from etl.reports.csv_columns import CsvColumns

COLUMNS = (
    "file", "sheet", "row", "action", "key", "status", "http_status", "attempts", "request_id", "field", "code",
    "message", "payload_sha256", "sent_at", "duration_ms", "record",
)  # fmt: skip
"""The columns that the design promises, in this order."""


class ResultsCsv:
    """Writes results.csv: lines in any order as they happen, then all of them in order."""

    def __init__(self, path: Path, *, live: bool) -> None:
        """Open the file; `live`: lines are shown as they happen, in `path` itself, until `finish`."""
        self.path = path
        self._ordered_path = path.with_name(path.name + ".ordered") if live else path
        self._ordered = CsvColumns(self._ordered_path, COLUMNS)
        self._live = CsvColumns(path, COLUMNS) if live else None

    def write_ordered(self, columns: Mapping[str, pa.Array]) -> None:
        """Append lines in file order."""
        self._ordered.write(_inert(columns))

    def write_live(self, columns: Mapping[str, pa.Array]) -> None:
        """Append lines as they happen."""
        if self._live is not None:
            self._live.write(_inert(columns))

    def write_live_line(self, values: Sequence[object]) -> None:
        """Append one line as it happens, values in the order of COLUMNS."""
        if self._live is not None:
            self._live.write_line(values)

    def finish(self) -> None:
        """Put the ordered lines in place; call it once all rows are written."""
        self.close()
        if self._live is not None:
            self._ordered_path.replace(self.path)

    def close(self) -> None:
        """Close the files as they are."""
        self._ordered.close()
        if self._live is not None:
            self._live.close()


def _inert(columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    risky = ("file", "sheet", "key", "field", "message")
    return {name: inert(values) if name in risky else values for name, values in columns.items()}
