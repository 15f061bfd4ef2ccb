"""The two verbs: `check` reads and judges, `run` does the same and then sends. Both account for every row."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from etl import wiring
from etl.deliver import CHANGED, Ledger, deliver, mark_losers
from etl.errors import GuardError, SettingsError
from etl.guards import Guards, Stop, verdict
from etl.interrupt import Interrupt
from etl.job import Job, open_job
from etl.load.loader import Timing
from etl.load.stopping import Meaning, Stopped
from etl.mapping import Mapping, load_mapping
from etl.outcomes import in_order
from etl.progress import Progress, Silent
from etl.records import Counts, Status
from etl.report import RunReport
from etl.reports import summary_json
from etl.reports.issues_csv import IssuesCsv
from etl.reports.results_csv import ResultsCsv
from etl.settings import Settings, TargetSettings, load_settings
from etl.settings_problems import problems_of, raise_all
from etl.sources import is_unchanged
from etl.sources.base import ROWS_PER_CHUNK
from etl.survey import Survey, kept_lines, survey

# Else pyarrow takes Ctrl-C for itself while it reads, and ends its work with an error of its own.
pa.enable_signal_handlers(False)

REPORTS_FOLDER = "etl-reports"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
_ARRIVED = (Status.DELIVERED, Status.REJECTED, Status.UNKNOWN)
Confirm = Callable[[int, str], bool]
"""Asked before contacts are deleted: how many, at which target; True: go on."""


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


def check(
    mapping: str | os.PathLike[str] | Mapping,
    files: Sequence[str | os.PathLike[str]],
    *,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
    options: Options | None = None,
) -> RunReport:
    """Do everything but sending, and open no connection: what it plans is what `run` sends, byte for byte.

    `target` gives the wire form (default: `fields`). Raises MappingError, SourceError, SettingsError.
    """
    options = options or Options()
    settings = _settings(config)
    chosen = settings.target(target) if target or settings.default_target else None
    job = _open(mapping, files, chosen, options)
    with _Session(job, options) as session:
        found = session.survey(keep_lines=True)
        results = ResultsCsv(session.out / "results.csv", live=False)
        counts = Counts(rows=found.counts.rows)
        options.progress.begin("writing", found.counts.rows)
        for lines in kept_lines(session.work):
            mark_losers(job, found, lines, session.issues)
            for one in lines:
                for status, count in one.counts().items():
                    counts.add(status, count)
            results.write_ordered(in_order(lines))
            options.progress.advance(len(lines[0].status), {})
        options.progress.end()
        results.finish()
        return session.report(found, counts, dry_run=True, stop=session.guard(found))


def run(
    mapping: str | os.PathLike[str] | Mapping,
    files: Sequence[str | os.PathLike[str]],
    *,
    target: str | None = None,
    config: str | os.PathLike[str] | None = None,
    options: Options | None = None,
) -> RunReport:
    """Read, transform, validate, send and report; every row of the files ends in exactly one status per record.

    Raises MappingError, SourceError, SettingsError, TargetError before anything is sent.
    """
    options = options or Options()
    settings = _settings(config)
    chosen = _overridden(settings.target(target), options)
    # A missing secret is told before the file is read.
    settings.credentials(chosen)
    job = _open(mapping, files, chosen, options)
    with _Session(job, options) as session:
        found = session.survey(keep_lines=False)
        stop = session.guard(found) or session.unconfirmed(found) or _changed(job)
        with wiring.sending(settings, chosen, options.timing) as sender:
            return session.deliver(found, sender, stop)


def _settings(config: str | os.PathLike[str] | None) -> Settings:
    return load_settings(Path(config) if config is not None else None, os.environ, Path.cwd())


def _open(
    mapping: str | os.PathLike[str] | Mapping,
    files: Sequence[str | os.PathLike[str]],
    target: TargetSettings | None,
    options: Options,
) -> Job:
    loaded = mapping if isinstance(mapping, Mapping) else load_mapping(Path(mapping))
    paths = [Path(file) for file in files]
    return open_job(loaded, paths, target, sheet=options.sheet, limit=options.limit)


def _overridden(target: TargetSettings, options: Options) -> TargetSettings:
    given = {"rate": options.rate, "concurrency": options.concurrency}
    changes = {name: value for name, value in given.items() if value is not None}
    try:
        return TargetSettings.model_validate({**target.model_dump(), **changes})
    except ValidationError as error:
        raise_all("options", list(problems_of(error, "options", tuple(given))))
        raise


def _changed(job: Job) -> Stop | None:
    same = all(is_unchanged(path, known) for path, known in zip(job.files, job.fingerprints, strict=True))
    return None if same else CHANGED


class _Session:
    """The folder of one run: its reports, and a work folder that is gone at the end."""

    def __init__(self, job: Job, options: Options) -> None:
        self.job = job
        self.options = options
        self.out = options.out or Path(REPORTS_FOLDER) / job.id
        self.started = time.monotonic()
        self.timings: dict[str, float] = {}

    def __enter__(self) -> _Session:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
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
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"the reports cannot be written: {error.strerror}", code="out", where=str(self.out),
            hint="name a folder that you may write to, on a disk with room, with --out",
        )  # fmt: skip

    def survey(self, *, keep_lines: bool) -> Survey:
        with self._stage("checking", self._estimated_rows()):
            return survey(
                self.job, self.work, self.issues, self.options.progress,
                keep_lines=keep_lines, is_interrupted=lambda: self.options.interrupt.is_requested,
                rows_per_chunk=self.options.rows_per_chunk,
            )  # fmt: skip

    def guard(self, found: Survey) -> Stop | None:
        return verdict(
            self.options.guards, rows=found.counts.rows, bad_rows=found.bad_rows,
            deletes=self._deletes(found), clears=sum(found.clears.values()),
        )  # fmt: skip

    def unconfirmed(self, found: Survey) -> Stop | None:
        deletes = self._deletes(found)
        if not deletes or self.options.yes:
            return None
        where = self.job.target.name if self.job.target else ""
        if self.options.confirm is None:
            return Stop("not-confirmed", f"{deletes:,} contacts would be deleted: add --yes if that is right")
        if self.options.confirm(deletes, where):
            return None
        return Stop("not-confirmed", f"{deletes:,} contacts were to be deleted, and that was not confirmed")

    def deliver(self, found: Survey, sender: wiring.Sender, stop: Stop | None) -> RunReport:
        results = ResultsCsv(self.out / "results.csv", live=True)
        ledger = Ledger(results, self.options.progress)
        loader = sender.loader(ledger.settle)
        if stop is not None:
            loader.stop(stop.code, stop.message)
        self.options.interrupt.tell(lambda asked: loader.stop(asked.code, asked.message))
        try:
            with self._stage("sending", found.counts.rows):
                all_read = deliver(self.job, found, loader, ledger, self.issues)
            results.finish()
            stop = stop or self._stop_of(loader.stopped, ledger.counts)
            return self.report(
                found, ledger.counts, dry_run=False, stop=stop, delivery=sender.facts(loader), all_read=all_read
            )
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
        ended = {str(status): count for status, count in ledger.counts.by_status.items() if status != Status.BLOCKED}
        ended["not sent"] = found.counts.rows * len(self.job.plan.mapping.records) - sum(ended.values())
        counted = ", ".join(f"{count:,} {status}" for status, count in ended.items() if count)
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
        message = f"{stopped.message}: {stopped.hint}" if stopped.hint else stopped.message
        nothing_sent = not any(counts.by_status.get(status) for status in _ARRIVED)
        wrong_settings = stopped.meaning is Meaning.SETTINGS and nothing_sent
        return Stop(stopped.code, message, 2 if wrong_settings else 3)

    def report(
        self,
        found: Survey,
        counts: Counts,
        *,
        dry_run: bool,
        stop: Stop | None,
        delivery: dict[str, object] | None = None,
        all_read: bool = True,
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
            counts={status.value: counts.by_status[status] for status in Status if counts.by_status.get(status)},
            errors=found.errors,
            warnings=found.warnings,
            deletes=self._deletes(found),
            clears={self._named(record, path): count for (record, path), count in found.clears.items()},
            problems=tuple((*key, count) for key, count in found.issue_counts.most_common()),
            notes=(*job.notes, *_near_miss_notes(found), *_missing_notes(found.counts.rows - counts.rows)),
            out=self.out,
            stop=stop,
            timings=dict(self.timings),
            delivery=delivery or {},
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
        for path, known in zip(self.job.files, self.job.fingerprints, strict=True):
            tables = [bound.table for bound in self.job.tables if bound.table.ref.file == str(path)]
            yield {
                "file": str(path),
                "bytes": known.size,
                "sha256": known.sha256,
                "tables": [{"sheet": t.ref.sheet, "header_row": t.header_row, **t.facts} for t in tables],
            }

    def _estimated_rows(self) -> int | None:
        return self.job.limit

    @contextmanager
    def _stage(self, name: str, total: int | None) -> Iterator[None]:
        started = time.monotonic()
        self.options.progress.begin(name, total)
        try:
            yield
        finally:
            self.options.progress.end()
            self.timings[name] = time.monotonic() - started


def _missing_notes(missing: int) -> list[str]:
    if missing <= 0:
        return []
    were = "row that was" if missing == 1 else "rows that were"
    return [f"{missing:,} {were} checked could not be read again; not sent, and not in results.csv"]


def _near_miss_notes(found: Survey) -> list[str]:
    return [
        f"{count:,} {'row has' if count == 1 else 'rows have'} '{variant}' in '{column}' where the condition "
        f"says '{literal}'; they are skipped"
        for (column, literal, variant), count in found.near_misses.most_common()
    ]
