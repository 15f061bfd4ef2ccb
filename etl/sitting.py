"""One sitting of a run: what the journal is told when it begins, and when it ends, however it ends."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from etl.earlier import Earlier
from etl.errors import EtlError, GuardError, JournalError
from etl.interrupt import Interrupt
from etl.job import Job
from etl.journal.locks import Lock, this_process
from etl.journal.model import NewRun, RunEnd, RunRecord, RunState
from etl.load.recorder import Entry, Recorder
from etl.mapping.model import RecordSpec, Unknown
from etl.records import POSITION_BITS, Status
from etl.release import program_version
from etl.report import OPEN, RunReport
from etl.sources.fingerprint import Fingerprint, fingerprint
from etl.sources.intake import SourceFile
from etl.survey import InterruptedRun

if TYPE_CHECKING:
    from etl.journal import Journal
    from etl.settings import TargetSettings

LOCK_SECONDS = 5.0
"""Between two looks at the lock: a server that was started again has let go of it."""


class Locked:
    """A recorder that asks now and then whether the run's lock is still its own; with it lost, nothing is recorded."""

    def __init__(self, recorder: Recorder, lock: Lock) -> None:
        self._recorder = recorder
        self._lock = lock
        self._next = time.monotonic() + LOCK_SECONDS

    def write(self, entries: Sequence[Entry]) -> None:
        """Return once all `entries` are kept. Raises JournalError."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOCK_SECONDS
            try:
                self._lock.check()
            except GuardError as error:
                raise JournalError(error.message, code=error.code, where=error.where, hint=error.hint) from error
        self._recorder.write(entries)


@dataclass(slots=True)
class Sitting:
    """A run while it is under way. As a context it ends the run in the journal, also where an error ends it.

    `wall`: Unix seconds. `earlier`: what sittings before this one know, None in the first. `ended_before`: deliveries
    that have ended there; `doubtful`: those of unknown outcome that are sent again though they may have arrived.
    """

    journal: Journal
    run_id: str
    target: str
    wall: Callable[[], float]
    files: tuple[SourceFile, ...]
    holding: Holding
    earlier: Earlier | None = None
    ended_before: int = 0
    doubtful: int = 0
    _ended: bool = field(default=False, init=False)

    @contextmanager
    def recorder(self) -> Iterator[Recorder]:
        """Yield what writes down requests, as long as the run's lock is its own."""
        with self.journal.writer(self.run_id, self.target) as writer:
            yield Locked(writer, self.holding.lock)

    def end(self, report: RunReport) -> None:
        """Write down how it ended, and remove copies of files that nobody will read again. Raises GuardError."""
        stop = report.stop
        state = RunState.FINISHED if stop is None else RunState.STOPPED
        if stop is not None and stop.code == "interrupted":
            state = RunState.INTERRUPTED
        counts = dict(report.counts)
        for status in OPEN:
            if report.missing.get(status):
                counts[status.value] = counts.get(status, 0) + report.missing[status]
        try:
            self._end(
                state, report.exit_code, report.rows, counts,
                stop.code if stop else "", stop.message if stop else "",
            )  # fmt: skip
        except JournalError as error:
            counted = ", ".join(f"{count:,} {status}" for status, count in report.counts.items())
            raise GuardError(
                f"{error.message}, so it does not know how the run ended ({counted})",
                code=error.code, where=error.where,
                hint=f'the reports in {report.out} are complete; then "etl resume {self.run_id}" ends the run',
            ) from error  # fmt: skip
        if state is RunState.FINISHED and not any(counts.get(status) for status in OPEN):
            self._remove_copies()

    def _end(
        self, state: RunState, exit_code: int, rows: int, counts: Mapping[str, int], code: str, message: str
    ) -> None:
        self._ended = True
        self.journal.end(self.run_id, RunEnd(state, self.wall(), exit_code, rows, counts, code, message))

    def _remove_copies(self) -> None:
        for file in self.files:
            if file.spool is not None:
                file.spool.remove()
            elif file.origin is None:
                shutil.rmtree(file.path.parent, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or self._ended:
            return
        interrupted = isinstance(error, InterruptedRun | KeyboardInterrupt)
        state = RunState.INTERRUPTED if interrupted else RunState.STOPPED
        code, message, exit_code = "internal-error", type(error).__name__, 4
        if interrupted:
            code, message = "interrupted", "interrupted before anything was sent"
            exit_code = self.holding.interrupt.stop.exit_code
        elif isinstance(error, EtlError):
            code, message, exit_code = error.code, error.message, error.exit_code
        # What ended the run is told; that the journal could not be told as well would hide it.
        with suppress(JournalError):
            self._end(state, exit_code, 0, self.journal.tally(self.run_id), code, message)


def begin(
    job: Job, target: TargetSettings, journal: Journal, kept: Mapping[str, Any], where: Where, *, holding: Holding
) -> Sitting:
    """Enter a new run in the journal, and keep the copies of files that are no files here. Raises JournalError."""
    for file in job.files:
        if file.spool is not None:
            file.spool.keep()
    journal.begin(
        NewRun(
            id=job.id,
            started_at=where.wall(),
            who=this_process(),
            pid=os.getpid(),
            mapping=job.plan.mapping.name,
            mapping_path=where.mapping_path,
            mapping_fingerprint=job.plan.mapping.fingerprint,
            target=target.name,
            settings=target.fingerprint,
            files=tuple(_facts(file, is_part=_is_part(job, file)) for file in job.files),
            tables=tuple((bound.table.ref.file, bound.table.ref.sheet) for bound in job.tables),
            given=where.given,
            options=kept,
            config=where.config,
            out=str(where.out.absolute()),
            version=program_version(),
        )
    )
    return Sitting(journal, job.id, target.name, where.wall, job.files, holding)


def go_on(
    journal: Journal,
    record: RunRecord,
    files: tuple[SourceFile, ...],
    wall: Callable[[], float],
    *,
    holding: Holding,
    records: Sequence[RecordSpec],
    unknown_again: bool,
) -> Sitting:
    """Open a run again that is in the journal. Raises JournalError."""
    journal.reopen(record.id, who=this_process(), pid=os.getpid(), at=wall())
    earlier = Earlier(journal, record.id, unknown_again)
    sitting = Sitting(journal, record.id, record.new.target, wall, files, holding, earlier)
    # Of those whom a full export no longer holds, what was deleted is not missing any more.
    tally = journal.tally(record.id, before=len(record.new.tables) << POSITION_BITS)
    sitting.ended_before = tally.get(Status.DELIVERED, 0) + tally.get(Status.REJECTED, 0)
    if unknown_again:
        held = [spec.number for spec in records if spec.unknown is Unknown.HOLD]
        sitting.doubtful = journal.count_unknown(record.id, held)
    return sitting


@dataclass(frozen=True, slots=True)
class Holding:
    """What a sitting holds while it lasts: the run's lock, and the ear for those who ask it to stop."""

    lock: Lock
    interrupt: Interrupt


@dataclass(frozen=True, slots=True)
class Where:
    """Where the parts of a run are: what resuming it needs. `wall`: Unix seconds."""

    mapping_path: str
    given: tuple[str, ...]
    config: str
    out: Path
    wall: Callable[[], float]


def same_files(record: RunRecord) -> tuple[SourceFile, ...]:
    """Return the files of a run, from where they were or from the kept copies. Raises SourceError, JournalError."""
    found = []
    for facts in record.new.files:
        path, name = Path(facts["path"]), str(facts["name"])
        if facts["kept"] and not path.exists():
            raise JournalError(
                f"the copy of '{name}' that run {record.id} had read is gone", code="copy-gone", where=str(path),
                hint="run it anew from where the file comes from",
            )  # fmt: skip
        now = fingerprint(path)
        if now.sha256 != facts["content_sha256"]:
            raise JournalError(
                f"this is not the file that run {record.id} had read: its content has changed since",
                code="file-changed", where=name,
                hint="put the file back as it was, or run it anew",
            )  # fmt: skip
        given = Fingerprint(int(facts["bytes"]), now.mtime_ns, str(facts["sha256"]))
        found.append(SourceFile(name, path, None if facts["kept"] else path, given if facts["kept"] else now))
    return tuple(found)


def _is_part(job: Job, file: SourceFile) -> bool:
    return any(bound.table.is_part for bound in job.tables if bound.file is file)


def _facts(file: SourceFile, *, is_part: bool) -> dict[str, Any]:
    """Return what is remembered of a file; `is_part`: whether it holds rows to mend alone."""
    kept = file.origin is None
    return {
        "name": file.name,
        "path": str(file.path.absolute()),
        "bytes": file.fingerprint.size,
        "sha256": file.fingerprint.sha256,
        "kept": kept,
        **({"is_part": True} if is_part else {}),
        "content_sha256": fingerprint(file.path).sha256 if kept else file.fingerprint.sha256,
    }
