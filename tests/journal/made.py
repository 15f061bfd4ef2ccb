"""Runs, deliveries and outcomes for the journal's tests: invented, and in the form that the pipeline makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from etl.endpoint import Endpoint
from etl.journal import NewRun, RunEnd, RunState
from etl.journal.keys import SEPARATOR
from etl.records import Delivery, Intent, Outcome, Receipt, Status
from etl.settings import Settings
from etl.settings.journal import JournalSettings

START = 1_790_000_000.0
ENDPOINT = Endpoint("POST", "contacts")


def settings_in(folder: Path, environ: dict[str, str] | None = None, **journal: Any) -> Settings:
    return Settings(folder=folder, environ=environ or {}, journal=JournalSettings.model_validate(journal))


def new_run(run_id: str = "run-1", **changes: Any) -> NewRun:
    given: dict[str, Any] = {
        "id": run_id, "started_at": START, "who": "night@host", "pid": 4711, "mapping": "newsletter",
        "mapping_path": "/data/newsletter.yaml", "mapping_fingerprint": "m" * 64, "target": "production",
        "settings": "s" * 64, "files": ({"name": "a.csv", "path": "/data/a.csv", "bytes": 10, "sha256": "f" * 64},),
        "tables": (("a.csv", ""),), "given": ("a.csv",), "options": {"limit": 5, "sheet": None}, "config": "",
        "out": "/data/etl-reports/run-1", "version": "0.1.0",
    }  # fmt: skip
    return NewRun(**given | changes)


def run_end(**changes: Any) -> RunEnd:
    given: dict[str, Any] = {
        "state": RunState.FINISHED, "ended_at": START + 60, "exit_code": 0, "rows": 3, "counts": {"delivered": 3}
    }  # fmt: skip
    return RunEnd(**given | changes)


def identity(key: str, group: str = "") -> str:
    return group + SEPARATOR + key


def delivery(
    position: int = 2,
    who: str = "anna@example.com",
    *,
    record: int = 1,
    action: str = "contact.upsert",
    key: str | None = None,
    group: str = "",
    body: Any = None,
) -> Delivery:
    """Return a delivery; `key` None: the person's; "": none."""
    lane = identity(who, group)
    content = {"contact": {"email": who, "phone": "+48601234567"}, "tags": ["VIP"]} if body is None else body
    own = {None: lane, "": None}.get(key, identity(key or "", group))
    return Delivery(position, record, ENDPOINT, json.dumps(content).encode(), lane, True, action, own)


def intent(one: Delivery, attempt: int = 1, at: float = START) -> Intent:
    return Intent(one, attempt, at)


def outcome(
    one: Delivery, status: Status = Status.DELIVERED, *, at: float = START, final: bool = True, **facts: Any
) -> Outcome:
    given: dict[str, Any] = {
        "http_status": 200,
        "attempts": 1,
        "request_id": "req-1",
        "sent_at": at,
        "duration_ms": 12.5,
    }
    return Outcome(Receipt(one, status, **given | facts), at, final)
