"""NewRun and RunRecord ↔ a row of the table `runs`."""

from __future__ import annotations

import json
from typing import Any

from etl.journal.encoding import storable
from etl.journal.model import NewRun, RunEnd, RunRecord, RunState

_DETAILS = ("mapping_path", "files", "tables", "given", "options", "config", "out")


def columns_of(new: NewRun) -> dict[str, Any]:
    """Return the columns of a run that begins."""
    # ASCII: a path may hold bytes that are no UTF-8, which neither database takes as text.
    details = json.dumps({name: _plain(getattr(new, name)) for name in _DETAILS})
    return {
        "id": new.id, "started_at": new.started_at, "sitting_at": new.started_at, "who": storable(new.who),
        "pid": new.pid, "mapping": storable(new.mapping), "mapping_fingerprint": new.mapping_fingerprint,
        "target": new.target, "settings": new.settings, "version": new.version, "details": details,
        "state": str(RunState.RUNNING), "sittings": 1, "rows": 0, "counts": "{}", "stop_code": "", "stop_message": "",
    }  # fmt: skip


def columns_of_end(end: RunEnd) -> dict[str, Any]:
    """Return the columns that change when a run, or a sitting of it, ends."""
    return {
        "state": str(end.state), "ended_at": end.ended_at, "exit_code": end.exit_code, "rows": end.rows,
        "counts": json.dumps({str(status): int(count) for status, count in end.counts.items()}),
        "stop_code": end.stop_code, "stop_message": storable(end.stop_message),
    }  # fmt: skip


def record_of(row: Any, deliveries: dict[str, int] | None = None) -> RunRecord:
    """Return the run that a row of `runs` holds."""
    details = json.loads(row.details)
    new = NewRun(
        id=row.id, started_at=row.started_at, who=row.who, pid=row.pid, mapping=row.mapping,
        mapping_path=details["mapping_path"], mapping_fingerprint=row.mapping_fingerprint, target=row.target,
        settings=row.settings, files=tuple(details["files"]),
        tables=tuple((file, sheet) for file, sheet in details["tables"]), given=tuple(details["given"]),
        options=details["options"], config=details["config"], out=details["out"], version=row.version,
    )  # fmt: skip
    return RunRecord(
        new, RunState(row.state), row.sittings, row.ended_at, row.exit_code, row.rows, json.loads(row.counts),
        row.stop_code, row.stop_message, deliveries,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value
