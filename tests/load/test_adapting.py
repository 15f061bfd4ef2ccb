"""Endpoints apart, canaries, breakers, deadlines and clocks: whole nights by the clock of the simulation."""

from __future__ import annotations

from collections import Counter

import pytest

from etl.load.limit import AdaptiveLimit
from etl.load.skew import Skew
from etl.load.stopping import Meaning, Stopped
from etl.records import Delivery, Receipt, Status, Unit
from etl.targets.answers import Kind, Verdict
from tests.load.simulation import ANSWERS, DELETE, EVENT, UPSERT, Night

DELIVERED, REJECTED, FAILED, UNKNOWN, BLOCKED = (
    Status.DELIVERED, Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.BLOCKED,
)  # fmt: skip
ACTIONS = {UPSERT: "contact.upsert", EVENT: "event.create", DELETE: "contact.delete"}


def row(position, *endpoints, lane=None):
    return Unit(tuple(
        Delivery(position, record, endpoint, b"", lane, endpoint is not EVENT, ACTIONS[endpoint])
        for record, endpoint in enumerate(endpoints, 1)
    ))  # fmt: skip


class Scripted:
    """Answers as `script(delivery, now)` says, after `latency` seconds."""

    def __init__(self, script, latency=0.05):
        self.script, self.latency = script, latency
        self.acted, self.flying, self.most_flying = [], 0, 0

    def answer(self, delivery, now):
        return self.script(delivery, now - 1000.0)

    def seconds(self, _):
        return self.latency


def night(units, script, *, rate=1000.0, **limits):
    limits = {"concurrency": 4, "canary": 0, "patience": 60.0, "deadline": None, **limits}
    found = Night(1, units=units, server=Scripted(script), **limits)
    found.schedule._bucket._rate = found.schedule._bucket._set_rate = rate
    return found.play()


def ends(found, endpoint=None):
    return Counter(
        (receipt.status, receipt.code)
        for receipt in found.receipts
        if endpoint is None or receipt.delivery.endpoint is endpoint
    )


def down(path, *, until=1e9):
    return lambda delivery, now: "500" if delivery.endpoint.path == path and now < until else "ok"


class TestEndpointsApart:
    def test_one_that_is_down_is_given_up_and_the_other_gets_all_its_rows(self):
        units = [row(n, UPSERT if n % 2 else EVENT) for n in range(400)]
        found = night(units, lambda d, now: "503" if d.endpoint is EVENT else "ok")
        assert ends(found, UPSERT) == {(DELIVERED, ""): 200}
        events = ends(found, EVENT)
        assert set(events) == {(FAILED, "unavailable"), (FAILED, "endpoint-down")}
        assert events[FAILED, "endpoint-down"] >= 190
        assert found.schedule.stopped is None
        assert found.schedule.given_up == Stopped(
            "endpoint-down",
            "/events: the endpoint is down or does nothing but slow us down; its last answer: unavailable; "
            "the other endpoints are not concerned",
            Meaning.ENDPOINT_DOWN,
            FAILED,
            "send the rows that failed once it is well again",
        )

    def test_rows_of_the_other_do_not_wait_while_one_is_down(self):
        units = [row(n, EVENT) for n in range(20)] + [row(n, UPSERT) for n in range(20, 40)]
        found = night(units, down("/events"))
        contacts = [now for now, delivery in found.sent if delivery.endpoint is UPSERT]
        assert max(contacts) < 1003.0

    def test_a_pause_that_one_asks_for_holds_the_other_no_longer(self):
        units = [row(n, UPSERT if n % 2 else EVENT) for n in range(40)]
        asked = []

        def script(delivery, now):
            if delivery.endpoint is EVENT and not asked:
                asked.append(now)
                return "throttled, wait"
            return "ok"

        found = night(units, script)
        assert max(now for now, delivery in found.sent if delivery.endpoint is UPSERT) < 1003.0
        assert max(now for now, delivery in found.sent if delivery.endpoint is EVENT) > 1003.0
        assert ends(found) == {(DELIVERED, ""): 40}

    def test_a_row_whose_contact_was_not_sent_has_no_event_either(self):
        found = night([row(n, UPSERT, EVENT, lane=str(n)) for n in range(50)], down("/contacts"), patience=0.0)
        assert ends(found, EVENT) == {(FAILED, "earlier-record-failed"): 50}
        assert found.server.acted == []

    def test_when_all_are_given_up_the_run_stops(self):
        units = [row(n, UPSERT if n % 2 else EVENT) for n in range(100)]
        found = night(units, lambda *_: "503", patience=5.0)
        assert found.schedule.stopped.code == "endpoint-down"
        assert {status for status, _ in ends(found)} == {FAILED}
        assert len(found.sent) < 100

    def test_the_set_rate_is_for_all_of_them_together(self):
        units = [row(n, UPSERT if n % 2 else EVENT) for n in range(200)]
        found = night(units, lambda *_: "ok", rate=20.0, concurrency=16)
        times = [now for now, _ in found.sent]
        assert 200 / 20 - 0.2 < times[-1] - times[0] < 200 / 20 + 1

    def test_a_refusal_of_everybody_is_one_endpoints_alone_once_another_has_taken_our_credentials(self):
        ANSWERS["403"] = (Verdict(Kind.FORBIDDEN, "forbidden", "no", http_status=403), False)
        units = [row(n, UPSERT) for n in range(20)] + [row(n, EVENT) for n in range(20, 40)]
        found = night(units, lambda d, now: "403" if d.endpoint is EVENT else "ok", concurrency=1)
        assert ends(found, UPSERT) == {(DELIVERED, ""): 20}
        assert ends(found, EVENT) in [
            {(FAILED, "forbidden"): 1, (BLOCKED, "forbidden"): 19},
            {(FAILED, "forbidden"): 2, (BLOCKED, "forbidden"): 18},
        ]
        assert found.schedule.given_up.meaning is Meaning.SETTINGS


class TestBreaker:
    def test_rows_wait_while_an_endpoint_is_down_and_use_up_no_tries(self):
        found = night([row(n, UPSERT) for n in range(300)], down("/contacts", until=20.0))
        assert ends(found) == {(DELIVERED, ""): 300}
        asked = [now for now, _ in found.sent if 1005.0 < now < 1020.0]
        assert len(asked) <= 3

    def test_429s_never_open_it(self):
        found = night([row(n, UPSERT) for n in range(30)], lambda _, now: "throttled" if now < 30 else "ok")
        assert ends(found) == {(DELIVERED, ""): 30}
        assert found.schedule.found["/contacts"].openings == 0

    def test_an_endpoint_that_flaps_gets_all_rows_in_the_end(self):
        found = night(
            [row(n, UPSERT) for n in range(2000)], lambda _, now: "503" if int(now / 3) % 2 else "ok", rate=100.0
        )
        assert ends(found) == {(DELIVERED, ""): 2000}


class TestCanary:
    def test_the_first_row_of_each_action_goes_alone(self):
        units = [row(n, endpoint) for n, endpoint in enumerate([UPSERT, EVENT, DELETE] * 20)]
        found = night(units, lambda *_: "ok", canary=1, concurrency=16)
        for endpoint in (UPSERT, EVENT, DELETE):
            times = [now for now, delivery in found.sent if delivery.endpoint is endpoint]
            assert times[1] >= times[0] + 0.05
        assert ends(found) == {(DELIVERED, ""): 60}

    def test_a_rejected_one_is_followed_by_the_next_row(self):
        found = night(
            [row(n, UPSERT) for n in range(50)], lambda d, _: "rejected" if d.position < 3 else "ok", canary=1
        )
        assert [delivery.position for _, delivery in found.sent[:4]] == [0, 1, 2, 3]
        assert found.sent[4][0] >= found.sent[3][0] + 0.05
        assert ends(found) == {(REJECTED, "http-400"): 3, (DELIVERED, ""): 47}

    def test_a_hundred_rejected_and_none_delivered_stop_the_run(self):
        found = night([row(n, UPSERT) for n in range(1000)], lambda *_: "rejected", canary=1)
        assert ends(found) == {(REJECTED, "http-400"): 100, (BLOCKED, "canary"): 900}
        assert found.schedule.stopped == Stopped(
            "canary",
            "contact.upsert: each of the first 100 rows was rejected; the last answer: (no message)",
            Meaning.GUARD,
            BLOCKED,
            "check the mapping: no row was right for the endpoint",
        )

    def test_several_must_all_be_delivered_before_the_flood(self):
        found = night([row(n, UPSERT) for n in range(50)], lambda *_: "ok", canary=5, concurrency=16)
        times = [now for now, _ in found.sent]
        assert times[5] >= times[0] + 0.05
        assert ends(found) == {(DELIVERED, ""): 50}

    def test_one_that_is_sent_again_stands_behind_nobody(self):
        units = [row(0, EVENT), row(1, UPSERT, EVENT), row(2, UPSERT, EVENT), row(3, EVENT)]
        found = night(units, lambda d, now: "503" if d.position == 0 and now < 3 else "ok", canary=1)
        assert ends(found) == {(DELIVERED, ""): 6}


class TestRejects:
    def test_too_many_of_those_answered_stop_the_run(self):
        units = [row(n, UPSERT) for n in range(1000)]
        found = night(
            units, lambda d, _: "rejected" if d.position >= 200 else "ok",
            reject_limit=lambda rejected, answered: rejected > 20, concurrency=1,
        )  # fmt: skip
        assert ends(found) == {(DELIVERED, ""): 200, (REJECTED, "http-400"): 21, (BLOCKED, "too-many-rejects"): 779}
        assert found.schedule.stopped == Stopped(
            "too-many-rejects",
            "the endpoint rejected 21 of 221 rows that it answered; the last answer: http-400",
            Meaning.GUARD,
            BLOCKED,
            "mend the mapping or the rows, or raise the limit --fail-over",
        )

    def test_ten_thousand_poison_rows_take_none_of_their_neighbours_with_them(self):
        found = night(
            [row(n, UPSERT) for n in range(20_000)], lambda d, _: "rejected" if d.position % 2 else "ok",
            canary=1, concurrency=16,
        )  # fmt: skip
        assert ends(found) == {(DELIVERED, ""): 10_000, (REJECTED, "http-400"): 10_000}


class TestDeadline:
    def test_nothing_is_begun_after_it_and_what_is_in_flight_ends(self):
        found = night([row(n, UPSERT) for n in range(1000)], lambda *_: "ok", rate=50.0, deadline=1005.0)
        assert max(now for now, _ in found.sent) < 1005.0
        statuses = ends(found)
        assert set(statuses) == {(DELIVERED, ""), (BLOCKED, "deadline")}
        assert statuses[DELIVERED, ""] == pytest.approx(250, abs=5)
        assert found.schedule.stopped == Stopped(
            "deadline", "the time for this run is up", Meaning.GUARD, BLOCKED, "resume the run to send the rest"
        )

    def test_a_pause_beyond_it_is_not_waited_for(self):
        found = night([row(n, UPSERT) for n in range(10)], lambda *_: "throttled, wait", concurrency=1, deadline=1002.0)
        assert found.now < 1000.5
        assert ends(found) == {(FAILED, "throttled"): 1, (BLOCKED, "deadline"): 9}

    def test_a_retry_beyond_it_ends_as_its_last_answer_says(self):
        found = night([row(0, UPSERT), row(1, EVENT)], lambda *_: "500", deadline=1000.06)
        assert ends(found) == {(FAILED, "server-error"): 1, (UNKNOWN, "server-error"): 1}


class TestClocks:
    def test_a_wall_clock_that_jumps_changes_no_wait_and_no_rate(self):
        def times(jump):
            found = Night(
                7,
                units=[row(n, UPSERT) for n in range(200)],
                server=Scripted(down("/contacts", until=0.5)),
                deadline=None,
            )
            found.later(0.7, lambda: setattr(found, "wall_jump", jump))
            return [now for now, _ in found.play().sent]

        assert times(0.0) == times(-86_400.0) == times(+86_400.0)

    def test_after_a_suspend_there_is_no_burst(self):
        found = Night(
            7,
            units=[row(n, UPSERT) for n in range(400)],
            server=Scripted(lambda *_: "ok"),
            concurrency=16,
            deadline=None,
        )
        found.schedule._bucket._rate = found.schedule._bucket._set_rate = 20.0
        found.later(1.0, lambda: setattr(found, "now", found.now + 8 * 3600))
        times = [now for now, _ in found.play(horizon=1e6).sent]
        for first, last in zip(times, times[25:], strict=False):
            assert last - first > 1.0

    def test_two_answers_that_agree_correct_the_clock_and_one_alone_does_not(self):
        taken = []
        skew = Skew(lambda moment: taken.append(moment) or True)
        for server_time, wall in [(5000.0, 1000.0), (1001.0, 1001.0), (5002.0, 1002.0), (5003.0, 1003.0)]:
            skew.note(server_time, wall)
        skew.note(5010.0, 1010.0)
        assert taken == [5003.0]
        # The machine's clock jumps to the right time.
        skew.note(5020.0, 5020.0)
        skew.note(5021.0, 5021.0)
        assert taken == [5003.0, 5021.0]

    def test_a_skew_of_less_than_a_minute_is_left_alone(self):
        skew = Skew(lambda _: pytest.fail("corrected"))
        for _ in range(3):
            skew.note(1055.0, 1000.0)
            skew.note(None, 1000.0)


class TestLimit:
    def test_it_starts_at_four_or_at_the_setting_and_doubles_each_round_until_there(self):
        assert AdaptiveLimit(2).value == 2
        limit, now, found = AdaptiveLimit(50), 0.0, []
        for _ in range(60):
            limit.note_reached()
            limit.on_answer(now, now + 0.05, 0.05)
            now += 0.01
            found.append(limit.value)
        assert sorted(set(found)) == [4, 8, 16, 32, 50]

    def test_it_does_not_grow_where_it_was_not_reached(self):
        limit = AdaptiveLimit(50)
        for n in range(100):
            limit.on_answer(n, n + 0.05, 0.05)
        assert limit.value == 4

    def test_one_loss_in_twenty_does_not_shrink_it(self):
        limit = AdaptiveLimit(16)
        for n in range(1000):
            limit.note_reached()
            if n % 20 == 0:
                limit.on_loss(n, n + 0.05)
            else:
                limit.on_answer(n, n + 0.05, 0.05)
        assert limit.value == 16

    def test_a_round_of_losses_shrinks_it_once(self):
        limit = AdaptiveLimit(16)
        for n in range(100):
            limit.note_reached()
            limit.on_answer(n, n + 0.05, 0.05)
        for _ in range(16):
            limit.on_loss(100.0, 100.1)
        assert limit.value == 12


def test_a_receipt_of_a_row_that_was_never_begun_leaves_no_entry():
    found = Night(1, units=[row(n, UPSERT) for n in range(3)], server=Scripted(lambda *_: "ok"), concurrency=1)
    found.schedule.stop(Stopped("interrupted", "x", Meaning.GUARD))
    found.play()
    assert found.kept == []
    assert all(isinstance(receipt, Receipt) and receipt.attempts == 0 for receipt in found.receipts)
