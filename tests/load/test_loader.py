"""The loader over loopback: one receipt for each delivery, order per lane, and an orderly stop."""

from __future__ import annotations

import itertools
import json
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from email.utils import formatdate

import pytest

from etl.load.lanes import Lanes
from etl.load.loader import Loader, Timing
from etl.load.retry import RetryPolicy
from etl.load.schedule import Limits
from etl.load.stopping import Meaning
from etl.load.throttle import Bucket
from etl.records import Delivery, Endpoint, Status, Unit
from etl.settings import Credentials, Secret, TargetSettings
from etl.targets.auth import Anonymous, signer_for
from etl.targets.client import transport_factory
from tests.fault_server import CLOSE, HANG, RESET, FaultServer, reply

UPSERT, EVENT, DELETE = Endpoint("POST", "/contacts"), Endpoint("POST", "/events"), Endpoint("DELETE", "/contacts")
QUICK = RetryPolicy(base_seconds=0.002, throttled_base_seconds=0.002, cap_seconds=0.01)
GATEWAY_503 = reply(503, {"message": "Service Unavailable"})
DELIVERED, REJECTED, FAILED, UNKNOWN, BLOCKED = (
    Status.DELIVERED, Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.BLOCKED,
)  # fmt: skip


def delivery(position, endpoint=UPSERT, *, record=1, lane=None):
    body = json.dumps({"n": position, "record": record}).encode()
    return Delivery(position, record, endpoint, body, lane, endpoint is not EVENT)


def unit(position, endpoint=UPSERT, lane=None):
    return Unit((delivery(position, endpoint, lane=lane),))


class Run:
    """A loader against a server, and the receipts that it gave."""

    def __init__(self, server, *, signer=None, rate=10_000.0, policy=QUICK, concurrency=4, limits=None, **more):
        target = TargetSettings(name="t", url=server.url, deadline=more.pop("deadline", 5.0))
        timing = more.get("timing", Timing())
        self.receipts = []
        made = transport_factory(target, signer or Anonymous())
        limits = Limits(concurrency, **(limits or {}))
        more = {"on_receipt": self.receipts.append, "policy": policy, "limits": limits, **more}
        self.loader = Loader(made, Bucket(rate, timing.clock), **more)

    def send(self, *units):
        for one in units:
            self.loader.submit(one)
        self.loader.drain()
        return sorted(self.receipts, key=lambda r: (r.delivery.position, r.delivery.record))

    def statuses(self, *units):
        return [receipt.status for receipt in self.send(*units)]


def test_a_receipt_says_what_happened():
    with FaultServer([reply(500), reply(200, {"success": True, "requestId": "r-1"})]) as server:
        before = time.time()
        (receipt,) = Run(server).send(unit(7))
    assert (receipt.delivery.position, receipt.status, receipt.http_status) == (7, DELIVERED, 200)
    assert (receipt.attempts, receipt.request_id, receipt.code, receipt.message) == (2, "r-1", "", "")
    assert before <= receipt.sent_at <= time.time()
    assert 0 < receipt.duration_ms < 5000


def test_a_rejection_carries_the_endpoints_words():
    with FaultServer([reply(400, {"success": False, "messages": ["email is bad"]})]) as server:
        (receipt,) = Run(server).send(unit(1))
    assert (receipt.status, receipt.code, receipt.message, receipt.attempts) == (
        REJECTED,
        "http-400",
        "email is bad",
        1,
    )


ONCE = {
    "400": (reply(400), REJECTED, REJECTED),
    "success false": (reply(200, {"success": False}), REJECTED, REJECTED),
    "redirect": (reply(302, location="https://elsewhere.example.com"), FAILED, FAILED),
    "429": (reply(429), DELIVERED, DELIVERED),
    "503 of the gateway": (GATEWAY_503, DELIVERED, DELIVERED),
    "503 behind it": (reply(503, {"success": False}), DELIVERED, UNKNOWN),
    "408": (reply(408), DELIVERED, UNKNOWN),
    "500": (reply(500), DELIVERED, UNKNOWN),
    "502": (reply(502, b"<html>"), DELIVERED, UNKNOWN),
    "504": (reply(504), DELIVERED, UNKNOWN),
    "reset": (RESET, DELIVERED, UNKNOWN),
    "closed": (CLOSE, DELIVERED, UNKNOWN),
    "HTML": (reply(200, b"<html>"), DELIVERED, UNKNOWN),
    "truncated": ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", CLOSE), DELIVERED, UNKNOWN),
    "silence": (HANG, DELIVERED, UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "upsert", "event"), ONCE.values(), ids=ONCE)
@pytest.mark.parametrize("endpoint", [UPSERT, DELETE, EVENT], ids=["upsert", "delete", "event"])
def test_after_one_fault_upserts_are_repeated_and_events_only_if_they_never_arrived(entry, upsert, event, endpoint):
    with FaultServer([entry, reply()]) as server:
        statuses = Run(server, deadline=0.3).statuses(unit(1, endpoint))
    expected = event if endpoint is EVENT else upsert
    assert statuses == [expected]
    assert len(server.requests) == (2 if expected is DELIVERED else 1)


@pytest.mark.parametrize("entry", [reply(500), RESET, GATEWAY_503], ids=["500", "reset", "503"])
def test_out_of_retries_an_upsert_has_failed(entry):
    with FaultServer([entry]) as server:
        (receipt,) = Run(server).send(unit(1))
    assert (receipt.status, receipt.attempts, len(server.requests)) == (FAILED, 5, 5)


def test_an_event_that_never_arrived_has_failed_not_unknown():
    with FaultServer([]) as server:
        pass
    (receipt,) = Run(server).send(unit(1, EVENT))
    assert (receipt.status, receipt.code, receipt.http_status) == (FAILED, "not-connected", None)


def test_a_404_on_delete_is_delivered():
    with FaultServer([reply(404, {"message": "Not Found"})]) as server:
        assert Run(server).statuses(unit(1, DELETE)) == [DELIVERED]


def test_throttling_uses_up_no_tries():
    with FaultServer([reply(429)] * 7 + [reply(500)] * 4 + [reply()]) as server:
        run = Run(server)
        (receipt,) = run.send(unit(1, UPSERT))
    assert (receipt.status, receipt.attempts, run.loader.stats.throttled) == (DELIVERED, 12, 7)


def test_retry_after_pauses_the_endpoint_for_everybody():
    with FaultServer([reply(), reply(429, retry_after="0.5"), reply()]) as server:
        run = Run(server, concurrency=1)
        run.send(*(unit(n) for n in range(6)))
    times = [seen.at for seen in server.requests]
    assert times[2] - times[1] >= 0.45
    assert len(times) == 7


def test_a_wait_for_a_retry_holds_no_worker():
    slow = RetryPolicy(base_seconds=0.5)

    def script(seen):
        return reply(500) if seen.number == 0 else reply()

    with FaultServer(script) as server:
        run = Run(server, concurrency=1, policy=slow, timing=Timing(random=lambda: 0.9))
        run.send(*(unit(n) for n in range(5)))
    assert [json.loads(seen.body)["n"] for seen in server.requests] == [0, 1, 2, 3, 4, 0]


class TestRows:
    """A row of several records."""

    def row(self):
        return Unit(tuple(delivery(1, record=n, lane="a", endpoint=EVENT) for n in (1, 2, 3)))

    def test_records_are_sent_in_their_order(self):
        with FaultServer([reply()]) as server:
            assert Run(server).statuses(self.row()) == [DELIVERED] * 3
        assert [json.loads(seen.body)["record"] for seen in server.requests] == [1, 2, 3]

    @pytest.mark.parametrize(("entry", "status"), [(reply(400), REJECTED), (reply(500), UNKNOWN)])
    def test_later_records_fail_with_the_earlier_one(self, entry, status):
        with FaultServer([reply(), entry, reply()]) as server:
            receipts = Run(server).send(self.row())
        assert [r.status for r in receipts] == [DELIVERED, status, FAILED]
        assert (receipts[2].code, receipts[2].attempts) == ("earlier-record-failed", 0)
        assert receipts[2].message == f"record 2 of this row was not delivered ({status})"
        assert receipts[2].sent_at is None

    def test_later_records_are_blocked_with_the_earlier_one(self):
        with FaultServer([reply()]) as server:
            run = Run(server)
            run.loader.stop("interrupted", "Ctrl-C")
            receipts = run.send(self.row())
        assert [(r.status, r.code) for r in receipts] == [(BLOCKED, "interrupted")] * 3


def test_the_order_in_a_lane_holds_with_32_workers_and_random_faults():
    chance = random.Random(4)
    # No 429: they would slow the run down to what is no test any more.
    faults = [GATEWAY_503, reply(500), RESET, reply(400), (reply(), CLOSE)]

    def script(_):
        return chance.choice(faults) if chance.random() < 0.3 else reply()

    units = [
        Unit(tuple(
            delivery(n, chance.choice([UPSERT, EVENT]), record=record, lane=f"lane-{chance.randrange(25)}")
            for record in range(1, chance.choice([2, 2, 3]))
        ))
        for n in range(400)
    ]  # fmt: skip
    lane_of = {(d.position, d.record): d.lane for one in units for d in one.deliveries}
    lanes_of = {one.deliveries[0].position: {d.lane for d in one.deliveries} for one in units}
    with FaultServer(script) as server:
        run = Run(server, concurrency=32, policy=RetryPolicy(50, 0.001, 0.001, 0.005, budget=10**6))
        receipts = run.send(*units)
    assert Counter((r.delivery.position, r.delivery.record) for r in receipts) == Counter(list(lane_of))
    order = defaultdict(list)
    for seen in server.requests:
        position = json.loads(seen.body)["n"]
        for lane in lanes_of[position]:
            if not order[lane] or order[lane][-1] != position:
                order[lane].append(position)
    assert all(positions == sorted(positions) for positions in order.values())
    delivered = Counter(json.loads(seen.body)["n"] for seen in server.requests)
    assert {r.delivery.position for r in receipts if r.status is DELIVERED} <= delivered.keys()


def test_receipts_of_a_lane_come_in_order_and_never_two_at_once():
    inside, found = threading.Lock(), []

    def note(receipt):
        assert inside.acquire(blocking=False)
        found.append(receipt.delivery.position)
        inside.release()

    with FaultServer([reply()]) as server:
        run = Run(server, concurrency=16, on_receipt=note)
        run.send(*(unit(n, lane="same") for n in range(100)))
    assert found == list(range(100))
    assert run.loader.stopped is None


def test_a_full_window_holds_the_reader_back():
    gate = threading.Event()

    def script(_):
        gate.wait(10)
        return reply()

    submitted = []
    with FaultServer(script) as server:
        run = Run(server, window=5)

        def read():
            for n in range(20):
                run.loader.submit(unit(n))
                submitted.append(n)

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.3)
        assert len(submitted) == 5
        gate.set()
        reader.join(10)
        run.loader.drain()
    assert len(run.receipts) == 20


@contextmanager
def signals(handler, delay, times=1):
    """Send SIGUSR1 to the main thread, `times` times; SIGALRM belongs to the test's time limit."""
    over, main = threading.Event(), threading.main_thread().ident

    def send():
        for _ in range(times):
            if over.wait(delay):
                return
            signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()
        signal.signal(signal.SIGUSR1, before)


class TestStopping:
    def test_what_is_in_flight_ends_and_the_rest_is_blocked(self):
        gate, started = threading.Event(), threading.Semaphore(0)

        def script(_):
            started.release()
            gate.wait(10)
            return reply()

        with FaultServer(script) as server:
            run = Run(server, concurrency=3)
            for n in range(50):
                run.loader.submit(unit(n, lane=str(n % 20)))
            for _ in range(3):
                started.acquire()
            run.loader.stop("interrupted", "stopped by Ctrl-C")
            run.loader.stop("other", "a second stop changes nothing")
            gate.set()
            receipts = run.send()
        counts = Counter((r.status, r.code, r.attempts) for r in receipts)
        assert counts == {(DELIVERED, "", 1): 3, (BLOCKED, "interrupted", 0): 47}
        assert run.loader.stopped.message == "stopped by Ctrl-C"

    def test_what_waits_for_a_retry_ends_as_its_last_answer_says(self):
        slow = RetryPolicy(base_seconds=60, cap_seconds=60, throttled_base_seconds=60)
        with FaultServer([reply(500), GATEWAY_503]) as server:
            run = Run(server, policy=slow, concurrency=1, timing=Timing(random=lambda: 0.9))
            run.loader.submit(unit(1, UPSERT))
            run.loader.submit(unit(2, EVENT))
            while len(server.requests) < 2:
                time.sleep(0.01)
            run.loader.stop("interrupted", "x")
            receipts = run.send()
        assert [(r.status, r.code, r.attempts) for r in receipts] == [
            (FAILED, "server-error", 1), (FAILED, "unavailable", 1),
        ]  # fmt: skip

    def test_units_submitted_after_a_stop_have_receipts_too(self):
        with FaultServer([reply()]) as server:
            run = Run(server, window=10)
            run.loader.stop("guard", "too many deletes", Status.FAILED)
            assert set(run.statuses(*(unit(n) for n in range(100)))) == {FAILED}
        assert (len(run.receipts), server.requests) == (100, [])

    def test_ctrl_c_reaches_a_reader_that_is_held_back(self):
        with FaultServer([HANG]) as server:
            run = Run(server, concurrency=1, window=1, deadline=1.0)
            run.loader.submit(unit(0))
            with signals(signal.default_int_handler, 0.2), pytest.raises(KeyboardInterrupt):
                run.loader.submit(unit(1))
            run.loader.stop("interrupted", "x")
            assert run.statuses() == [FAILED]

    def test_a_signal_handler_may_stop_at_any_moment(self):
        with FaultServer([reply()]) as server:
            run = Run(server, window=4)
            with signals(lambda *_: run.loader.stop("interrupted", "x"), 0.001, times=1000):
                receipts = run.send(*(unit(n) for n in range(500)))
        assert [r.delivery.position for r in receipts] == list(range(500))

    def test_drain_goes_on_after_an_interruption(self):
        with FaultServer([(HANG,)]) as server:
            run = Run(server, deadline=0.6, policy=RetryPolicy(max_tries=1))
            run.loader.submit(unit(0))
            with signals(signal.default_int_handler, 0.1), pytest.raises(KeyboardInterrupt):
                run.loader.drain()
            assert run.statuses() == [FAILED]


SETTINGS = {
    "401": (reply(401, {"message": "Unauthorized"}), "unauthorized"),
    "403": (reply(403, {"message": "Missing Authentication Token"}), "forbidden"),
    "404 no route": (reply(404, {"message": "No method found matching route"}), "wrong-address"),
    "keys": (reply(403, {"message": "The security token included in the request is invalid."}), "wrong-keys"),
    "clock, without a clock to correct": (
        reply(403, {"message": "Signature expired: x"}, date=formatdate(usegmt=True)), "clock",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "code"), SETTINGS.values(), ids=SETTINGS)
def test_what_is_wrong_for_every_row_stops_the_run_at_once(entry, code):
    with FaultServer([entry]) as server:
        run = Run(server, concurrency=1)
        receipts = run.send(*(unit(n) for n in range(30)))
    assert [(r.status, r.code) for r in receipts] == [(FAILED, code)] + [(BLOCKED, code)] * 29
    assert (run.loader.stopped.code, run.loader.stopped.meaning) == (code, Meaning.SETTINGS)
    assert run.loader.stopped.hint
    assert len(server.requests) == 1


def test_a_lone_403_among_deliveries_rejects_its_row():
    with FaultServer([reply(), reply(403, {"message": "Forbidden"}), reply()]) as server:
        run = Run(server, concurrency=1)
        assert run.statuses(*(unit(n) for n in range(4))) == [DELIVERED, REJECTED, DELIVERED, DELIVERED]
    assert run.loader.stopped is None


def test_three_403_in_a_row_stop_the_run():
    with FaultServer([reply(), reply(403, {"message": "Forbidden"})]) as server:
        run = Run(server, concurrency=1)
        statuses = run.statuses(*(unit(n) for n in range(9)))
    assert statuses == [DELIVERED, REJECTED, REJECTED, FAILED] + [BLOCKED] * 5
    assert run.loader.stopped.message == "the endpoint refuses our requests (HTTP 403): Forbidden"


def clock_signer():
    settings = TargetSettings(name="t", url="https://example.com", auth="sigv4")
    return signer_for(settings, Credentials(Secret("s" * 40), Secret("AKIDEXAMPLE")), lambda: 1_700_000_000.0)


def test_a_wrong_clock_is_corrected_by_the_answers_date_and_the_request_signed_again():
    late = reply(403, {"message": "Signature expired: x"}, date=formatdate(1_700_003_600, usegmt=True))
    signer = clock_signer()
    with FaultServer([late, reply()]) as server:
        run = Run(server, signer=signer, correct_clock=signer.correct_clock)
        assert run.statuses(unit(1, EVENT)) == [DELIVERED]
    dates = [seen.headers["x-amz-date"] for seen in server.requests]
    assert dates == ["20231114T221320Z", "20231114T231320Z"]


def test_a_clock_that_cannot_be_corrected_stops_the_run():
    late = reply(403, {"message": "Signature expired: x"}, date=formatdate(1_700_003_600, usegmt=True))
    signer = clock_signer()
    with FaultServer([late]) as server:
        run = Run(server, signer=signer, correct_clock=signer.correct_clock, concurrency=1)
        assert run.statuses(unit(1), unit(2)) == [FAILED, BLOCKED]
    assert (run.loader.stopped.code, len(server.requests)) == ("clock", 2)


def test_an_endpoint_that_is_down_stops_the_run_and_the_rest_has_failed():
    with FaultServer([reply(), reply(500)]) as server:
        run = Run(server, policy=RetryPolicy(max_tries=1), concurrency=1, limits={"patience": 0.0})
        receipts = run.send(*(unit(n) for n in range(80)))
    assert [r.status for r in receipts] == [DELIVERED] + [FAILED] * 79
    assert [r.code for r in receipts] == [""] + ["server-error"] * 10 + ["endpoint-down"] * 69
    assert run.loader.stopped.meaning is Meaning.ENDPOINT_DOWN


def test_ten_minutes_of_throttling_stop_the_run():
    clock = itertools.count(1000.0, 5.0)
    with FaultServer([reply(429)]) as server:
        run = Run(server, timing=Timing(clock=lambda: next(clock)))
        receipts = run.send(unit(1), unit(2))
    assert [(r.status, r.code) for r in receipts] == [(FAILED, "throttled")] * 2
    assert run.loader.stopped.code == "endpoint-down"


def test_retries_end_with_the_budget():
    with FaultServer([reply(500)]) as server:
        Run(server, policy=RetryPolicy(base_seconds=0.001, budget=20)).send(*(unit(n) for n in range(5)))
    assert len(server.requests) == 9


class BrokenTransport:
    def send(self, endpoint, body):
        raise ZeroDivisionError("zoe@example.com")

    def close(self):
        pass


class TestFaultsOfOurs:
    def loader(self, factory, on_receipt):
        return Loader(factory, Bucket(1000, time.monotonic), on_receipt=on_receipt, limits=Limits(2))

    @pytest.mark.parametrize(("endpoint", "status"), [(UPSERT, FAILED), (EVENT, UNKNOWN)])
    def test_a_broken_worker_loses_no_row_and_drain_raises(self, endpoint, status):
        receipts = []
        loader = self.loader(BrokenTransport, receipts.append)
        for n in range(20):
            loader.submit(unit(n, endpoint))
        with pytest.raises(ZeroDivisionError):
            loader.drain()
        assert sorted(r.delivery.position for r in receipts) == list(range(20))
        assert {r.code for r in receipts} == {"internal-error"}
        assert {r.status for r in receipts} == {status, BLOCKED}
        assert loader.stopped.message == "a fault of ours: ZeroDivisionError"

    def test_a_transport_that_cannot_be_made_loses_no_row(self):
        receipts = []

        def factory():
            raise RuntimeError("no")

        loader = self.loader(factory, receipts.append)
        for n in range(5):
            loader.submit(unit(n, EVENT))
        with pytest.raises(RuntimeError):
            loader.drain()
        assert {r.status for r in receipts} <= {FAILED, BLOCKED}
        assert len(receipts) == 5

    def test_a_broken_throttle_loses_no_row(self):
        class Broken(Bucket):
            def wait(self):
                raise ZeroDivisionError

        receipts = []
        loader = Loader(BrokenTransport, Broken(5, time.monotonic), on_receipt=receipts.append, limits=Limits(3))
        for n in range(9):
            loader.submit(unit(n, lane="a"))
        with pytest.raises(ZeroDivisionError):
            loader.drain()
        assert [(r.delivery.position, r.status) for r in receipts] == [(n, BLOCKED) for n in range(9)]

    @pytest.mark.parametrize("method", ["add", "done"])
    def test_broken_lanes_lose_no_row_and_never_hang(self, method):
        class Broken(Lanes):
            calls = 0

            def fail_once(self, name):
                self.calls += name == method
                if self.calls == 5 and name == method:
                    self.calls += 1
                    raise ZeroDivisionError

            def add(self, ticket):
                self.fail_once("add")
                return super().add(ticket)

            def done(self, ticket):
                self.fail_once("done")
                return super().done(ticket)

        with FaultServer([reply()]) as server:
            run = Run(server, concurrency=8, lanes=Broken())
            for n in range(200):
                run.loader.submit(unit(n, lane=str(n % 3)))
            with pytest.raises(ZeroDivisionError):
                run.loader.drain()
        assert sorted(r.delivery.position for r in run.receipts) == list(range(200))
        sent = [json.loads(seen.body)["n"] for seen in server.requests]
        assert sorted(r.delivery.position for r in run.receipts if r.attempts) == sorted(sent)
        assert len(sent) < 200

    def test_nothing_is_sent_once_a_receipt_cannot_be_written(self):
        offered = []

        def full(receipt):
            offered.append(receipt)
            raise OSError(28, "No space left on device")

        with FaultServer([reply()]) as server:
            run = Run(server, on_receipt=full, concurrency=1)
            for n in range(10):
                run.loader.submit(unit(n))
            with pytest.raises(OSError, match="No space left"):
                run.loader.drain()
        assert (len(server.requests), len(offered)) == (1, 10)


def test_a_rate_is_kept_over_all_workers():
    with FaultServer([reply()]) as server:
        Run(server, concurrency=16, rate=40.0).send(*(unit(n) for n in range(30)))
    took = server.requests[-1].at - server.requests[0].at
    assert 27 / 40 - 0.05 < took < 2.0


def test_numbers_are_kept():
    with FaultServer([reply(500), reply(429), reply()]) as server:
        run = Run(server, concurrency=1)
        run.send(*(unit(n) for n in range(10)))
    stats = run.loader.stats
    assert (stats.requests, stats.retries, stats.throttled) == (12, 2, 1)
    assert 0 < stats.latencies.quantile(0.5) <= stats.latencies.quantile(0.99) < 5000


def test_a_loader_that_was_given_nothing_ends_at_once():
    with FaultServer([reply()]) as server:
        assert Run(server).send(Unit(())) == []
    assert server.connections == 0
