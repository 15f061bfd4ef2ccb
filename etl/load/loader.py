"""Units of deliveries → one receipt each, over many connections. The only module with worker threads.

    submit → inbox → schedule → worker: intent written → transport → judge → outcome written → receipt

What goes when, and how it ends, is `load.schedule`'s to decide. One lock guards it; it is never held while something is
sent, written down or handed over. Of the idle workers one, the leader, waits for the next unit, token or retry that
falls due, and the others for it to leave. A worker that has an answer chooses what it sends next before it writes, so
that one write keeps the outcome of the one and the intent of the other, and a busy loader wakes no thread.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etl.errors import JournalError
from etl.load import stopping
from etl.load.gates import Found
from etl.load.journey import Journey
from etl.load.lanes import Lanes
from etl.load.recorder import Entry, NoRecorder, Recorder
from etl.load.retry import RetryPolicy
from etl.load.schedule import Limits, Schedule, Step
from etl.load.skew import Skew
from etl.load.stats import Stats
from etl.load.stopping import Meaning, Stopped
from etl.load.throttle import Bucket
from etl.records import Receipt, Status, Unit
from etl.targets.answers import judge
from etl.targets.base import Transport

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance: monotonic seconds, Unix seconds, uniform numbers in [0, 1)."""

    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random


class Loader:
    """Sends units, keeps their order, and gives exactly one receipt for each delivery submitted.

    `transport_factory` is called once in each worker; `bucket` holds the rate that was set, for all endpoints together.
    `recorder` keeps the intent of each request before it leaves, and its outcome before its receipt is handed over and
    its lanes are free: so at most `limits.concurrency` requests are without an outcome, whenever the process dies. If
    it raises, nothing more is sent; a JournalError stops the run with its own words, all else is a fault of ours.
    `on_receipt` is called from the workers, never by two at once, and before the next unit of the same lane is sent; if
    it raises, nothing more is sent. `correct_clock` takes the endpoint's Unix time and tells whether it helps
    (`Signer.correct_clock`); `refresh` takes the monotonic time at which a refused request left and tells whether our
    credentials were replaced since (`Signer.refresh`). `window`: units under way at most.
    """

    def __init__(
        self,
        transport_factory: Callable[[], Transport],
        bucket: Bucket,
        *,
        on_receipt: Callable[[Receipt], None],
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (frozen)
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        window: int | None = None,
        recorder: Recorder | None = None,
        correct_clock: Callable[[float], bool] | None = None,
        refresh: Callable[[float], bool] | None = None,
        timing: Timing = Timing(),
        lanes: Lanes[Journey] | None = None,
        quotes: bool = True,
    ) -> None:
        self._transport_factory = transport_factory
        self._on_receipt = on_receipt
        self._recorder = recorder or NoRecorder()
        self._refresh = refresh or (lambda _: False)
        self._concurrency = limits.concurrency
        self._window = window or max(1000, 8 * limits.concurrency)
        self._timing = timing
        self._quotes = quotes
        skew = Skew(correct_clock or (lambda _: False))
        self._schedule = Schedule(bucket, timing.clock, policy, limits, timing.random, skew, lanes)
        # Reentrant: a signal handler may call `stop` in the very thread that is just submitting.
        self._lock = threading.RLock()
        self._leader = threading.Condition(self._lock)
        self._followers = threading.Condition(self._lock)
        self._space = threading.Condition(self._lock)
        self._receipts = threading.Lock()
        self._inbox: deque[Unit] = deque()
        self._led = False
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._error: BaseException | None = None

    @property
    def stopped(self) -> Stopped | None:
        """Why nothing more is sent, or None."""
        return self._schedule.stopped

    @property
    def given_up(self) -> Stopped | None:
        """Why nothing more is sent to one of the endpoints, though the run went on with the others; or None."""
        with self._lock:
            return self._schedule.given_up

    @property
    def stats(self) -> Stats:
        """The numbers so far."""
        with self._lock:
            return self._schedule.stats.copy()

    @property
    def found(self) -> dict[str, Found]:
        """What was found out about each endpoint, by path."""
        with self._lock:
            return self._schedule.found

    @property
    def held(self) -> frozenset[str]:
        """The paths of the endpoints that only probes go to: whose breaker is open."""
        with self._lock:
            return self._schedule.held

    def submit(self, unit: Unit) -> None:
        """Hand over a unit; blocks while `window` units are under way. Not after `drain`."""
        if self._closing:
            raise AssertionError("BUG: a unit was submitted after drain")
        if not unit.deliveries:
            return
        self._start()
        with self._lock:
            while len(self._inbox) + self._schedule.under_way >= self._window:
                self._space.wait(POLL_SECONDS)
        # One step that no Ctrl-C can cut in two; should the call below be lost, the leader looks soon anyway.
        self._inbox.append(unit)
        with self._lock:
            if len(self._inbox) <= 1:
                self._leader.notify()

    def stop(self, code: str, message: str, status: Status = Status.BLOCKED, meaning: Meaning = Meaning.GUARD) -> None:
        """Send nothing more: what is in flight ends, the rest gets `status`. Only the first stop counts."""
        self._stop(Stopped(code, message, meaning, status))

    def drain(self) -> None:
        """Wait until every delivery has its receipt; then raise the error of ours that stopped the run, if one did.

        May be called again after it was interrupted.
        """
        if self._inbox:
            self._start()
        with self._lock:
            self._closing = True
            self._leader.notify()
            while len(self._inbox) + self._schedule.under_way:
                self._space.wait(POLL_SECONDS)
            self._leader.notify_all()
            self._followers.notify_all()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(POLL_SECONDS)
        if self._error is not None:
            raise self._error

    def _start(self) -> None:
        while len(self._threads) < self._concurrency:
            thread = threading.Thread(target=self._work, name=f"etl-load-{len(self._threads)}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def _stop(self, stopped: Stopped) -> None:
        with self._lock:
            self._schedule.stop(stopped)
            self._leader.notify()

    def _fault(self, error: BaseException) -> None:
        with self._lock:
            self._stop(stopping.fault_of_ours(error))
            if self._error is None:
                self._error = error
                self._schedule.keep_no_order()

    # --- workers: from here on, everything runs in their threads

    def _work(self) -> None:
        worker = _Worker(self._transport_factory)
        following: Journey | None = None
        while (journey := following or self._next_despite_faults()) is not None:
            is_written, following = journey is following, None
            try:
                step = self._send_or_call_off(journey, worker, is_written=is_written)
            except BaseException as error:  # noqa: BLE001  (a lost worker would lose rows; `drain` raises it)
                self._fault(error)
                step = self._after_fault(journey, error)
            following = self._keep(step)
        worker.close()

    def _next_despite_faults(self) -> Journey | None:
        # Once stopped, neither clock nor rate is asked any more, so that the second attempt gets through.
        try:
            return self._next()
        except BaseException as error:  # noqa: BLE001  (a lost worker would lose rows; `drain` raises it)
            self._fault(error)
            return self._next()

    def _next(self) -> Journey | None:
        """Return the journey to go on with, its token taken; None once all is done."""
        with self._lock:
            while True:
                found = self._look()
                if not isinstance(found, float):
                    # Somebody has to wait for the rest.
                    if not self._led:
                        self._followers.notify()
                    return found
                if self._closing and not self._inbox and not self._schedule.under_way:
                    self._leader.notify_all()
                    self._followers.notify_all()
                    return None
                if self._led:
                    # What was released since it looked may have changed how long it has to wait.
                    self._leader.notify()
                    self._followers.wait()
                    continue
                self._led = True
                try:
                    self._leader.wait(min(found, POLL_SECONDS))
                finally:
                    self._led = False

    def _look(self) -> Journey | float:
        while self._inbox:
            self._schedule.add(self._inbox.popleft())
        return self._schedule.take(0.0 if self._schedule.stopped else self._timing.clock())

    def _send_or_call_off(self, journey: Journey, worker: _Worker, *, is_written: bool) -> Step:
        """Send once, or end what is not to be sent any more; `is_written`: its intent was kept already."""
        wall = self._timing.wall
        stopped = self._schedule.stop_of(journey)
        if stopped is None and not is_written:
            # First of all: a transport that cannot be made leaves no intent without an outcome.
            worker.connect()
            if not self._write([self._schedule.intent(journey, wall())]):
                stopped = self._schedule.stop_of(journey)
        if stopped is not None:
            with self._lock:
                return self._schedule.called_off(journey, stopped, wall())
        return self._send(journey, worker)

    def _send(self, journey: Journey, worker: _Worker) -> Step:
        timing, delivery = self._timing, journey.delivery
        journey.attempts += 1
        journey.sent_at, sent_at = timing.wall(), timing.clock()
        journey.entered = True
        try:
            answer = worker.connect().send(delivery.endpoint, delivery.body)
        finally:
            now = timing.clock()
            journey.duration_ms = round((now - sent_at) * 1000, 1)
        is_warm, worker.is_warm = worker.is_warm, True
        wall = timing.wall()
        verdict = judge(answer, delivery.endpoint, now=wall)
        journey.verdict = verdict if self._quotes else verdict.in_our_words
        # Without the lock: a file is read.
        journey.is_renewed = journey.verdict.may_be_credentials and self._refresh(sent_at)
        with self._lock:
            step = self._schedule.answered(
                journey, journey.verdict, sent_at=sent_at, now=now, wall=wall, is_warm=is_warm
            )
            try:
                while self._inbox:
                    self._schedule.add(self._inbox.popleft())
                self._schedule.follow(step, now, wall)
            except BaseException as error:  # noqa: BLE001  (what was answered must be written down all the same)
                self._fault(error)
        return step

    def _keep(self, step: Step) -> Journey | None:
        """Write a step down, hand over its receipts, and release what it held; return what goes next."""
        if step.entries:
            self._write(step.entries)
        for receipt in step.receipts:
            self._hand_over(receipt)
        with self._lock:
            try:
                self._schedule.kept(step)
            except BaseException as error:  # noqa: BLE001  (a lost worker would lose rows; `drain` raises it)
                self._fault(error)
            if self._led and step.following is not None and self._has_work():
                self._leader.notify()
            self._space.notify_all()
        return step.following

    def _has_work(self) -> bool:
        return self._schedule.stopped is not None or self._schedule.has_work(self._timing.clock())

    def _write(self, entries: Sequence[Entry]) -> bool:
        """Write down; tell whether that was possible, and stop where it was not."""
        try:
            self._recorder.write(entries)
        except JournalError as error:
            self._stop(stopping.not_journalled(error))
        except BaseException as error:  # noqa: BLE001  (nothing may be sent that cannot be written down)
            self._fault(error)
        else:
            return True
        return False

    def _after_fault(self, journey: Journey, error: BaseException) -> Step:
        asked = journey.entered and not journey.delivery.repeat_unknown
        stopped = stopping.fault_of_ours(error)
        status = Status.UNKNOWN if asked else Status.FAILED
        with self._lock:
            return self._schedule.ended(journey, status, stopped.code, stopped.message, self._timing.wall())

    def _hand_over(self, receipt: Receipt) -> None:
        try:
            with self._receipts:
                self._on_receipt(receipt)
        except BaseException as error:  # noqa: BLE001  (nothing may be sent that cannot be written down)
            self._fault(error)


class _Worker:
    """A thread's connection, made when it is first needed. `is_warm`: whether something was sent over it."""

    def __init__(self, factory: Callable[[], Transport]) -> None:
        self._factory = factory
        self._transport: Transport | None = None
        self.is_warm = False

    def connect(self) -> Transport:
        """Return the transport."""
        if self._transport is None:
            self._transport = self._factory()
        return self._transport

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._transport is not None:
            self._transport.close()
