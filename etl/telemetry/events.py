"""A run → events of its log. No value of a cell, no key, no payload comes near it: `etl.logs` lists what may."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from etl.logs import COMPLAINED, Log
from etl.progress import Stage
from etl.records import POSITION_BITS, Outcome
from etl.telemetry.base import (
    About,
    Asked,
    Event,
    RunBegan,
    RunEnded,
    StageBegan,
    StageEnded,
    StageMoved,
    Trouble,
)

if TYPE_CHECKING:
    from etl.settings import Settings

LOG_SECONDS = 5.0
"""Between two events about how far a stage is."""
_ROW = (1 << POSITION_BITS) - 1


def observer(about: About, settings: Settings, log: Log) -> LogEvents | None:
    """Return what writes to `log`, None where all that it says ends nowhere."""
    return LogEvents(log) if log.wants("error") else None


class LogEvents:
    """Writes what happens to a log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._progress = ProgressEvents(log)
        self.per_request = log.wants("debug")

    def see(self, event: Event) -> None:
        """Write an event down, if it is one for the log."""
        match event:
            case Asked(outcomes):
                for outcome in outcomes:
                    self._log.logger.debug("request", **_request(outcome))
            case StageMoved(rows, counts):
                self._progress.advance(rows, counts)
            case StageBegan(stage, total, records):
                self._progress.expect(records)
                self._progress.begin(stage, total)
            case StageEnded():
                self._progress.end()
            case Trouble(name, facts):
                self._log.logger.warning(name, **facts)
            case RunBegan():
                self._begin(event)
            case RunEnded():
                self._end(event)

    def close(self) -> None:
        """Do nothing: the log is its owner's."""

    def _begin(self, event: RunBegan) -> None:
        about = event.about
        self._log.logger.info(
            "run-began", verb=about.verb, mapping=about.mapping, target=about.target, files=event.files,
            rows_estimated=event.rows,
        )  # fmt: skip

    def _end(self, event: RunEnded) -> None:
        facts: dict[str, Any] = {"exit_code": event.exit_code, "seconds": round(event.seconds, 3)}
        facts |= {"code": event.code, "reason": event.reason} if event.code else {}
        if not event.began:
            about = event.about
            self._log.logger.error(COMPLAINED, verb=about.verb, mapping=about.mapping, target=about.target, **facts)
            return
        report = event.report
        if report is not None:
            facts |= {"rows": report.rows, "counts": report.counts, "problems": report.errors}
            facts |= {name: report.delivery.get(name) for name in ("requests", "retries", "throttled")}
        log = self._log.logger.info if report is not None else self._log.logger.error
        log("run-ended", **facts)


class ProgressEvents:
    """How far a stage is: an event every five seconds, and one at its end. `clock`: monotonic seconds."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock, self._records = log, clock, 1
        self._stage: Stage | None = None
        self._logged = 0.0

    def expect(self, records: int) -> None:
        """Read counts as so many records a row."""
        self._records = records

    def begin(self, stage: str, total: int | None) -> None:
        """Remember when the stage began; one that is under way ends with that."""
        self.end()
        self._stage = Stage(stage, total, self._records, self._clock)
        self._logged = self._clock()
        log = self._log.logger.info if stage == "sending" else self._log.logger.debug
        log("stage-began", stage=stage, total=total)

    def advance(self, rows: int, counts: Mapping[str, int]) -> None:
        """Take the numbers; write an event if five seconds have passed since the last."""
        stage = self._stage
        if stage is None:
            return
        stage.add(rows, counts)
        if self._clock() - self._logged >= LOG_SECONDS:
            self._logged = self._clock()
            left = stage.seconds_left
            self._log.logger.info(
                "progress", stage=stage.name, rows=stage.rows, total=stage.total, rows_per_second=round(stage.rate, 1),
                seconds_left=None if left is None else round(left, 1), counts=dict(stage.counts),
            )  # fmt: skip

    def end(self) -> None:
        """Write the event of the whole stage; of a short one without counts there is nothing to tell but at debug."""
        stage, self._stage = self._stage, None
        if stage is None:
            return
        is_worth_it = stage.counts or stage.seconds >= LOG_SECONDS
        log = self._log.logger.info if is_worth_it else self._log.logger.debug
        log(
            "stage-ended", stage=stage.name, rows=stage.rows, seconds=round(stage.seconds, 3),
            rows_per_second=round(stage.rate, 1), counts=dict(stage.counts),
        )  # fmt: skip


def _request(outcome: Outcome) -> dict[str, Any]:
    """Return what is told of a request: of its row the number alone."""
    receipt = outcome.receipt
    delivery = receipt.delivery
    return {
        "action": delivery.action, "endpoint": delivery.endpoint.path, "table": delivery.position >> POSITION_BITS,
        "row": delivery.position & _ROW, "record": delivery.record, "attempt": receipt.attempts,
        "http_status": receipt.http_status, "outcome": receipt.status.value if outcome.is_final else "retry",
        "code": receipt.code or None, "duration_ms": receipt.duration_ms, "request_id": receipt.request_id or None,
    }  # fmt: skip
