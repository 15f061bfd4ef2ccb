"""A folder as some nights of work leave it: a journal with runs in it, and their reports. All of it is invented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from etl.endpoint import Endpoint
from etl.journal import NewRun, RunEnd, RunState, open_journal
from etl.journal.locks import this_process
from etl.journal.store import Journal
from etl.pipeline import KEY_SEPARATOR
from etl.records import Delivery, Intent, Outcome, Receipt, Status
from etl.reports import issues_csv, results_csv
from etl.reports.csv_columns import CsvColumns
from etl.settings import Settings

ANNA, JAN = "anna@example.com", "jan@example.com"
MONDAY = datetime(2026, 11, 23, 2, 0).astimezone().timestamp()
"""Two in the morning, local time."""
DAY = 86_400.0


@dataclass
class Row:
    """One row of a spreadsheet and what became of it; `fields` is what was sent of the contact."""

    row: int
    who: str
    status: Status = Status.DELIVERED
    action: str = "contact.upsert"
    key: str | None = None
    message: str = ""
    issue: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    http: int | None = 200

    @property
    def delivery(self) -> Delivery:
        own = self.who if self.key is None else self.key
        lane = KEY_SEPARATOR + self.who.casefold()
        identity = KEY_SEPARATOR + (own.casefold() if self.key is None else own)
        content = {"contact": {"email": self.who, **self.fields}}
        endpoint = Endpoint("POST", "contacts")
        return Delivery(self.row, 1, endpoint, json.dumps(content).encode(), lane, True, self.action, identity)

    def receipt(self, at: float) -> Receipt:
        return Receipt(
            self.delivery, self.status, self.http, 1, f"req-{self.row}", "" if self.http == 200 else "refused",
            self.message, at, 41.7,
        )  # fmt: skip


@dataclass
class Past:
    """The folder, and the journal in it."""

    folder: Path
    settings: Settings
    journal: Journal

    def run(
        self,
        run_id: str,
        rows: Sequence[Row],
        *,
        at: float = MONDAY,
        state: RunState = RunState.FINISHED,
        sent: bool = True,
        reports: bool = True,
        **changes: Any,
    ) -> NewRun:
        """Enter a run: its deliveries, how it ended (RUNNING: it did not), and its reports."""
        new = NewRun(**self._new(run_id, at) | changes)
        self.journal.begin(new)
        with self.journal.writer(run_id, new.target) as writer:
            for row in rows:
                if row.status in {Status.DELIVERED, Status.REJECTED, Status.FAILED, Status.UNKNOWN}:
                    writer.write([Intent(row.delivery, 1, at)])
                    if sent:
                        writer.write([Outcome(row.receipt(at), at, True)])
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.status] = counts.get(row.status, 0) + 1
        if state is not RunState.RUNNING:
            bad = any(status not in {"delivered", "unchanged"} for status in counts)
            stop = ("endpoint-down", "the endpoint is down") if state is RunState.STOPPED else ("", "")
            code = 3 if state is RunState.STOPPED else int(bad)
            self.journal.end(run_id, RunEnd(state, at + 90, code, len(rows), counts, *stop))
        if reports:
            write_reports(Path(new.out), run_id, rows, with_summary=state is not RunState.RUNNING)
        return new

    def _new(self, run_id: str, at: float) -> dict[str, Any]:
        sheet = self.folder / "contacts.csv"
        return {
            "id": run_id, "started_at": at, "who": this_process(), "pid": 4711, "mapping": "newsletter",
            "mapping_path": str(self.folder / "newsletter.yaml"), "mapping_fingerprint": "3f2a" * 16,
            "target": "production", "settings": "5" * 64,
            "files": ({"name": "contacts.csv", "path": str(sheet), "bytes": 1234, "sha256": "9f86" * 16, "kept": False},),
            "tables": (("contacts.csv", ""),), "given": ("contacts.csv",), "options": {"only_changed": True},
            "config": "", "out": str(self.folder / "etl-reports" / run_id), "version": "0.1.0",
        }  # fmt: skip


def past_in(folder: Path) -> Past:
    """Return an empty journal in `folder`; whoever asks closes it."""
    (folder / "contacts.csv").write_text("E-mail\n", "utf-8")
    settings = Settings(folder)
    journal = open_journal(settings)
    assert journal is not None
    return Past(folder, settings, journal)


def write_reports(out: Path, run_id: str, rows: Sequence[Row], *, with_summary: bool = True) -> None:
    """Write results.csv, issues.csv and summary.json as a run does, from `rows`."""
    out.mkdir(parents=True, exist_ok=True)
    results = CsvColumns(out / "results.csv", results_csv.COLUMNS)
    issues = CsvColumns(out / "issues.csv", issues_csv.COLUMNS)
    for row in rows:
        key = row.who if row.key is None else row.key
        results.write_line([
            "contacts.csv", "", row.row, row.action, key, row.status.value, row.http, 1, f"req-{row.row}", "", "",
            row.message, "ab" * 32, "2026-11-23T01:00:00.000Z", 41.7, 1,
        ])  # fmt: skip
        if row.issue:
            issues.write_line([
                "contacts.csv", "", row.row, f"B{row.row}", "Phone", "contact.phone", "error", "no-phone", row.issue,
                f"'{row.issue}' is no phone number", "write it like +48 601 234 567",
            ])  # fmt: skip
    results.close()
    issues.close()
    if with_summary:
        (out / "summary.json").write_text(json.dumps({"id": run_id, "rows": len(rows)}), "utf-8")
