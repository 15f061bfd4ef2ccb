"""Units of deliveries → one receipt each, over many connections. The only module with worker threads.

    submit → inbox → lanes (order) → ready ⇄ delays (retries) → worker → transport → judge → decide → receipt

One lock guards all state; it is never held while something is sent or a receipt is handed over. Of the idle workers
one, the leader, waits for the next unit, token or retry that falls due, and the others for it to leave: so a retry
holds no worker, and a token that comes free wakes one thread, not all.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from etl.load import stopping
from etl.load.health import Health
from etl.load.journey import Journey, overtaken
from etl.load.lanes import Lanes
from etl.load.retry import Again, End, RetryBudget, RetryPolicy, Tries, decide, ended_early
from etl.load.stats import Stats
from etl.load.stopping import Meaning, Stopped
from etl.load.throttle import Throttle
from etl.records import Receipt, Status, Unit
from etl.targets.answers import Kind, Verdict, judge
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

    `transport_factory` is called once in each worker. `on_receipt` is called from the workers, never by two at
    once, and before the next unit of the same lane is sent; if it raises, nothing more is sent. `correct_clock` takes
    the endpoint's Unix time and tells whether it helps (`Signer.correct_clock`). `window`: units under way at most.
    """

    def __init__(
        self,
        transport_factory: Callable[[], Transport],
        throttle: Throttle,
        *,
        on_receipt: Callable[[Receipt], None],
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (frozen)
        concurrency: int = 16,
        window: int | None = None,
        correct_clock: Callable[[float], bool] | None = None,
        timing: Timing = Timing(),
        lanes: Lanes[Journey] | None = None,
    ) -> None:
        self._transport_factory = transport_factory
        self._throttle = throttle
        self._on_receipt = on_receipt
        self._policy = policy
        self._concurrency = concurrency
        self._window = window or max(1000, 8 * concurrency)
        self._correct_clock = correct_clock or (lambda _: False)
        self._timing = timing
        # Reentrant: a signal handler may call `stop` in the very thread that is just submitting.
        self._lock = threading.RLock()
        self._leader = threading.Condition(self._lock)
        self._followers = threading.Condition(self._lock)
        self._space = threading.Condition(self._lock)
        self._receipts = threading.Lock()
        self._inbox: deque[Unit] = deque()
        self._lanes: Lanes[Journey] = lanes if lanes is not None else Lanes()
        self._ready: deque[Journey] = deque()
        self._delays: list[tuple[float, int, Journey]] = []
        self._numbers = itertools.count()
        self._under_way = 0
        self._led = False
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._budget = RetryBudget(policy)
        self._health = Health()
        self._stats = Stats()
        self._stopped: Stopped | None = None
        self._error: BaseException | None = None

    @property
    def stopped(self) -> Stopped | None:
        """Why nothing more is sent, or None."""
        return self._stopped

    @property
    def stats(self) -> Stats:
        """The numbers so far."""
        with self._lock:
            return self._stats.copy()

    def submit(self, unit: Unit) -> None:
        """Hand over a unit; blocks while `window` units are under way. Not after `drain`."""
        if self._closing:
            raise AssertionError("BUG: a unit was submitted after drain")
        if not unit.deliveries:
            return
        self._start()
        with self._lock:
            while len(self._inbox) + self._under_way >= self._window:
                self._space.wait(POLL_SECONDS)
        # One step that no Ctrl-C can cut in two; should the call below be lost, the leader looks soon anyway.
        self._inbox.append(unit)
        with self._lock:
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
            while len(self._inbox) + self._under_way:
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
            if self._stopped is None:
                self._stopped = stopped
            self._leader.notify()

    def _fault(self, error: BaseException) -> None:
        with self._lock:
            self._stop(stopping.fault_of_ours(error))
            if self._error is None:
                self._error = error
                # Nothing more is sent, so no order is to be kept; with a fault in the lanes, rows would wait for ever.
                there = set(self._ready)
                self._ready.extend(journey for journey in self._lanes.abandon() if journey not in there)

    # --- workers: from here on, everything runs in their threads

    def _work(self) -> None:
        transport: Transport | None = None
        while (journey := self._next_despite_faults()) is not None:
            try:
                if self._stopped is not None:
                    self._call_off(journey, self._stopped)
                    continue
                transport = transport or self._transport_factory()
                self._settle(journey, self._send(journey, transport))
            except BaseException as error:  # noqa: BLE001  (a lost worker would lose rows; `drain` raises it)
                self._fault(error)
                self._end_after_fault(journey, error)
        if transport is not None:
            transport.close()

    def _next_despite_faults(self) -> Journey | None:
        # Once stopped, neither clock nor throttle is asked any more, so that the second attempt gets through.
        try:
            return self._next()
        except BaseException as error:  # noqa: BLE001  (a lost worker would lose rows; `drain` raises it)
            self._fault(error)
            return self._next()

    def _next(self) -> Journey | None:
        """Return the journey to go on with, its token taken; None once all is done."""
        with self._lock:
            while not (self._closing and not self._inbox and not self._under_way):
                if self._led:
                    self._followers.wait()
                    continue
                wait = self._admit()
                if self._ready:
                    wait = 0.0 if self._stopped else self._throttle.try_acquire()
                    if wait == 0.0:
                        self._followers.notify()
                        return self._ready.popleft()
                self._led = True
                try:
                    self._leader.wait(min(wait, POLL_SECONDS))
                finally:
                    self._led = False
            self._followers.notify_all()
            return None

    def _admit(self) -> float:
        """Move what has arrived or fallen due to where it belongs; return the seconds until the next falls due."""
        while self._inbox:
            # Counted first: `submit` and `drain` must never see a unit in neither place.
            self._under_way += 1
            journey = Journey(self._inbox.popleft())
            try:
                may_go = self._lanes.add(journey)
            except BaseException:
                self._ready.append(journey)
                raise
            if may_go:
                self._ready.append(journey)
        now = math.inf if self._stopped else self._timing.clock()
        while self._delays and self._delays[0][0] <= now:
            self._ready.appendleft(heapq.heappop(self._delays)[2])
        return self._delays[0][0] - now if self._delays else POLL_SECONDS

    def _send(self, journey: Journey, transport: Transport) -> tuple[Verdict, float]:
        """Send once; return what the answer means, and when the request left (monotonic)."""
        timing, delivery = self._timing, journey.delivery
        with self._lock:
            self._stats.requests += 1
            self._stats.retries += journey.attempts > 0
        journey.attempts += 1
        journey.sent_at, started = timing.wall(), timing.clock()
        journey.entered = True
        try:
            answer = transport.send(delivery.endpoint, delivery.body)
        finally:
            journey.duration_ms = round((timing.clock() - started) * 1000, 1)
            with self._lock:
                self._stats.latencies.add(journey.duration_ms)
        journey.verdict = judge(answer, delivery.endpoint, now=timing.wall())
        return journey.verdict, started

    def _settle(self, journey: Journey, sent: tuple[Verdict, float]) -> None:
        verdict, started = sent
        self._pace(verdict, started)
        with self._lock:
            decision = self._decide(journey, verdict)
            if isinstance(decision, Again):
                due = self._timing.clock() + decision.wait_seconds
                heapq.heappush(self._delays, (due, next(self._numbers), journey))
                self._leader.notify()
                return
        self._end(journey, journey.receipt(decision.status, verdict.code, verdict.message))

    def _pace(self, verdict: Verdict, started: float) -> None:
        if verdict.kind is Kind.THROTTLED:
            self._throttle.on_throttled(started)
        elif verdict.kind in {Kind.DELIVERED, Kind.REJECTED}:
            self._throttle.on_success(started)
        if verdict.retry_after and (verdict.kind is Kind.THROTTLED or verdict.http_status == 503):
            self._throttle.pause_until(self._timing.clock() + verdict.retry_after)

    def _decide(self, journey: Journey, verdict: Verdict) -> Again | End:
        """Decide about this delivery, and whether the run goes on. Called with the lock held."""
        throttled = verdict.kind is Kind.THROTTLED
        journey.throttled += throttled
        self._stats.throttled += throttled
        so_far = Tries(journey.attempts - journey.throttled, journey.throttled, journey.clock_corrected)
        repeat = journey.delivery.repeat_unknown
        decision = decide(
            self._policy, verdict, so_far,
            repeat_unknown=repeat, tokens=self._budget.tokens, random=self._timing.random,
        )  # fmt: skip
        if self._health.is_closed_to_all(verdict):
            decision = End(Status.FAILED, stop=True)
        if isinstance(decision, Again) and decision.correct_clock:
            journey.clock_corrected = True
            if not self._correct_clock(verdict.server_time or 0.0):
                decision = End(Status.FAILED, stop=True)
        if self._health.is_only_throttling(verdict, self._timing.clock()):
            self._stop(stopping.down(verdict))
        if isinstance(decision, Again):
            if self._stopped is None:
                journey.spent = decision.cost
                self._budget.spend(decision.cost)
                return decision
            decision = End(ended_early(verdict, repeat_unknown=repeat))
        if verdict.kind is Kind.DELIVERED:
            self._budget.refund(journey.spent)
        if decision.stop:
            self._stop(stopping.refused(verdict))
        elif self._health.is_down(decision.status):
            self._stop(stopping.down(verdict))
        return decision

    def _call_off(self, journey: Journey, stopped: Stopped) -> None:
        """End a journey that the stop overtook: what was tried as its last answer says, the rest as the stop says."""
        verdict = journey.verdict
        if verdict is None:
            self._end(journey, journey.receipt(stopped.status, stopped.code, stopped.message))
        else:
            status = ended_early(verdict, repeat_unknown=journey.delivery.repeat_unknown)
            self._end(journey, journey.receipt(status, verdict.code, verdict.message))

    def _end_after_fault(self, journey: Journey, error: BaseException) -> None:
        if journey.settled:
            return
        asked = journey.entered and not journey.delivery.repeat_unknown
        stopped = stopping.fault_of_ours(error)
        status = Status.UNKNOWN if asked else Status.FAILED
        self._end(journey, journey.receipt(status, stopped.code, stopped.message))

    def _end(self, journey: Journey, receipt: Receipt) -> None:
        """Hand over the receipt, then go on with the next delivery of the unit, or end the later ones with it."""
        journey.settled = True
        self._hand_over(receipt)
        if receipt.status is Status.DELIVERED and journey.later:
            journey.turn()
            with self._lock:
                self._ready.appendleft(journey)
                self._leader.notify()
            return
        for later in journey.later:
            self._hand_over(overtaken(later, receipt))
        with self._lock:
            self._under_way -= 1
            self._ready.extend(self._lanes.done(journey))
            self._leader.notify()
            self._space.notify_all()

    def _hand_over(self, receipt: Receipt) -> None:
        try:
            with self._receipts:
                self._on_receipt(receipt)
        except BaseException as error:  # noqa: BLE001  (nothing may be sent that cannot be written down)
            self._fault(error)
