"""One run: its folder of reports, its two passes, and what it came to."""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from etl import wiring
from etl.deliver import Ledger, deliver
from etl.errors import GuardError, SettingsError
from etl.guards import Guards, Stop, verdict
from etl.interrupt import Interrupt
from etl.job import Job
from etl.load.loader import Timing
from etl.load.stopping import Meaning, Stopped
from etl.progress import Progress, Silent
from etl.records import Counts, Status
from etl.remedies import remedies
from etl.report import RunReport
from etl.reports import summary_json
from etl.reports.issues_csv import IssuesCsv
from etl.reports.results_csv import ResultsCsv
from etl.settings import REPORTS_FOLDER
from etl.sources.base import ROWS_PER_CHUNK
from etl.survey import InterruptedRun, Survey, survey

REPORTS = ("results.csv", "results.csv.ordered", "issues.csv", "summary.json")
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_ARRIVED = (Status.DELIVERED, Status.REJECTED, Status.UNKNOWN)
Confirm = Callable[[int, str], bool]
"""Asked before contacts are deleted: how many, at which target; True: go on."""

Outcomes = tuple[tuple[str, str, str, int], ...]
"""What was sent and not delivered: (status, code, example of the message, count)."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `out`: the folder of the reports (None: a new one in ./etl-reports); `limit`: rows at most.

    `rate` (requests a second) and `concurrency` override the target's. `confirm` is asked before contacts are deleted;
    None: they are not deleted unless `yes`. `timing`: clocks and chance, for tests. `rows_per_chunk`: rows judged at
    once; it changes the memory that is used, never the result.
    """

    out: Path | None = None
    sheet: str | None = None
    limit: int | None = None
    rate: float | None = None
    concurrency: int | None = None
    guards: Guards = field(default_factory=Guards)
    yes: bool = False
    confirm: Confirm | None = None
    progress: Progress = field(default_factory=Silent)
    interrupt: Interrupt = field(default_factory=Interrupt)
    timing: Timing = field(default_factory=Timing)
    rows_per_chunk: int = ROWS_PER_CHUNK


class Session:
    """The folder of one run: its reports, and a work folder that is gone at the end."""

    def __init__(self, job: Job, options: Options) -> None:
        self.job = job
        self.options = options
        self.out = options.out or Path(REPORTS_FOLDER) / job.id
        self.started = time.monotonic()
        self.timings: dict[str, float] = {}

    def __enter__(self) -> Session:
        if self.out.exists() and not self.out.is_dir():
            raise SettingsError(
                "this is a file, not a folder", code="out", where=str(self.out), hint="name a folder with --out"
            )
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            _put_aside(self.out)
            self.issues = IssuesCsv(self.out / "issues.csv")
            self.work = Path(tempfile.mkdtemp(prefix=".work-", dir=self.out))
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            self.issues.close()
        except OSError as failed:
            error = error or failed
        if isinstance(error, InterruptedRun):
            self._leave_nothing()
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise self._unwritable(error) from error

    def _leave_nothing(self) -> None:
        """Remove the reports of a run that was interrupted while it read: they would say a part, and look whole."""
        for name in REPORTS:
            (self.out / name).unlink(missing_ok=True)
        if not any(self.out.iterdir()):
            self.out.rmdir()

    def _unwritable(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"the reports cannot be written: {error.strerror}", code="out", where=str(self.out),
            hint="name a folder that you may write to, on a disk with room, with --out",
        )  # fmt: skip

    def survey(self, *, keep_lines: bool) -> Survey:
        """Read and judge everything. Raises InterruptedRun, SourceError."""
        with self._stage("checking", self._estimated_rows()):
            found = survey(
                self.job, self.work, self.issues, self.options.progress,
                keep_lines=keep_lines, is_interrupted=lambda: self.options.interrupt.is_requested,
                rows_per_chunk=self.options.rows_per_chunk,
            )  # fmt: skip
        # Before anything is sent: nothing that comes to light here may cost the summary of a run.
        found.remedies = remedies(self.job.plan.mapping, found.samples, found.near_misses)
        return found

    def guard(self, found: Survey) -> Stop | None:
        """Return the limit that the counts break, if one does."""
        return verdict(
            self.options.guards, rows=found.counts.rows, bad_rows=found.bad_rows,
            deletes=self._deletes(found), clears=sum(found.clears.values()),
        )  # fmt: skip

    def unconfirmed(self, found: Survey) -> Stop | None:
        """Return a stop unless nobody is to be deleted, or somebody says that they may be."""
        deletes = self._deletes(found)
        if not deletes or self.options.yes:
            return None
        contacts = "1 contact" if deletes == 1 else f"{deletes:,} contacts"
        where = self.job.target.name if self.job.target else ""
        if self.options.confirm is None:
            return Stop(
                "not-confirmed",
                f"{contacts} would be deleted, and nobody is here to confirm it",
                hint="add --yes if that is right",
            )
        if self.options.confirm(deletes, where):
            return None
        return Stop("not-confirmed", f"{contacts} would have been deleted, and that was not confirmed")

    def deliver(self, found: Survey, sender: wiring.Sender, stop: Stop | None) -> RunReport:
        """Send what is planned (nothing, if there is a `stop`), and write down what became of every row."""
        results = ResultsCsv(self.out / "results.csv", live=True)
        ledger = Ledger(results, self.options.progress)
        loader = sender.loader(ledger.settle)
        if stop is not None:
            loader.stop(stop.code, stop.message)
        self.options.interrupt.tell(lambda asked: loader.stop(asked.code, asked.message))
        try:
            with self._stage("sending" if stop is None else "listing", found.counts.rows):
                all_read = deliver(self.job, found, loader, ledger, self.issues)
            results.finish()
            stop = stop or self._stop_of(loader.stopped, ledger.counts) or _down(ledger.counts, ledger.outcomes)
            return self.report(
                found, ledger.counts, dry_run=False, stop=stop, delivery=sender.facts(loader), all_read=all_read,
                outcomes=ledger.outcomes,
            )  # fmt: skip
        except OSError as error:
            raise self._cut_short(error, results, ledger, found) from error
        except BaseException:
            results.close()
            raise

    def _cut_short(self, error: OSError, results: ResultsCsv, ledger: Ledger, found: Survey) -> GuardError:
        """Return what to tell where results cannot be written down any more, with the counts that no file holds."""
        results.make_room()
        try:
            results.close()
        except OSError:
            missing = ", ".join(map(str, sorted(ledger.unwritten)))
        else:
            missing = ""
        ended = {name: count for name, count in ledger.counts.by_name.items() if name != Status.BLOCKED}
        ended["not sent"] = found.counts.rows * len(self.job.plan.mapping.records) - sum(ended.values())
        counted = ", ".join(f"{count:,} {name}" for name, count in ended.items() if count)
        lost = f"; sent, but perhaps not in results.csv: row {missing}" if missing else ""
        return GuardError(
            f"the results cannot be written: {error.strerror or error}; nothing more was sent ({counted}){lost}",
            code="reports-not-written", where=str(self.out),
            hint="make room there; results.csv holds what happened until then",
        )  # fmt: skip

    def _stop_of(self, stopped: Stopped | None, counts: Counts) -> Stop | None:
        if stopped is None:
            return None
        if self.options.interrupt.is_requested and stopped.code == "interrupted":
            return self.options.interrupt.stop
        nothing_sent = not any(counts.by_status.get(status) for status in _ARRIVED)
        wrong_settings = stopped.meaning is Meaning.SETTINGS and nothing_sent
        return Stop(stopped.code, stopped.message, 2 if wrong_settings else 3, stopped.hint)

    def report(
        self,
        found: Survey,
        counts: Counts,
        *,
        dry_run: bool,
        stop: Stop | None,
        delivery: dict[str, object] | None = None,
        all_read: bool = True,
        outcomes: Outcomes = (),
    ) -> RunReport:
        """Check the accounting and write the summary."""
        self._account(found, counts, all_read=all_read)
        self.timings["total"] = time.monotonic() - self.started
        job = self.job
        report = RunReport(
            id=job.id,
            mapping=job.plan.mapping.name,
            mapping_fingerprint=job.plan.mapping.fingerprint,
            files=tuple(self._files()),
            target=job.target.name if job.target else None,
            wire=job.plan.wire,
            dry_run=dry_run,
            records=len(job.plan.mapping.records),
            rows=counts.rows,
            spanned_rows=found.spanned_rows,
            counts=counts.by_name,
            errors=found.errors,
            warnings=found.warnings,
            deletes=self._deletes(found),
            clears={self._named(record, path): count for (record, path), count in found.clears.items()},
            problems=tuple((*key, count) for key, count in found.issue_counts.most_common()),
            notes=(
                *job.notes,
                *_near_miss_notes(found),
                *found.damage,
                *_missing_notes(found.counts.rows - counts.rows),
            ),
            out=self.out,
            stop=stop,
            timings=dict(self.timings),
            delivery=delivery or {},
            outcomes=outcomes,
            remedies=found.remedies,
        )
        summary_json.write(report, report.summary_path)
        return report

    def _account(self, found: Survey, counts: Counts, *, all_read: bool) -> None:
        records = len(self.job.plan.mapping.records)
        if counts.records != counts.rows * records or (all_read and counts.rows != found.counts.rows):
            raise AssertionError(
                f"BUG: {counts.rows} rows of {records} records, {found.counts.rows} when they were checked, "
                f"ended in {counts.records} statuses: {counts.by_status}"
            )

    def _deletes(self, found: Survey) -> int:
        records = self.job.plan.mapping.records
        return sum(found.planned[r.number] for r in records if r.action.endpoint.method == "DELETE")

    def _named(self, record: int, path: str) -> str:
        return path if len(self.job.plan.mapping.records) == 1 else f"record {record}: {path}"

    def _files(self) -> Iterator[dict[str, object]]:
        for file in self.job.files:
            tables = [bound.table for bound in self.job.tables if bound.file is file]
            yield {
                "file": file.name,
                "bytes": file.fingerprint.size,
                "sha256": file.fingerprint.sha256,
                "tables": [{"sheet": t.ref.sheet, "header_row": t.header_row, **t.facts} for t in tables],
            }

    def _estimated_rows(self) -> int | None:
        """Return about how many rows there are, None if a table does not say."""
        guesses = [bound.table.estimated_rows for bound in self.job.tables]
        known = [guess for guess in guesses if guess is not None]
        total = sum(known) if len(known) == len(guesses) else None
        return total if self.job.limit is None else min(self.job.limit, total or self.job.limit)

    @contextmanager
    def _stage(self, name: str, total: int | None) -> Iterator[None]:
        started = time.monotonic()
        self.options.progress.begin(name, total)
        try:
            yield
        finally:
            self.options.progress.end()
            self.timings[name] = time.monotonic() - started


def _put_aside(out: Path) -> None:
    """Move the reports of an earlier run into a folder of their own: what was sent must not be forgotten."""
    earlier = [out / name for name in REPORTS if (out / name).exists()]
    if not earlier:
        return
    try:
        name = json.loads((out / "summary.json").read_text(encoding="utf-8"))["id"]
    except (OSError, ValueError, KeyError):
        # A run that was killed has no summary.
        name = f"{datetime.fromtimestamp(earlier[0].stat().st_mtime).astimezone():%Y%m%d-%H%M%S}"
    folder = out / str(name)
    folder.mkdir(exist_ok=True)
    for path in earlier:
        path.replace(folder / path.name)


def _down(counts: Counts, outcomes: Outcomes) -> Stop | None:
    """Return a stop where no connection was ever made: too few rows to trip the breaker, and the same trouble."""
    reasons = {code for _, code, _, _ in outcomes} - {"earlier-record-failed"}
    if reasons != {"not-connected"} or any(counts.by_status.get(status) for status in _ARRIVED):
        return None
    hint = "check the target's `url`, and `etl doctor`; then send the rows again"
    return Stop("endpoint-down", f"no connection could be made: {outcomes[0][2]}", 3, hint)


def _missing_notes(missing: int) -> list[str]:
    if missing <= 0:
        return []
    were = "row that was" if missing == 1 else "rows that were"
    return [f"{missing:,} {were} checked could not be read again; not sent, and not in results.csv"]


def _near_miss_notes(found: Survey) -> list[str]:
    return [
        f"{count:,} {'row has' if count == 1 else 'rows have'} '{variant}' in '{column}' where the condition says "
        f"'{literal}'; the two are not the same"
        for (column, literal, variant), count in found.near_misses.most_common()
    ]
