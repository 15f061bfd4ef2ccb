"""What the loader writes down, and when: before each request, after each answer, and nothing is sent without it."""

from __future__ import annotations

import json
import threading
import time

import pytest

from etl.errors import JournalError
from etl.load.loader import Timing
from etl.load.retry import RetryPolicy
from etl.load.stopping import Meaning, Stopped
from etl.records import Intent, Outcome, Status, Unit
from tests.fault_server import FaultServer, reply
from tests.load.test_loader import EVENT, UPSERT, Run, delivery, unit

DELIVERED, REJECTED, FAILED, UNKNOWN, BLOCKED = (
    Status.DELIVERED, Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.BLOCKED,
)  # fmt: skip


class Journal:
    """Keeps the writes; `fails(number)` gives the error that the so-many-th raises, or None."""

    def __init__(self, fails=lambda _: None, seconds=0.0):
        self.writes, self._fails, self._seconds = [], fails, seconds
        self._lock = threading.Lock()

    def write(self, entries):
        time.sleep(self._seconds)
        with self._lock:
            error = self._fails(len(self.writes))
            self.writes.append([] if error else list(entries))
        if error:
            raise error

    @property
    def entries(self):
        return [told(entry) for entries in self.writes for entry in entries]


def told(entry):
    if isinstance(entry, Intent):
        return "intent", entry.delivery.position, entry.delivery.record, entry.attempt
    receipt = entry.receipt
    return "outcome", receipt.delivery.position, receipt.delivery.record, receipt.status if entry.is_final else None


def test_an_intent_stands_before_each_request_and_an_outcome_after_each_answer():
    journal = Journal()
    with FaultServer([reply(500), reply(429), reply(400)]) as server:
        (receipt,) = Run(server, recorder=journal).send(unit(7))
    assert journal.entries == [
        ("intent", 7, 1, 1), ("outcome", 7, 1, None),
        ("intent", 7, 1, 2), ("outcome", 7, 1, None),
        ("intent", 7, 1, 3), ("outcome", 7, 1, REJECTED),
    ]  # fmt: skip
    last = journal.writes[-1][-1]
    assert isinstance(last, Outcome)
    assert last.receipt == receipt


def test_the_outcome_of_one_and_the_intent_of_the_next_are_one_write():
    journal, all_there = Journal(), threading.Event()

    def script(_):
        all_there.wait(10)
        time.sleep(0.03)
        return reply()

    with FaultServer(script) as server:
        run = Run(server, recorder=journal, concurrency=1)
        for n in range(3):
            run.loader.submit(unit(n))
        run.loader.submit(Unit((delivery(3), delivery(3, EVENT, record=2))))
        all_there.set()
        run.send()
    kinds = [[told(entry)[0] for entry in entries] for entries in journal.writes]
    assert kinds == [["intent"], *[["outcome", "intent"]] * 4, ["outcome"]]
    assert journal.writes[-1][0].receipt.delivery.record == 2
    assert [told(entry)[:3] for entry in journal.writes[-2]][-1] == ("intent", 3, 2)


def test_no_request_leaves_before_its_intent_is_kept():
    journal = Journal(seconds=0.03)

    def script(seen):
        position = json.loads(seen.body)["n"]
        assert ("intent", position, 1, 1) in journal.entries
        return reply()

    with FaultServer(script) as server:
        assert set(Run(server, recorder=journal).statuses(*(unit(n) for n in range(20)))) == {DELIVERED}


def test_a_receipt_is_handed_over_and_its_lane_is_free_only_after_its_outcome_is_kept():
    journal = Journal(seconds=0.01)
    seen = []
    with FaultServer([reply()]) as server:
        run = Run(server, recorder=journal, on_receipt=lambda r: seen.append((r, list(journal.entries))))
        run.send(*(unit(n, lane="same") for n in range(8)))
    for receipt, entries in seen:
        assert ("outcome", receipt.delivery.position, 1, DELIVERED) in entries
    assert [entry[1] for entry in journal.entries] == [n for n in range(8) for _ in "io"]


def test_what_was_never_begun_is_not_written_down():
    journal = Journal()
    with FaultServer([reply(400)]) as server:
        run = Run(server, recorder=journal)
        run.loader.submit(Unit((delivery(1), delivery(1, EVENT, record=2))))
        run.loader.drain()
    assert {entry[2] for entry in journal.entries} == {1}
    assert [r.code for r in run.receipts] == ["http-400", "earlier-record-failed"]


def full(_):
    return JournalError("the journal cannot be written", code="journal-write", hint="make room")


def test_where_the_first_intent_cannot_be_kept_nothing_is_sent():
    with FaultServer([reply()]) as server:
        run = Run(server, recorder=Journal(full))
        receipts = run.send(*(unit(n) for n in range(20)))
        assert server.requests == []
    assert {(r.status, r.code, r.attempts, r.sent_at) for r in receipts} == {(BLOCKED, "journal-write", 0, None)}
    assert len(receipts) == 20
    assert run.loader.stopped == Stopped(
        "journal-write", "the journal cannot be written", Meaning.JOURNAL, BLOCKED, "make room"
    )


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("broken_at", [1, 2, 3, 7])
def test_once_a_write_fails_nothing_more_is_sent_and_what_was_answered_has_its_receipt(broken_at, concurrency):
    journal = Journal(lambda number: full(number) if number >= broken_at else None)
    with FaultServer([reply()]) as server:
        run = Run(server, recorder=journal, concurrency=concurrency)
        receipts = run.send(*(unit(n, EVENT, lane=str(n % 9)) for n in range(50)))
        sent = [json.loads(seen.body)["n"] for seen in server.requests]
    assert [r.delivery.position for r in receipts] == list(range(50))
    assert [r.delivery.position for r in receipts if r.status is DELIVERED] == sorted(sent)
    assert {(r.status, r.code) for r in receipts} == {(DELIVERED, ""), (BLOCKED, "journal-write")}
    assert set(sent) <= {entry[1] for entry in journal.entries if entry[0] == "intent"}
    assert len(sent) <= broken_at + concurrency


def test_another_error_of_the_recorder_is_a_fault_of_ours():
    with FaultServer([reply()]) as server:
        run = Run(server, recorder=Journal(lambda _: ZeroDivisionError()))
        run.loader.submit(unit(1))
        with pytest.raises(ZeroDivisionError):
            run.loader.drain()
        assert server.requests == []
    assert [(r.status, r.code) for r in run.receipts] == [(BLOCKED, "internal-error")]


def test_what_waits_for_a_retry_when_the_run_stops_is_written_down_as_it_ends():
    journal = Journal()
    slow = RetryPolicy(base_seconds=60, cap_seconds=60)
    with FaultServer([reply(500)]) as server:
        run = Run(server, recorder=journal, policy=slow, timing=Timing(random=lambda: 0.9))
        run.loader.submit(unit(1, UPSERT))
        while len(journal.writes) < 2:
            time.sleep(0.01)
        run.loader.stop("interrupted", "x")
        run.send()
    assert journal.entries == [("intent", 1, 1, 1), ("outcome", 1, 1, None), ("outcome", 1, 1, FAILED)]


def test_a_worker_that_breaks_leaves_the_outcome_of_its_request_as_it_is_known():
    class Broken:
        def send(self, endpoint, body):
            raise ZeroDivisionError

        def close(self):
            pass

    journal = Journal()
    with FaultServer([reply()]) as server:
        run = Run(server, recorder=journal)
    run.loader._transport_factory = Broken
    run.loader.submit(unit(1, EVENT))
    with pytest.raises(ZeroDivisionError):
        run.loader.drain()
    assert journal.entries == [("intent", 1, 1, 1), ("outcome", 1, 1, UNKNOWN)]
