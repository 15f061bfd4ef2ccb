"""One run: its folder of reports, its two passes, and what it came to."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from etl import wiring
from etl.comparison import Comparison, comparison_of
from etl.deliver import Ledger, deliver
from etl.errors import GuardError, JournalError, SettingsError
from etl.estimate import Estimate, too_late
from etl.expected_files import unexpected
from etl.guards import Stop, reject_limit, verdict
from etl.job import Job
from etl.load.loader import Loader
from etl.load.recorder import NoRecorder, Recorder
from etl.load.stopping import Meaning, Stopped
from etl.masking import Masker
from etl.missing import require_plain_keys
from etl.missing_deletes import FILE, MissingDeletes, Wiring
from etl.news import summary_of
from etl.options import Options
from etl.publishing import publish
from etl.records import POSITION_BITS, Counts, Receipt, Status
from etl.redaction import Redaction
from etl.remedies import remedies
from etl.remedies.suggestions import suggestions
from etl.report import RunReport
from etl.report_folder import REPORTS, put_aside
from etl.reporting import Ending, deletes_of, report_of
from etl.reports import summary_json
from etl.reports.issues_csv import IssuesCsv
from etl.reports.results_csv import ResultsCsv
from etl.run_notes import ARRIVED, down
from etl.settings import REPORTS_FOLDER
from etl.sitting import Sitting
from etl.survey import InterruptedRun, Survey, survey
from etl.timeline import TimelineKeeper
from etl.view import View

if TYPE_CHECKING:
    from etl.journal import Journal

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


class Session:
    """The folder of one run: its reports, and a work folder that is gone at the end."""

    def __init__(
        self,
        job: Job,
        options: Options,
        *,
        journal: Journal | None = None,
        sitting: Sitting | None = None,
        masks: bytes | None = None,
    ) -> None:
        """Take what the run is about. `masks`: the key of the tokens that stand for people, None: a new one."""
        self.redaction = Redaction(options.view or View.FULL, Masker(masks))
        self.job = job
        self.options = options
        self.journal = journal
        self.sitting = sitting
        self.out = options.out or Path(REPORTS_FOLDER) / job.id
        self.started = time.monotonic()
        self.began = options.timing.wall()
        self.said: list[str] = []
        self.timings: dict[str, float] = {}

    def __enter__(self) -> Session:
        self.options.progress.expect(len(self.job.plan.mapping.records))
        if self.out.exists() and not self.out.is_dir():
            raise SettingsError(
                "this is a file, not a folder", code="out", where=str(self.out), hint="name a folder with --out"
            )
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            put_aside(self.out)
            self.issues = IssuesCsv(self.out / "issues.csv", shown=self.redaction.issues_shown)
            self.work = Path(tempfile.mkdtemp(prefix=".work-", dir=self.out))
        except OSError as error:
            raise self._unwritable(error) from error
        self.options.watch.begin(self.job, self._estimated_rows())
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

    def survey(self, *, keep_lines: bool, digest: bool = False) -> Survey:
        """Read and judge everything; `digest`: see `survey.survey`.

        Raises InterruptedRun, SourceError, JournalError, and SettingsError where the journal cannot serve the mapping.
        """
        compare = self._comparison()
        with self._stage("checking", self._estimated_rows()):
            found = survey(
                self.job, self.work, self.issues, self.options.progress,
                keep_lines=keep_lines, is_interrupted=lambda: self.options.interrupt.is_requested,
                rows_per_chunk=self.options.rows_per_chunk, compare=compare, digest=digest,
            )  # fmt: skip
        # Before anything is sent: nothing that comes to light here may cost the summary of a run.
        found.remedies = remedies(self.job.plan.mapping, found.samples, found.near_misses)
        found.suggestions = suggestions(found.groups, found.samples, found.remedies)
        return found

    def _comparison(self) -> Comparison | None:
        """Return what to compare with: what was confirmed before this run, None where nothing is remembered."""
        if self.journal is None or self.job.target is None:
            return None
        mapping, options = self.job.plan.mapping, self.options
        require_plain_keys(mapping, plain=self.journal.keeps_keys)
        memory = self.journal.memory(self.job.target.name)
        return comparison_of(
            mapping, memory, only_changed=options.only_changed, all_again=options.all_again, revive=options.revive,
            run_of=self.journal.find, plain_keys=self.journal.keeps_keys, run=self.job.id,
        )  # fmt: skip

    def announce(self, found: Survey) -> None:
        """Say how long sending takes, and what the deadline leaves."""
        expected = self._estimate(found)
        if expected.requests:
            self.options.tell(f"{expected}")
        if self.options.deadline is not None:
            self.say(too_late(expected, self.options.deadline, self.options.timing.wall()))

    def _estimate(self, found: Survey) -> Estimate:
        """Return how long it takes to send what earlier sittings of this run have not ended."""
        ended = 0 if self.sitting is None else self.sitting.ended_before
        return Estimate(max(0, found.requests - ended), self._rate())

    def say(self, note: str) -> None:
        """Tell a note at once, and in the summary; "" is none."""
        if note:
            self.options.tell(self.redaction.note(note))
            self.said.append(note)

    def unexpected(self, found: Survey) -> Stop | None:
        """Return a stop unless the files are what the mapping expects. Raises SourceError, JournalError."""
        return unexpected(self.job, found.counts.rows, self.journal, self.options, say=self.say)

    def guard(self, found: Survey) -> Stop | None:
        """Return the limit that the counts break, if one does."""
        return verdict(
            self.options.guards, rows=found.counts.rows, bad_rows=found.bad_rows,
            deletes=deletes_of(self.job, found), clears=sum(found.clears.values()),
        )  # fmt: skip

    def unconfirmed(self, found: Survey) -> Stop | None:
        """Return a stop unless nobody is deleted and no event created again, or somebody says that it may be so."""
        deletes = deletes_of(self.job, found)
        if self.options.yes:
            return None
        if self.sitting is not None and self.sitting.doubtful:
            held = self.sitting.doubtful
            events = "1 event" if held == 1 else f"{held:,} events"
            return Stop(
                "not-confirmed",
                f"{events} of unknown outcome would be sent again, and may be there twice then",
                hint="look whether the endpoint has them; add --yes if not",
            )
        if found.events_again:
            events = "1 event" if found.events_again == 1 else f"{found.events_again:,} events"
            return Stop(
                "not-confirmed",
                f"{events} that {'was' if found.events_again == 1 else 'were'} created before would be created again",
                hint="leave out --all, or add --yes if that is right",
            )
        if not deletes:
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
        results = ResultsCsv(self.out / "results.csv", live=True, shown=self.redaction.results_shown)
        ledger, timeline = Ledger(results, self.options.progress), TimelineKeeper()
        deletes = self._missing_deletes(found)
        # Who is missing stands behind the last table.
        behind_all = len(self.job.tables) << POSITION_BITS

        def settle(receipt: Receipt) -> None:
            timeline.note(
                receipt.sent_at,
                delivered=receipt.status is Status.DELIVERED,
                requests=receipt.attempts - receipt.delivery.before,
                answered_ms=receipt.duration_ms if receipt.http_status is not None else None,
            )
            is_row = receipt.delivery.position < behind_all
            (ledger if is_row or deletes is None else deletes).settle(receipt)

        try:
            with (
                nullcontext() if deletes is None else closing(deletes),
                self._recorder() as recorder,
                self._stage("sending" if stop is None else "listing", found.counts.rows),
            ):
                loader = self._loader(sender, settle, recorder)
                if stop is not None:
                    loader.stop(stop.code, stop.message)
                self.options.interrupt.tell(lambda asked: loader.stop(asked.code, asked.message))
                earlier = self.sitting.earlier if self.sitting else None
                if earlier is not None and stop is not None:
                    # Nothing is sent again, so what was unknown stays so.
                    earlier = replace(earlier, unknown_again=False)
                all_read = deliver(
                    self.job, found, loader, ledger, self.issues,
                    earlier=earlier, after=deletes.send if deletes is not None else None,
                )  # fmt: skip
            results.finish()
            ended = self._stop_of(loader.stopped or loader.given_up, ledger.counts)
            stop = stop or ended or down(ledger.counts, ledger.outcomes)
            ending = Ending(
                ledger.counts, dry_run=False, stop=stop, delivery=sender.facts(loader), outcomes=ledger.outcomes,
                missing=deletes.by_status if deletes is not None else {}, timeline=timeline.timeline(),
            )  # fmt: skip
            return self.report(found, ending, all_read=all_read)
        except OSError as error:
            raise self._cut_short(error, results, ledger, found) from error
        except BaseException:
            results.close()
            raise

    def _missing_deletes(self, found: Survey, *, dry_run: bool = False) -> MissingDeletes | None:
        """Return what writes missing.csv and deletes who is missing, None where no record asks who is."""
        if found.gone is None:
            return None
        plan = self.job.plan
        has_group_key = plan.mapping.group_key is not None or plan.group_key is not None
        return MissingDeletes(
            found.gone, self.out / FILE, Wiring(plan.wire, has_group_key), dry_run=dry_run,
            shown=self.redaction.results_shown,
        )  # fmt: skip

    def list_missing(self, found: Survey) -> None:
        """Write missing.csv of a dry run, where a record asks who is missing. Raises OSError."""
        deletes = self._missing_deletes(found, dry_run=True)
        if deletes is not None:
            with closing(deletes):
                deletes.send(lambda _: None)

    def _loader(self, sender: wiring.Sender, on_receipt: Callable[[Receipt], None], recorder: Recorder) -> Loader:
        timing, deadline = self.options.timing, self.options.deadline
        loader = sender.loader(
            on_receipt,
            recorder=recorder,
            # From here on the machine's clock may jump: what is left is measured by the one that does not.
            deadline=None if deadline is None else timing.clock() + deadline - timing.wall(),
            reject_limit=reject_limit(self.options.guards.fail_over),
            paths={record.action.endpoint.path for record in self.job.plan.mapping.records},
            quotes=self.redaction.is_full,
        )
        return self.options.watch.sending(loader)

    @contextmanager
    def _recorder(self) -> Iterator[Recorder]:
        with nullcontext(NoRecorder()) if self.sitting is None else self.sitting.recorder() as recorder:
            yield self.options.watch.recorder(recorder)

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
        nothing_sent = not any(counts.by_status.get(status) for status in ARRIVED)
        wrong_settings = stopped.meaning is Meaning.SETTINGS and nothing_sent
        return Stop(stopped.code, stopped.message, 2 if wrong_settings else 3, stopped.hint)

    def report(self, found: Survey, ending: Ending, *, all_read: bool = True) -> RunReport:
        """Check the accounting and write the summary."""
        self._account(found, ending.counts, all_read=all_read)
        self.timings["total"] = time.monotonic() - self.started
        report = replace(
            report_of(self.job, found, replace(ending, said=tuple(self.said), quotes=self.redaction.is_full), self.out),
            timings=dict(self.timings),
            started_at=self.began,
            ended_at=self.options.timing.wall(),
            estimate=self._estimate(found).as_dict() if self.job.target else {},
            view=self.redaction.view,
        )
        report = self.redaction.report(replace(report, news=self._news(report)))
        summary_json.write(report, report.summary_path)
        return report

    def _news(self, report: RunReport) -> dict[str, object]:
        """Return which kinds of problems are new; {} where nothing is remembered, or the journal is gone by now."""
        if self.journal is None or report.target is None:
            return {}
        try:
            remembered = self.journal.news.kinds(report.target, report.mapping)
        except JournalError:
            return {}
        return summary_of(report, remembered, self.options.timing.wall())

    def publish(self, report: RunReport) -> RunReport:
        """Write the optional reports, once all rows are accounted for; return the report with their paths."""
        return self.options.watch.keep(publish(report, self.job, self.options, self.work / "reports", self.redaction))

    def _account(self, found: Survey, counts: Counts, *, all_read: bool) -> None:
        records = len(self.job.plan.mapping.records)
        if counts.records != counts.rows * records or (all_read and counts.rows != found.counts.rows):
            raise AssertionError(
                f"BUG: {counts.rows} rows of {records} records, {found.counts.rows} when they were checked, "
                f"ended in {counts.records} statuses: {counts.by_status}"
            )

    def _rate(self) -> float:
        return self.options.rate or (self.job.target.rate if self.job.target else 1.0)

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
