"""Which delivery goes when, and how it ends: everything that the loader decides. Not locked: one owner; never sleeps.

    add → lanes (order) → gate of its endpoint ⇄ delays (retries) → take → answered | called_off → kept

Time comes as an argument, so that thousands of nights can be played in a second (tests/load/test_simulation.py).
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from etl.load import stopping
from etl.load.canary import Canary
from etl.load.gates import Found, Gate
from etl.load.journey import Journey, overtaken
from etl.load.lanes import Lanes
from etl.load.recorder import Entry
from etl.load.retry import Again, End, RetryPolicy, Tries, decide, ended_early
from etl.load.skew import Skew
from etl.load.stats import Stats
from etl.load.stopping import Stopped
from etl.load.throttle import Bucket
from etl.records import Endpoint, Intent, Outcome, Receipt, Status, Unit
from etl.targets.answers import Kind, Verdict

_FAILED = {Kind.NOT_ARRIVED, Kind.AMBIGUOUS, Kind.FAILED}


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a load may go.

    `concurrency`: requests at once; `canary`: deliveries of each action that go alone, 0: none; `patience`: seconds
    that an endpoint may stay down; `deadline`: monotonic seconds at which nothing more is begun, None: never;
    `reject_limit`: whether so many rejected of so many answered are too many; `paths`: the endpoints' paths that will
    be used, where that is known: while one of them is well, the run goes on.
    """

    concurrency: int = 16
    canary: int = 0
    patience: float = 60.0
    deadline: float | None = None
    reject_limit: Callable[[int, int], bool] | None = None
    paths: frozenset[str] = frozenset()


@dataclass(slots=True)
class Step:
    """What an answer, or the want of one, comes to.

    `entries` are to be written down, then `receipts` handed over, then the step given to `Schedule.kept`; `following`
    is what the worker sends next, its intent among the entries. `due`: monotonic time at which the delivery is to be
    sent again, None where it has ended; `goes_on`: the unit has a delivery after it.
    """

    journey: Journey
    entries: list[Entry] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    due: float | None = None
    goes_on: bool = False
    following: Journey | None = None


class Schedule:
    """Units on their way. Monotonic seconds are `now`, Unix seconds `wall`; `random`: uniform in [0, 1)."""

    def __init__(
        self,
        bucket: Bucket,
        clock: Callable[[], float],
        policy: RetryPolicy,
        limits: Limits,
        random: Callable[[], float],
        skew: Skew,
        lanes: Lanes[Journey] | None = None,
    ) -> None:
        self._bucket = bucket
        self._clock = clock
        self._policy = policy
        self._limits = limits
        self._random = random
        self._skew = skew
        self._lanes: Lanes[Journey] = lanes if lanes is not None else Lanes()
        self._gates: dict[str, Gate] = {}
        self._order: list[Gate] = []
        self._canaries: dict[Endpoint, Canary] = {}
        self._delays: list[tuple[float, int, Journey]] = []
        self._numbers = itertools.count()
        self._answered = self._rejected = 0
        self.under_way = 0
        self.stats = Stats()
        self.stopped: Stopped | None = None

    @property
    def found(self) -> dict[str, Found]:
        """What was found out about each endpoint, by path."""
        return {gate.path: gate.found for gate in self._order}

    @property
    def held(self) -> frozenset[str]:
        """The paths of the endpoints that only probes go to: whose breaker is open."""
        return frozenset(gate.path for gate in self._order if not gate.breaker.is_closed)

    @property
    def given_up(self) -> Stopped | None:
        """Why an endpoint was given up, though the others went on; None where none was."""
        given_up = {gate.path: gate.given_up for gate in self._order if gate.given_up}
        return stopping.partly(given_up) if given_up else None

    def add(self, unit: Unit) -> None:
        """Take a unit of one delivery at least."""
        # Counted first: whoever waits for the end must never see a unit in neither place.
        self.under_way += 1
        journey = Journey(unit)
        for delivery in unit.deliveries:
            self._gate(delivery.endpoint.path)
        try:
            may_go = self._lanes.add(journey)
        except BaseException:
            self._gate_of(journey).put(journey)
            raise
        if may_go:
            self._gate_of(journey).put(journey)

    def stop(self, stopped: Stopped) -> None:
        """Begin nothing more; only the first stop counts."""
        if self.stopped is None:
            self.stopped = stopped

    def keep_no_order(self) -> None:
        """Release all that waits for its lane: nothing more is sent, and a fault there would hold it for ever."""
        waiting: dict[str, list[Journey]] = {}
        for journey in self._lanes.abandon():
            waiting.setdefault(journey.delivery.endpoint.path, []).append(journey)
        for path, journeys in waiting.items():
            self._gates[path].put_all(journeys)

    def take(self, now: float) -> Journey | float:
        """Return the journey to go on with, its token and slot taken, or the seconds after which to ask again.

        Once stopped, all that waits is returned, to be called off (see `stop_of`).
        """
        if self._limits.deadline is not None and now >= self._limits.deadline:
            self.stop(stopping.deadline())
        if self.stopped is not None:
            return self._any()
        while self._delays and self._delays[0][0] <= now:
            journey = heapq.heappop(self._delays)[2]
            self._gate_of(journey).put_first(journey)
        wait = self._delays[0][0] - now if self._delays else math.inf
        for place, gate in enumerate(self._order):
            if not len(gate):
                continue
            if gate.given_up:
                return gate.pop()
            gate_wait = self._wait(gate, now)
            if gate_wait == 0.0:
                # The next one is the other's turn.
                self._order.append(self._order.pop(place))
                return self._begin(gate, gate.pop())
            wait = min(wait, gate_wait)
        if self._is_beyond(now, wait):
            self.stop(stopping.deadline())
            return self._any()
        return wait

    def stop_of(self, journey: Journey) -> Stopped | None:
        """Return why a journey that was taken is not to be sent, None where it is."""
        return self.stopped or self._gate_of(journey).given_up

    def intent(self, journey: Journey, wall: float) -> Intent:
        """Return what is to be written down before the journey's request leaves."""
        journey.is_begun = True
        return Intent(journey.delivery, journey.delivery.before + journey.attempts + 1, wall)

    def answered(
        self, journey: Journey, verdict: Verdict, *, sent_at: float, now: float, wall: float, is_warm: bool
    ) -> Step:
        """Decide about a delivery that was answered. `is_warm`: over a connection used before; its latency counts."""
        gate = self._gate_of(journey)
        gate.end(journey)
        self.stats.requests += 1
        self.stats.retries += journey.attempts > 1
        self.stats.latencies.add(journey.duration_ms or 0.0)
        self._skew.note(verdict.server_time, wall)
        was_probe, journey.is_probe = journey.is_probe, False
        latency = now - sent_at if is_warm else None
        if gate.note(verdict, sent_at=sent_at, now=now, latency=latency, was_probe=was_probe):
            self._give_up(gate, stopping.down(verdict))
        decision = self._decide(journey, gate, verdict, now, was_probe=was_probe)
        if isinstance(decision, Again):
            waiting = journey.receipt(Status.FAILED, verdict.code, verdict.message)
            due = now + decision.wait_seconds
            return Step(journey, [Outcome(waiting, wall, is_final=False)], due=due)
        return self.ended(journey, decision.status, verdict.code, verdict.message, wall)

    def called_off(self, journey: Journey, stopped: Stopped, wall: float) -> Step:
        """End a journey that a stop overtook: what was tried as its last answer says, the rest as the stop says."""
        verdict = journey.verdict
        if verdict is None:
            return self.ended(journey, stopped.status, stopped.code, stopped.message, wall)
        status = ended_early(verdict, repeat_unknown=journey.delivery.repeat_unknown)
        return self.ended(journey, status, verdict.code, verdict.message, wall)

    def ended(self, journey: Journey, status: Status, code: str, message: str, wall: float) -> Step:
        """End the delivery whose turn it is, and those after it in its unit where it was not delivered."""
        gate = self._gate_of(journey)
        gate.end(journey)
        if journey.is_probe:
            journey.is_probe = False
            gate.breaker.on_nothing(was_probe=True)
        if journey.is_canary:
            journey.is_canary = False
            self._end_canary(journey, status, message)
        receipt = journey.receipt(status, code, message)
        begun = journey.is_begun or journey.attempts
        step = Step(journey, [Outcome(receipt, wall, is_final=True)] if begun else [], [receipt])
        if status is Status.DELIVERED:
            step.goes_on = bool(journey.later)
        else:
            step.receipts += [overtaken(later, receipt) for later in journey.later]
        return step

    def follow(self, step: Step, now: float, wall: float) -> None:
        """Choose what the worker sends next without waiting: the unit's next delivery, or another one that may go.

        It goes into the step with its intent, so that one write keeps both.
        """
        if self.stopped is not None:
            return
        journey = step.journey
        if step.goes_on and self._go_on(journey, now):
            step.following = journey
        else:
            taken = self.take(now)
            if isinstance(taken, float):
                return
            step.following = taken
        if self.stop_of(step.following) is None:
            step.entries.append(self.intent(step.following, wall))

    def kept(self, step: Step) -> None:
        """Release what the step held: its lanes, or the delivery that is to be sent again or goes on."""
        journey = step.journey
        if step.due is not None:
            if self._gate_of(journey).given_up:
                self._gate_of(journey).put_first(journey)
            else:
                heapq.heappush(self._delays, (step.due, next(self._numbers), journey))
        elif not step.goes_on:
            self.under_way -= 1
            for other in self._lanes.done(journey):
                self._gate_of(other).put(other)
        elif step.following is not journey:
            journey.turn()
            self._gate_of(journey).put_first(journey)

    def has_work(self, now: float) -> bool:
        """Whether a journey may go now; may be wrong where nothing is lost by it."""
        return any(len(gate) and gate.wait(now) == 0.0 for gate in self._order) and self._bucket.wait() == 0.0

    def _gate(self, path: str) -> Gate:
        gate = self._gates.get(path)
        if gate is None:
            limits = self._limits
            gate = Gate(path, self._bucket.set_rate, self._clock, self._policy, limits.concurrency, limits.patience)
            self._gates[path] = gate
            self._order.append(gate)
        return gate

    def _gate_of(self, journey: Journey) -> Gate:
        return self._gates[journey.delivery.endpoint.path]

    def _canary_of(self, journey: Journey) -> Canary:
        endpoint = journey.delivery.endpoint
        canary = self._canaries.get(endpoint)
        if canary is None:
            canary = self._canaries[endpoint] = Canary(self._limits.canary)
        return canary

    def _wait(self, gate: Gate, now: float) -> float:
        head = gate.head()
        if not head.is_canary and not self._canary_of(head).may_go():
            return math.inf
        return gate.wait(now) or self._bucket.wait()

    def _begin(self, gate: Gate, journey: Journey) -> Journey:
        if not journey.is_canary:
            journey.is_canary = self._canary_of(journey).begin()
        self._bucket.try_acquire()
        gate.begin(journey)
        return journey

    def _go_on(self, journey: Journey, now: float) -> bool:
        """Come to the unit's next delivery, if it may go at once."""
        later = journey.later[0]
        gate = self._gates[later.endpoint.path]
        canary = self._canaries.get(later.endpoint)
        may_go = canary.may_go() if canary else True
        if gate.given_up or not may_go or gate.wait(now) or self._bucket.wait():
            return False
        journey.turn()
        self._begin(gate, journey)
        return True

    def _any(self) -> Journey | float:
        for gate in self._order:
            if len(gate):
                return gate.pop()
        return heapq.heappop(self._delays)[2] if self._delays else math.inf

    def _is_beyond(self, now: float, wait: float) -> bool:
        """Whether all that waits would have to wait beyond the deadline, and no answer can change that."""
        if self._limits.deadline is None or wait == math.inf or any(gate.in_flight for gate in self._order):
            return False
        return now + wait > self._limits.deadline

    def _decide(self, journey: Journey, gate: Gate, verdict: Verdict, now: float, *, was_probe: bool) -> Again | End:
        throttled = verdict.kind is Kind.THROTTLED
        failed_probe = was_probe and verdict.kind in _FAILED
        journey.throttled += throttled
        journey.free += throttled or failed_probe
        self.stats.throttled += throttled
        so_far = Tries(journey.attempts - journey.free, journey.throttled, journey.clock_corrected, journey.is_renewed)
        decision = decide(
            self._policy, verdict, so_far,
            repeat_unknown=journey.delivery.repeat_unknown, random=self._random,
            tokens=self._policy.budget if failed_probe else gate.budget.tokens,
        )  # fmt: skip
        if not journey.is_renewed and gate.health.is_closed_to_all(verdict):
            decision = End(Status.FAILED)
            self._give_up(gate, stopping.refused(verdict))
        if isinstance(decision, Again) and decision.correct_clock:
            journey.clock_corrected = True
            if not self._skew.correct(verdict.server_time or 0.0, journey.sent_at or 0.0):
                decision = End(Status.FAILED, stop=True)
        if gate.health.is_only_throttling(verdict, now):
            self._give_up(gate, stopping.down(verdict))
        if isinstance(decision, End) and decision.stop:
            self.stop(stopping.refused(verdict))
        return self._spend(journey, gate, verdict, decision, Again(0.0) if failed_probe else None, now)

    def _spend(
        self, journey: Journey, gate: Gate, verdict: Verdict, decision: Again | End, probe: Again | None, now: float
    ) -> Again | End:
        """Count what a decision costs; end what is not to be sent again. `probe`: what to do where it was one."""
        if isinstance(decision, Again):
            deadline = self._limits.deadline
            if self.stop_of(journey) or (deadline is not None and now + decision.wait_seconds >= deadline):
                return End(ended_early(verdict, repeat_unknown=journey.delivery.repeat_unknown))
            if probe is not None:
                return probe
            journey.spent = decision.cost
            gate.budget.spend(decision.cost)
        elif verdict.kind is Kind.DELIVERED:
            gate.budget.refund(journey.spent)
            self._answered += 1
        elif decision.status is Status.REJECTED:
            self._note_rejected(verdict)
        return decision

    def _note_rejected(self, verdict: Verdict) -> None:
        self._answered += 1
        self._rejected += 1
        limit = self._limits.reject_limit
        if limit is not None and limit(self._rejected, self._answered):
            self.stop(stopping.too_many_rejects(self._rejected, self._answered, verdict))

    def _end_canary(self, journey: Journey, status: Status, message: str) -> None:
        canary = self._canary_of(journey)
        canary.end(status)
        if canary.is_hopeless:
            delivery = journey.delivery
            action = delivery.action or f"{delivery.endpoint.method} {delivery.endpoint.path}"
            self.stop(stopping.no_canary(action, message))

    def _give_up(self, gate: Gate, stopped: Stopped) -> None:
        """Send nothing more to one endpoint; stop where no other is in use."""
        if gate.given_up is None:
            gate.given_up = stopped
        used = self._limits.paths | self._gates.keys()
        is_last = all(path in self._gates and self._gates[path].given_up for path in used)
        if is_last or not self._is_well_elsewhere(gate):
            self.stop(gate.given_up)
            return
        waiting = [entry for entry in self._delays if self._gate_of(entry[2]) is gate]
        if waiting:
            self._delays = [entry for entry in self._delays if self._gate_of(entry[2]) is not gate]
            heapq.heapify(self._delays)
            gate.put_all(entry[2] for entry in waiting)

    def _is_well_elsewhere(self, gate: Gate) -> bool:
        """Whether a refusal of everybody is this endpoint's alone: credentials are for all, until one takes them."""
        if gate.given_up is None or gate.given_up.meaning is not stopping.Meaning.SETTINGS:
            return True
        return any(other.health.has_answered for other in self._order if other is not gate)
