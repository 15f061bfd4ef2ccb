"""A night at an endpoint, played in virtual time: one seed, one night. No threads, no sleeping.

The workers do here what those of the loader do: write the intent, send, decide, write, hand over, release.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import defaultdict

from etl.load.retry import RetryPolicy
from etl.load.schedule import Limits, Schedule
from etl.load.skew import Skew
from etl.load.stopping import Meaning, Stopped
from etl.load.throttle import Bucket
from etl.records import Delivery, Endpoint, Intent, Unit
from etl.targets.answers import Kind, Verdict

UPSERT, EVENT, DELETE = Endpoint("POST", "/contacts"), Endpoint("POST", "/events"), Endpoint("DELETE", "/contacts")
ANSWERS = {
    # what the endpoint says: (verdict, whether it has acted)
    "ok": (Verdict(Kind.DELIVERED, "", http_status=200), True),
    "rejected": (Verdict(Kind.REJECTED, "http-400", http_status=400), False),
    "throttled": (Verdict(Kind.THROTTLED, "throttled", http_status=429), False),
    "throttled, wait": (Verdict(Kind.THROTTLED, "throttled", http_status=429, retry_after=3.0), False),
    "500": (Verdict(Kind.AMBIGUOUS, "server-error", http_status=500), False),
    "502, acted": (Verdict(Kind.AMBIGUOUS, "server-error", http_status=502), True),
    "503": (Verdict(Kind.NOT_ARRIVED, "unavailable", http_status=503), False),
    "timeout, acted": (Verdict(Kind.AMBIGUOUS, "timeout", timed_out=True), True),
    "timeout": (Verdict(Kind.AMBIGUOUS, "timeout", timed_out=True), False),
}
FAULTS = [name for name in ANSWERS if name != "ok"]


INTERRUPTED = Stopped("interrupted", "stopped by Ctrl-C", Meaning.GUARD)


class Server:
    """Answers by chance; each endpoint has times when it is down. `acted`: what it did, in order."""

    def __init__(self, chance):
        self.chance = chance
        self.fault_share = chance.choice([0.0, 0.02, 0.1, 0.4])
        self.down = {path: self._times() for path in ("/contacts", "/events")}
        self.acted = []
        self.flying = 0
        self.most_flying = 0

    def _times(self):
        kind = self.chance.random()
        if kind < 0.6:
            return (0.0, 0.0)
        start = self.chance.uniform(0, 3)
        return (start, start + (self.chance.uniform(0.5, 20) if kind < 0.9 else 1e9))

    def answer(self, delivery, now):
        start, end = self.down[delivery.endpoint.path]
        if start <= now < end:
            return self.chance.choice(["500", "503", "timeout"])
        return self.chance.choice(FAULTS) if self.chance.random() < self.fault_share else "ok"

    def seconds(self, name):
        return 35.0 if name.startswith("timeout") and self.chance.random() < 0.1 else self.chance.uniform(0.01, 0.2)


class Night:
    """Plays the units of one seed to the end, or to `killed_at`. `kept`: entries by the time they were durable."""

    def __init__(self, seed, *, units=None, server=None, killed_at=float("inf"), **limits):
        self.chance = random.Random(seed)
        self.now, self.wall_jump = 1000.0, 0.0
        self.events, self.numbers = [], itertools.count()
        self.killed_at = killed_at
        self.server = server or Server(self.chance)
        self.concurrency = limits.setdefault("concurrency", self.chance.choice([1, 2, 5, 16]))
        limits.setdefault("canary", self.chance.choice([0, 1, 3]))
        limits.setdefault("patience", self.chance.choice([0.0, 5.0, 60.0]))
        limits.setdefault("deadline", self.chance.choice([None, None, 1000.0 + self.chance.uniform(0, 30)]))
        self.rate = self.chance.choice([5.0, 50.0, 1000.0])
        bucket = Bucket(self.rate, lambda: self.now)
        self.schedule = Schedule(
            bucket, lambda: self.now, RetryPolicy(), Limits(**limits), self.chance.random, Skew(lambda _: False)
        )
        self.units = units if units is not None else list(self._units())
        self.unread = list(reversed(self.units))
        self.idle = self.concurrency
        self.kept, self.receipts, self.sent = [], [], []
        self.asleep_until = None
        if units is None and self.chance.random() < 0.2:
            self.later(self.chance.uniform(0, 5), self.schedule.stop, INTERRUPTED)

    def _units(self):
        for position in range(self.chance.choice([1, 10, 40])):
            lane = self.chance.choice([None, *(f"lane-{n}" for n in range(8))])
            yield Unit(tuple(
                Delivery(position, record, endpoint, b"%d-%d" % (position, record), lane, endpoint is not EVENT)
                for record, endpoint in enumerate(
                    self.chance.choices([UPSERT, EVENT, DELETE], k=self.chance.choice([1, 1, 2, 3])), 1
                )
            ))  # fmt: skip

    @property
    def deliveries(self):
        return {(d.position, d.record): d for unit in self.units for d in unit.deliveries}

    def later(self, seconds, what, *args):
        heapq.heappush(self.events, (self.now + seconds, next(self.numbers), what, args))

    def play(self, horizon=20_000.0):
        """Go on until all has ended, or the kill; AssertionError where it never ends."""
        self.look()
        while self.events and self.events[0][0] < self.killed_at:
            self.now, _, what, args = heapq.heappop(self.events)
            assert self.now < 1000.0 + horizon, "rows starve"
            what(*args)
            self.look()
        return self

    def wall(self):
        return 1.7e9 + self.now + self.wall_jump

    def look(self):
        """Give every idle worker something to do; else look again when it is time."""
        while self.idle:
            while self.unread and self.schedule.under_way < 30:
                self.schedule.add(self.unread.pop())
            taken = self.schedule.take(self.now)
            if isinstance(taken, float):
                if self.schedule.under_way and taken < float("inf"):
                    self.wake_in(max(taken, 1e-6))
                return
            self.idle -= 1
            self.go(taken, is_written=False)

    def wake_in(self, seconds):
        moment = self.now + seconds
        if self.asleep_until is None or not self.now < self.asleep_until <= moment:
            self.asleep_until = moment
            self.later(seconds, lambda: None)

    def commit(self, entries, then, *args):
        def durable():
            self.kept.extend(entries)
            then(*args)

        self.later(self.chance.uniform(0.0, 0.005), durable)

    def go(self, journey, *, is_written):
        stopped = self.schedule.stop_of(journey)
        if stopped is not None:
            self.keep(self.schedule.called_off(journey, stopped, self.wall()))
        elif is_written:
            self.send(journey)
        else:
            self.commit([self.schedule.intent(journey, self.wall())], self.send, journey)

    def send(self, journey):
        delivery = journey.delivery
        journey.attempts += 1
        journey.sent_at, sent_at = self.wall(), self.now
        self.sent.append((self.now, delivery))
        self.server.flying += 1
        self.server.most_flying = max(self.server.most_flying, self.server.flying)
        name = self.server.answer(delivery, self.now)
        seconds = self.server.seconds(name)
        if ANSWERS[name][1]:
            self.later(seconds * self.chance.random(), self.server.acted.append, delivery)
        self.later(seconds, self.answered, journey, ANSWERS[name][0], sent_at)

    def answered(self, journey, verdict, sent_at):
        self.server.flying -= 1
        journey.verdict, journey.duration_ms = verdict, (self.now - sent_at) * 1000
        step = self.schedule.answered(journey, verdict, sent_at=sent_at, now=self.now, wall=self.wall(), is_warm=True)
        self.schedule.follow(step, self.now, self.wall())
        self.keep(step)

    def keep(self, step):
        if step.entries:
            self.commit(step.entries, self.release, step)
        else:
            self.release(step)

    def release(self, step):
        self.receipts.extend(step.receipts)
        self.schedule.kept(step)
        if step.following is None:
            self.idle += 1
        else:
            self.go(step.following, is_written=True)

    def journal(self):
        """The last entry kept of each delivery: `sending`, `waiting`, or the status it ended with."""
        states = {}
        for entry in self.kept:
            delivery = entry.delivery if isinstance(entry, Intent) else entry.receipt.delivery
            state = "sending" if isinstance(entry, Intent) else entry.receipt.status if entry.is_final else "waiting"
            states[delivery.position, delivery.record] = state
        return states

    def order(self):
        """The deliveries that the server acted on, by lane."""
        found = defaultdict(list)
        for delivery in self.server.acted:
            if delivery.lane is not None:
                found[delivery.lane].append((delivery.position, delivery.record))
        return found
