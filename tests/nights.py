"""Nights: the same mapping on one sheet after another, with a real journal between them and nothing at the other end.

What a night plans is taken for delivered, all of it, by the journal's own writer.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from support import mapping_of, write_csv

from etl.comparison import comparison_of
from etl.deliver import mark_losers
from etl.job import Job, open_job
from etl.journal import open_journal
from etl.journal.model import NewRun
from etl.journal.store import Journal
from etl.mapping.model import Mapping as Loaded
from etl.missing_deletes import MissingDeletes, Wiring
from etl.outcomes import Lines, lines_of
from etl.pipeline import Prepared, prepare
from etl.progress import Silent
from etl.records import STATUSES, Delivery, Intent, Outcome, Receipt, Status, Unit
from etl.reports.issues_csv import IssuesCsv
from etl.settings import load_settings
from etl.survey import Survey, kept_lines, mark_known, survey

MIDNIGHT = 1_700_000_000.0
"""2023-11-14, 22:13 UTC; each night is a day later."""
Answers = Mapping[int, Status | None]
_PLANNED = STATUSES.index(Status.PLANNED)


@dataclass
class Told:
    """What became of one record of a row."""

    status: str
    code: str
    message: str
    digest: str


@dataclass
class Night:
    """One night. `lines`: by (row, record); `missing`: missing.csv.

    `sent`: bodies of what was planned, in order; `requests`: the same of rows, as (action, person, body).
    """

    found: Survey
    lines: dict[tuple[int, int], Told] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    missing: str = ""

    def status(self, row: int, record: int = 1) -> str:
        """Return one status."""
        return self.lines[row, record].status

    @property
    def statuses(self) -> list[str]:
        """Return all statuses, by row and record."""
        return [told.status for _, told in sorted(self.lines.items())]


class Nights:
    """A folder with a journal in it. `keys`: how keys stand there."""

    def __init__(self, folder: Path, keys: str = "hashed") -> None:
        self.folder = folder
        self.plain = keys == "plain"
        config = folder / "etl.toml"
        config.write_text(f'[journal]\nkeys = "{keys}"\n', encoding="utf-8")
        opened = open_journal(load_settings(config, {}, folder))
        assert opened is not None
        self.journal: Journal = opened
        self._numbers, self._targets = itertools.count(1), itertools.count(1)
        self._mappings: dict[str, Loaded] = {}
        self.elsewhere()

    def elsewhere(self) -> None:
        """Begin anew, at another target, of which nothing is remembered."""
        self.clock = MIDNIGHT
        self.target = f"target-{next(self._targets)}"

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()

    def run(
        self, mapping: str, sheet: str, *, check_first: bool = True, answers: Answers | None = None, **options: Any
    ) -> Night:
        """Check, then read again and deliver; both must say the same. See `check` for the options.

        `answers`: how the delivery of a row ended where it was not delivered, None: nobody knows, the run died.
        """
        number = next(self._numbers)
        checked = self.check(mapping, sheet, **options) if check_first else None
        loaded = self._mapping(mapping)
        job = self._job(loaded, sheet, options)
        self._begin(f"run-{number}", loaded, job)
        night = self._survey(job, self._options(options), keep_lines=False)
        entries: list[Delivery] = []
        for bound, chunk in job.chunks(7):
            prepared = prepare(chunk, bound.plan, bound.binding)
            lines = lines_of(prepared)
            self._mark(job, night.found, lines)
            _tell(night, lines)
            entries += list(self._deliveries(prepared, lines))
        if checked is not None:
            assert night.lines == checked.lines
            assert night.found.counts == checked.found.counts
            assert night.found.planned_digest == checked.found.planned_digest
        entries.sort(key=lambda delivery: (delivery.position, delivery.record))
        night.requests = [(one.action, one.lane or "", one.body.decode()) for one in entries]
        night.sent = [body for _, _, body in night.requests]
        with self.journal.writer(f"run-{number}", self.target) as writer:
            writer.write([Intent(delivery, 1, self.clock) for delivery in entries])
            writer.write(list(self._ended(entries, answers or {})))
            deletes = self._delete_missing(night)
            writer.write([self._delivered(delivery) for delivery in deletes])
            night.sent += [delivery.body.decode() for delivery in deletes]
        self.clock += 86_400
        return night

    def check(self, mapping: str, sheet: str, **options: Any) -> Night:
        """Read and compare. `only_changed`, `all_again`, `revive`, `limit`; `rows_per_chunk`."""
        loaded = self._mapping(mapping)
        job = self._job(loaded, sheet, options)
        work = Path(tempfile.mkdtemp(dir=self.folder))
        night = self._survey(job, self._options(options), keep_lines=True, work=work)
        for lines in kept_lines(work):
            self._mark(job, night.found, lines)
            _tell(night, lines)
        counts = dict.fromkeys(night.found.counts.by_name, 0)
        for told in night.lines.values():
            counts[told.status] += 1
        assert counts == night.found.counts.by_name
        assert night.found.counts.records == night.found.counts.rows * len(loaded.records) == len(night.lines)
        return night

    def _survey(self, job: Job, options: dict[str, Any], *, keep_lines: bool, work: Path | None = None) -> Night:
        rows = options.pop("rows_per_chunk", 5)
        compare = comparison_of(
            job.plan.mapping, self.journal.memory(self.target), run_of=self.run_of, plain_keys=self.plain, **options
        )
        with tempfile.TemporaryDirectory() as other:
            issues = IssuesCsv(Path(other) / "issues.csv")
            # `gone` is read later, from the work folder.
            folder = work or Path(tempfile.mkdtemp(dir=self.folder))
            found = survey(
                job, folder, issues, Silent(), keep_lines=keep_lines, is_interrupted=lambda: False,
                rows_per_chunk=rows, compare=compare, digest=True,
            )  # fmt: skip
            issues.close()
        return Night(found)

    def run_of(self, run: str) -> NewRun | None:
        """Return a run by its id."""
        return next((record.new for record in self.journal.runs() if record.id == run), None)

    def _mark(self, job: Job, found: Survey, lines: tuple[Lines, ...]) -> None:
        with tempfile.TemporaryDirectory() as other:
            issues = IssuesCsv(Path(other) / "issues.csv")
            mark_losers(job, found, lines, issues)
            issues.close()
        mark_known(found, lines)

    def _delete_missing(self, night: Night) -> list[Delivery]:
        """Settle every deletion as delivered, and return them."""
        if night.found.gone is None:
            return []
        path = self.folder / "missing.csv"
        deletes = MissingDeletes(night.found.gone, path, Wiring())
        sent: list[Delivery] = []

        def submit(unit: Unit) -> None:
            (delivery,) = unit.deliveries
            deletes.settle(self._delivered(delivery).receipt)
            sent.append(delivery)

        deletes.send(submit)
        deletes.close()
        night.missing = path.read_text(encoding="utf-8")
        return sent

    def _deliveries(self, prepared: Prepared, lines: tuple[Lines, ...]) -> Iterator[Delivery]:
        for record, own in zip(prepared.records, lines, strict=True):
            for at in np.flatnonzero(own.status[record.places] == _PLANNED).tolist():
                yield Delivery(
                    int(prepared.chunk.positions[record.places[at]]), record.spec.number, record.spec.action.endpoint,
                    record.bodies[at].as_py().encode(), record.lanes[at].as_py(), False, record.spec.action.name,
                    record.identities[at].as_py(),
                )  # fmt: skip

    def _ended(self, deliveries: list[Delivery], answers: Answers) -> Iterator[Outcome]:
        for delivery in deliveries:
            status = answers.get(delivery.position, Status.DELIVERED)
            if status is not None:
                receipt = replace(self._delivered(delivery).receipt, status=status, http_status=None)
                yield Outcome(receipt, self.clock, is_final=True)

    def _delivered(self, delivery: Delivery) -> Outcome:
        receipt = Receipt(delivery, Status.DELIVERED, 200, 1, "request-1", sent_at=self.clock, duration_ms=1.0)
        return Outcome(receipt, self.clock, is_final=True)

    def _mapping(self, text: str) -> Loaded:
        if text not in self._mappings:
            self._mappings[text] = mapping_of(text, self.folder)
        return self._mappings[text]

    def _job(self, loaded: Loaded, sheet: str, options: dict[str, Any]) -> Job:
        file = write_csv(self.folder / "sheet.csv", sheet)
        return open_job(loaded, [file], None, limit=options.get("limit"))

    @staticmethod
    def _options(options: dict[str, Any]) -> dict[str, Any]:
        return {"only_changed": None} | {name: value for name, value in options.items() if name != "limit"}

    def _begin(self, run: str, loaded: Loaded, job: Job) -> None:
        tables = tuple((bound.table.ref.file, bound.table.ref.sheet) for bound in job.tables)
        new = NewRun(
            run, self.clock, "me@here", 1, loaded.name, "", loaded.fingerprint, self.target, "", (), tables, (), {}, "",
            str(self.folder), "0",
        )  # fmt: skip
        self.journal.begin(new)


def _tell(night: Night, lines: tuple[Lines, ...]) -> None:
    for one in lines:
        columns = one.columns()
        for place, row in enumerate(one.rows.tolist()):
            told = [columns[name][place].as_py() or "" for name in ("status", "code", "message", "payload_sha256")]
            night.lines[row, one.number] = Told(*told)
