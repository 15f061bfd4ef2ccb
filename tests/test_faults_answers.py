"""Answers that are too long, too many, lost, or not from whom they should be; and rows that the endpoint chokes on."""

from __future__ import annotations

import gzip
import time
from collections import Counter
from dataclasses import replace

import pytest
from fault_runs import hold, send, state_of
from fault_server import CLOSE, FaultServer, reply
from support import CONTACT, DELETES, EVENTS, results_of, rig

from etl.sandbox import FaultRule, Faults

pytestmark = pytest.mark.timeout(30)

MAPPINGS = {"upsert": CONTACT, "event": EVENTS}
MEGABYTE = b"x" * 1_000_000


class Counted(tuple):
    """Parts of an answer that tell how many of them were asked for."""

    asked = 0

    def __iter__(self):
        for part in super().__iter__():
            Counted.asked += 1
            yield part


HEADS = {
    "with its length": b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n",
    "without a length": b"HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_of_an_answer_of_100_megabytes_hardly_more_than_one_is_read(tmp_path, head):
    Counted.asked = 0
    with FaultServer([Counted((head, *(MEGABYTE for _ in range(100)))), reply()]) as server:
        started = time.monotonic()
        report = send(tmp_path, server.url, EVENTS, rows=2, target="concurrency = 1\ndeadline = 5")
        took = time.monotonic() - started
    assert [(line["status"], line["code"]) for line in results_of(report)] == [
        ("unknown", "answer-too-large"), ("delivered", ""),
    ]  # fmt: skip
    # The kernel's buffers take some; 100 would have been asked for, had it been read on.
    assert Counted.asked < 30
    assert took < 4


def test_a_compressed_answer_that_nobody_asked_for_is_not_unpacked(tmp_path):
    bomb = gzip.compress(b'{"success":true,"x":"' + b"\0" * 50_000_000 + b'"}')
    assert len(bomb) < 100_000
    with FaultServer([reply(200, bomb, content_encoding="gzip")]) as server:
        report = send(tmp_path, server.url, EVENTS, rows=1)
    (line,) = results_of(report)
    assert (line["status"], line["code"]) == ("unknown", "not-json")
    assert server.requests[0].headers["accept-encoding"] == "identity"


ENDLESS = {
    "a header of a megabyte": b"HTTP/1.1 200 OK\r\nX: " + MEGABYTE + b"\r\n\r\n",
    "ten thousand headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    "a first line of a megabyte": b"HTTP/1.1 200 " + MEGABYTE + b"\r\n\r\n",
}


@pytest.mark.parametrize("entry", ENDLESS.values(), ids=ENDLESS)
def test_a_head_without_an_end_is_no_answer(tmp_path, entry):
    with FaultServer([entry, reply()]) as server:
        report = send(tmp_path, server.url, EVENTS, rows=2, target="concurrency = 1")
    assert [line["status"] for line in results_of(report)] == ["unknown", "delivered"]


TWICE = {
    "at once": lambda answer: answer + answer,
    "one after the other": lambda answer: (answer, answer),
    "more than the length says": lambda answer: answer + b"HTTP/1.1 200 OK\r\n\r\n",
}


@pytest.mark.parametrize("script", TWICE.values(), ids=TWICE)
def test_a_second_answer_on_a_connection_is_never_taken_for_that_of_the_next_request(tmp_path, script):
    # Every other request is refused: whoever took an answer for that of the next row would be found out.
    def answers(seen):
        refused = b"p1@" in seen.body or b"p3@" in seen.body
        return reply(400, {"messages": ["no"]}) if refused else script(reply(200))

    with FaultServer(answers) as server:
        report = send(tmp_path, server.url, EVENTS, rows=5, target="concurrency = 1")
    assert [line["status"] for line in results_of(report)] == [
        "delivered", "rejected", "delivered", "rejected", "delivered",
    ]  # fmt: skip
    assert len(server.requests) == 5


def test_a_second_answer_that_comes_while_the_next_request_is_under_way_is_not_its_own(tmp_path):
    def answers(seen):
        row = int(seen.body.split(b'"externalId":"')[1].split(b'"')[0])
        # The third request is given the answer of the second once more, and its own is not said any more.
        return (reply(200, x_amzn_requestid=f"id-{1 if row == 2 else row}"), CLOSE if row == 2 else b"")

    with FaultServer(answers) as server:
        report = send(tmp_path, server.url, EVENTS, rows=5, target="concurrency = 1")
    lines = results_of(report)
    assert [line["status"] for line in lines] == ["delivered", "delivered", "unknown", "delivered", "delivered"]
    assert lines[2]["message"] == "the answer before it came once more"


def test_an_endpoint_that_gives_every_answer_the_same_number_is_believed(tmp_path):
    with FaultServer([reply(200, x_amzn_requestid="always-the-same")]) as server:
        report = send(tmp_path, server.url, EVENTS, rows=6, target="concurrency = 1")
    assert report.counts == {"delivered": 6}
    assert server.connections == 1


LOST = Faults((FaultRule("lost", rate=0.2), FaultRule("truncated", rate=0.05), FaultRule("reset", rate=0.05)))


@pytest.mark.parametrize("rows", [300, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_where_the_server_acts_and_its_answer_is_lost_every_doubt_is_named_and_nothing_is_doubled(tmp_path, rows):
    with rig(tmp_path / "events", faults=LOST, seed=3) as server:
        report = send(tmp_path / "events", server.sandbox.url, EVENTS, rows=rows, target="concurrency = 16")
        counts = hold(report, server.database, rows)
    unanswered = {sha for sha, status, fault in server.rows("SELECT sha256, status, fault FROM requests") if fault}
    assert {line["payload_sha256"] for line in results_of(report) if line["status"] == "unknown"} == unanswered
    assert counts == Counter(delivered=rows - len(unanswered), unknown=len(unanswered))
    assert len(unanswered) > rows / 5


@pytest.mark.parametrize("mapping", [CONTACT, DELETES], ids=["upserts", "deletes"])
@pytest.mark.parametrize("rows", [100, pytest.param(10_000, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_where_answers_are_lost_what_may_be_repeated_ends_as_if_none_had_been(tmp_path, mapping, rows):
    method = "DELETE" if mapping is DELETES else "POST"
    ill = Faults(tuple(replace(rule, route=f"{method} /contacts") for rule in LOST.rules))
    states = []
    for name, faults in {"well": Faults(), "ill": ill}.items():
        with rig(tmp_path / name, faults=faults, seed=3) as server:
            if mapping is DELETES:
                assert send(tmp_path / name, server.sandbox.url, rows=rows).counts == {"delivered": rows}
            # With a third of the answers gone, five tries are not enough for every row.
            lines = "concurrency = 16\nretries = 15"
            report = send(tmp_path / name, server.sandbox.url, mapping, rows=rows, target=lines)
            assert hold(report, server.database, rows) == {"delivered": rows}
            states.append(state_of(server.database))
    assert states[0] == states[1]
    assert len(states[0]["deletions" if mapping is DELETES else "contacts"]) == rows


POISON = (
    reply(400, {"success": False, "messages": ["phone is not understood"]}),
    reply(413, {"message": "Request Too Long"}),
    reply(422, {"message": "no"}),
    reply(200, {"success": False, "message": ["no such list"]}),
    reply(501, {"message": "no"}),
)


@pytest.mark.parametrize("rows", [960, pytest.param(19_200, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_rows_that_the_endpoint_chokes_on_take_no_neighbour_with_them(tmp_path, rows):
    """Half of the rows are poison, in runs of up to 40 and by turns."""

    def number(body):
        return int(body.split(b'"email":"p')[1].split(b"@")[0])

    def is_poison(row):
        return row % 80 < 40 if row % 160 < 80 else row % 2 == 1

    def answers(seen):
        row = number(seen.body)
        return POISON[row % len(POISON)] if is_poison(row) else reply()

    with FaultServer(answers) as server:
        report = send(tmp_path, server.url, rows=rows, target="concurrency = 8\ndeadline = 5")
    lines = results_of(report)
    assert [line["row"] for line in lines] == [str(row + 2) for row in range(rows)]
    good = [line["status"] for row, line in enumerate(lines) if not is_poison(row)]
    assert good == ["delivered"] * (rows // 2)
    assert {line["status"] for row, line in enumerate(lines) if is_poison(row)} == {"rejected", "failed"}
    assert Counter(number(seen.body) for seen in server.requests) == dict.fromkeys(range(rows), 1)
