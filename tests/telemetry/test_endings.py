"""What outcomes and a loader say of requests and of troubles, without a network."""

from __future__ import annotations

from etl.load.stopping import Meaning, Stopped
from etl.records import Delivery, Endpoint, Outcome, Receipt, Status
from etl.telemetry.base import Event, Trouble
from etl.telemetry.endings import Endings


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Gateway:
    """A loader as far as `Endings` asks it."""

    def __init__(self) -> None:
        self.openings, self.held, self.stopped, self.given_up, self.rate = 0, frozenset(), None, "", 50.0

    @property
    def found(self):
        return {"/contacts": self}


def outcome(status: Status, code: str = "", attempts: int = 1, *, is_final: bool = True, position: int = 2) -> Outcome:
    delivery = Delivery(position, 1, Endpoint("POST", "/contacts"), b"", None, False)
    return Outcome(Receipt(delivery, status, attempts=attempts, code=code), 0.0, is_final)


class TestEndings:
    def setup_method(self) -> None:
        self.told: list[Event] = []
        self.clock = Clock()
        self.gateway = Gateway()
        self.endings = Endings(self.told.append, self.clock)
        self.endings.loader = self.gateway

    def names(self) -> list[str]:
        names = [event.name if isinstance(event, Trouble) else type(event).__name__ for event in self.told]
        self.told.clear()
        return names

    def test_many_refusals_are_one_event_in_half_a_minute(self):
        refused = outcome(Status.FAILED, "throttled", is_final=False)
        for _ in range(10):
            self.endings.note([refused], each=False)
        assert self.names() == ["slowed-down"]
        self.clock.seconds += 31
        self.endings.note([refused], each=False)
        (slowed,) = self.told
        assert slowed == Trouble("slowed-down", {"endpoint": "/contacts", "refused": 10, "rate": 50.0})

    def test_a_breaker_that_opened_and_closed_between_two_looks_is_told(self):
        self.gateway.openings = 1
        self.endings.look()
        assert self.names() == ["breaker-opened", "breaker-closed"]

    def test_a_breaker_that_is_open_is_looked_at_with_each_outcome(self):
        self.gateway.openings, self.gateway.held = 1, frozenset({"/contacts"})
        self.endings.note([outcome(Status.FAILED)], each=False)
        assert self.names() == ["breaker-opened"]
        self.gateway.held = frozenset()
        self.endings.note([outcome(Status.DELIVERED)], each=False)
        assert self.names() == ["breaker-closed"]

    def test_a_stop_is_told_once(self):
        self.gateway.stopped = Stopped("deadline", "the time is up", Meaning.GUARD)
        self.endings.look()
        self.endings.look()
        assert self.names() == ["stopped"]

    def test_what_is_called_off_while_it_waits_is_no_request(self):
        self.endings.note([outcome(Status.FAILED, attempts=1, is_final=False)], each=True)
        self.endings.note([outcome(Status.FAILED, attempts=1)], each=True)
        assert self.names() == ["Asked"]

    def test_an_intent_that_was_never_sent_is_no_request(self):
        self.endings.note([outcome(Status.BLOCKED, attempts=0)], each=True)
        assert self.names() == []

    def test_where_all_is_delivered_the_loader_is_not_asked(self):
        self.gateway.openings = 1
        self.endings.note([outcome(Status.DELIVERED)], each=False)
        assert self.names() == []

    def test_a_fault_here_is_not_the_runs(self):
        self.endings.loader = object()  # nothing that is asked is there
        self.endings.note([outcome(Status.FAILED)], each=True)
        self.endings.look()
