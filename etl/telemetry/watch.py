"""A run is watched: what happens in it is told to the observers that flags and etl.toml ask for.

What goes wrong with an observer never concerns the run: it is told no more, and the log says so once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from etl.errors import EtlError, MappingError
from etl.logs import Log, LogWish, open_log
from etl.progress import Progress
from etl.telemetry.base import About, Asked, Event, Observer, RunBegan, RunEnded, StageBegan, StageEnded, StageMoved
from etl.telemetry.endings import Endings, Recorder, Sending

if TYPE_CHECKING:
    from etl.report import RunReport
    from etl.settings import Settings


class Job(Protocol):
    """What is asked of a run's job (`etl.job`)."""

    @property
    def id(self) -> str:
        """The run's."""

    @property
    def plan(self) -> Any:
        """Its `mapping` has a name."""

    @property
    def target(self) -> Any:
        """It has a name, or is None."""

    @property
    def files(self) -> Sequence[Any]:
        """Each has a name."""


OBSERVERS: Mapping[str, str] = {
    "log": "etl.telemetry.events",
    "textfile": "etl.telemetry.prometheus",
    "otel": "etl.telemetry.otel",
}
"""The module of each observer, whose `observer` makes it, or None where nobody wants it. It raises SettingsError."""
NOTHING_TO_DO = {"run-finished", "nothing-to-retry"}
"""Errors that say how an earlier run has ended: no run took place."""

_Loader = TypeVar("_Loader", bound=Sending)


class Watch:
    """Whom a run tells what happens in it; without observers nobody."""

    def __init__(self, about: About | None = None, log: Log | None = None) -> None:
        self.about = about or About("", "", "")
        self.report: RunReport | None = None
        self.log = log
        self._observers: list[Observer] = []
        self._began = False
        self._endings = Endings(self.tell)
        self._lock = threading.Lock()

    def add(self, observer: Observer) -> None:
        """Tell `observer` too, from now on."""
        self._observers.append(observer)

    def tell(self, event: Event) -> None:
        """Tell all observers; one that fails is told no more."""
        for observer in tuple(self._observers):
            if isinstance(event, Asked) and not observer.per_request:
                continue
            try:
                observer.see(event)
            except Exception as error:  # noqa: BLE001 - an observer's fault is not the run's
                self._drop(observer, error)

    def begin(self, job: Job, rows: int | None) -> None:
        """Tell that a run's files are open; `rows`: about how many, None where that is not known."""
        self.named(job.plan.mapping.name, job.target.name if job.target is not None else "")
        self._began = True
        if self.log is not None:
            self.log.bind(run=job.id)
        self.tell(RunBegan(job.id, self.about, tuple(PurePath(file.name).name for file in job.files), rows))

    def named(self, mapping: str, target: str) -> None:
        """Say what mapping and target are called, once that is known."""
        self.about = About(self.about.verb, mapping, target or self.about.target)

    def progress(self, inner: Progress) -> Progress:
        """Return what tells `inner`, and the observers, how far the run is."""
        return _Watched(inner, self) if self._observers else inner

    def recorder(self, inner: Recorder) -> Recorder:
        """Return what writes to `inner`, and then tells how requests have ended."""
        if not self._observers:
            return inner
        wants_all = any(observer.per_request for observer in self._observers)
        return self._endings.recorder(inner, each=wants_all)

    def sending(self, loader: _Loader) -> _Loader:
        """Take note of the loader, whose troubles are told; return it."""
        self._endings.loader = loader
        return loader

    def look(self) -> None:
        """Tell what has changed with the endpoints."""
        self._endings.look()

    def keep(self, report: RunReport) -> RunReport:
        """Take note of how the run has ended; return the report."""
        self.report = report
        return report

    def end(self, error: BaseException | None, exit_code: int, seconds: float) -> None:
        """Tell that the run has ended, and close the observers."""
        self.tell(self._ending(error, exit_code, seconds))
        for observer in tuple(self._observers):
            with contextlib.suppress(Exception):
                observer.close()

    def _ending(self, error: BaseException | None, exit_code: int, seconds: float) -> RunEnded:
        stop = self.report.stop if self.report is not None else None
        code, reason = (stop.code, stop.message) if stop is not None else ("", "")
        if isinstance(error, MappingError):
            code, reason = error.problems[0].code, error.message
        elif isinstance(error, EtlError):
            code, reason = error.code, error.message
        elif error is not None:
            # Its own text may quote cells.
            code = "interrupted" if exit_code > 128 else "internal-error"
            reason = "" if exit_code > 128 else type(error).__name__
        report = self.report if error is None else None
        return RunEnded(self.about, exit_code, seconds, time.time(), self._began, code, reason, report)

    def _drop(self, observer: Observer, error: Exception) -> None:
        with self._lock:
            if observer in self._observers:
                self._observers.remove(observer)
        if self.log is not None:
            part = type(observer).__name__
            with contextlib.suppress(Exception):
                self.log.logger.warning("telemetry-failed", part=part, reason=type(error).__name__)


@contextmanager
def watching(
    about: About,
    settings: Settings,
    wish: LogWish | None,
    *,
    interrupted: Callable[[], int] = lambda: 130,
    answers: Collection[str] = (),
) -> Iterator[Watch]:
    """Yield the watch of one run, told of its end also where an error ends it. Raises SettingsError.

    `about.mapping` and `about.target`: as far as they are known before anything is opened; `interrupted`: the exit code
    of a run that is interrupted; `answers`: codes of errors that answer who asked, so that nobody else is told.
    """
    started = time.monotonic()
    log = open_log(wish or LogWish(), settings.log, settings.folder)
    with contextlib.closing(log):
        watch = Watch(about, log)
        error: BaseException | None = None
        try:
            for part, module in OBSERVERS.items():
                made = _made(part, module, about, settings, log)
                if made is not None:
                    watch.add(made)
            yield watch
        except BaseException as raised:
            error = raised
            raise
        finally:
            if not (isinstance(error, EtlError) and error.code in answers):
                watch.end(error, _exit_code(watch, error, interrupted), time.monotonic() - started)


def _made(part: str, module: str, about: About, settings: Settings, log: Log) -> Observer | None:
    """Return an observer, None where nobody wants it, or it cannot be made of what the environment says."""
    try:
        made: Observer | None = import_module(module).observer(about, settings, log)
    except EtlError:
        raise
    except Exception as error:  # noqa: BLE001 - an observer's fault is not the run's
        log.logger.warning("telemetry-failed", part=part, reason=type(error).__name__)
        return None
    return made


def _exit_code(watch: Watch, error: BaseException | None, interrupted: Callable[[], int]) -> int:
    if error is None:
        return watch.report.exit_code if watch.report is not None else 0
    if isinstance(error, EtlError):
        return error.exit_code
    is_interrupt = isinstance(error, KeyboardInterrupt) or type(error).__name__ == "InterruptedRun"
    return interrupted() if is_interrupt else 4


class _Watched:
    """Progress that the observers are told of as well."""

    def __init__(self, inner: Progress, watch: Watch) -> None:
        self._inner, self._watch, self._records = inner, watch, 1

    def expect(self, records: int) -> None:
        """Take note of how many records a row has."""
        self._records = records
        self._inner.expect(records)

    def begin(self, stage: str, total: int | None) -> None:
        """Start a stage."""
        self._inner.begin(stage, total)
        self._watch.tell(StageBegan(stage, total, self._records))

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Count rows."""
        self._inner.advance(rows, counts)
        self._watch.tell(StageMoved(rows, counts))

    def end(self) -> None:
        """End the stage; what is still to be told of the endpoints comes before."""
        self._inner.end()
        self._watch.look()
        self._watch.tell(StageEnded())
