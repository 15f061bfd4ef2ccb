"""Each kind of fault, as a client meets it: on the wire, and in what was stored."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import pytest
import requests
from raw_client import UPSERT, Answers, connected, post, read_all

from etl.sandbox import KINDS, FaultRule, Faults, Sandbox, SandboxOptions, parse_fault


@contextmanager
def failing(*rules: str) -> Iterator[Sandbox]:
    with Sandbox(SandboxOptions(faults=Faults(tuple(parse_fault(rule) for rule in rules)))) as sandbox:
        yield sandbox


def send(sandbox: Sandbox, timeout: float = 5.0) -> requests.Response:
    return requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=timeout, allow_redirects=False)


def contacts(sandbox: Sandbox) -> int:
    return len(sandbox.rows("SELECT email FROM contacts"))


def noted(sandbox: Sandbox) -> list[tuple[int | None, str | None, int]]:
    rows = sandbox.rows("SELECT status, fault, acted FROM requests ORDER BY seq")
    return [(row["status"], row["fault"], row["acted"]) for row in rows]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.isdigit()])
def test_a_status_is_answered_in_the_gateways_words_and_nothing_is_done(kind: str) -> None:
    with failing(kind) as sandbox:
        response = send(sandbox)
        assert response.status_code == int(kind)
        assert list(response.json()) == ["message"]
        assert response.json()["message"]
        assert (contacts(sandbox), noted(sandbox)) == (0, [(int(kind), kind, 0)])


def test_a_status_may_come_after_the_request_was_carried_out() -> None:
    with failing("504:acted=yes") as sandbox:
        response = send(sandbox)
        assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})
        assert (contacts(sandbox), noted(sandbox)) == (1, [(504, "504", 1)])


def test_retry_after_is_given_in_seconds_or_as_a_date_or_not_at_all() -> None:
    with failing("429:nth=1,retry_after=7", "429:nth=1,retry_after=30,retry_after_date=yes", "429") as sandbox:
        in_seconds, as_date, silent = send(sandbox), send(sandbox), send(sandbox)
    assert in_seconds.headers["Retry-After"] == "7"
    ahead = parsedate_to_datetime(as_date.headers["Retry-After"]).timestamp() - time.time()
    assert ahead == pytest.approx(30, abs=2)
    assert "Retry-After" not in silent.headers
    assert silent.json() == {"message": "Too Many Requests"}


def test_a_limit_answers_429_above_its_rate() -> None:
    with failing("limit:per_second=0.001,burst=3,retry_after=1") as sandbox:
        assert [send(sandbox).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(("kind", "stored"), [("reset", 0), ("lost", 1)])
def test_a_reset_leaves_no_answer_and_only_lost_has_acted(kind: str, stored: int) -> None:
    with failing(kind) as sandbox:
        with connected(sandbox.url) as link:
            link.sendall(post("/contacts", UPSERT))
            with pytest.raises(ConnectionResetError):
                link.recv(1)
        assert (contacts(sandbox), noted(sandbox)) == (stored, [(None, kind, stored)])


def test_a_reset_in_mid_body_comes_after_some_of_it() -> None:
    with failing("reset-mid-body") as sandbox, connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT))
        received = b""
        with pytest.raises(ConnectionResetError):  # noqa: PT012  what came before it matters
            while piece := link.recv(65536):
                received += piece
        assert received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b'{"success":true' in received
        assert contacts(sandbox) == 1


def test_a_truncated_body_is_shorter_than_it_was_said_to_be() -> None:
    with failing("truncated") as sandbox:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            send(sandbox)
        assert contacts(sandbox) == 1


def test_a_body_cut_in_silence_looks_whole_until_it_is_parsed() -> None:
    with failing("truncated-silent") as sandbox:
        response = send(sandbox)
        assert response.status_code == 200
        assert "Content-Length" not in response.headers
        with pytest.raises(json.JSONDecodeError):
            json.loads(response.text)


def test_an_answer_may_never_come() -> None:
    with failing("hang") as sandbox:
        with pytest.raises(requests.exceptions.ReadTimeout):
            send(sandbox, timeout=0.2)
        assert (contacts(sandbox), noted(sandbox)) == (0, [(None, "hang", 0)])


def test_a_connection_that_hangs_is_given_up_when_its_client_leaves() -> None:
    with failing("hang") as sandbox, connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT))
        link.shutdown(socket.SHUT_WR)
        assert read_all(link) == b""


def test_a_dripping_answer_outlives_a_read_timeout_and_is_whole() -> None:
    with failing("drip:interval=0.004") as sandbox:
        started = time.monotonic()
        response = send(sandbox, timeout=1.0)
        assert response.json()["success"] is True
        assert time.monotonic() - started > 1.0


def test_a_connection_may_end_after_a_proper_answer_without_notice() -> None:
    with failing("close") as sandbox, connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT))
        received = read_all(link)
    assert b"\r\nConnection:" not in received
    assert received.endswith(b"}")


def test_huge_answers_are_sent_whole_to_a_slow_reader() -> None:
    with failing("huge:size=40000000") as sandbox, connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT) * 2)
        link.recv(1, socket.MSG_PEEK)
        assert sandbox.stats().requests == 1  # the second waits until the first answer is read
        answers = Answers(link)
        for _ in range(2):
            status, headers, body = answers.next()
            assert status == 200
            assert len(body) == int(headers["content-length"]) > 40_000_000


def is_text(response: requests.Response) -> bool:
    return (response.status_code, response.text) == (200, "OK")


def is_page(response: requests.Response) -> bool:
    return response.status_code == 200 and response.headers["Content-Type"] == "text/html" and "<html>" in response.text


def is_redirect(response: requests.Response) -> bool:
    return (response.status_code, response.headers["Location"]) == (307, "https://example.com/x")


def is_unsuccessful(response: requests.Response) -> bool:
    return response.status_code == 200 and response.json()["success"] is False and bool(response.json()["messages"])


def is_expired(response: requests.Response) -> bool:
    return response.status_code == 403 and response.json()["message"].startswith("Signature expired: ")


@pytest.mark.parametrize(
    ("rule", "is_as_said"),
    [
        ("not-json", is_text),
        ("html", is_page),
        ("redirect:status=307,location=https://example.com/x", is_redirect),
        ("success-false", is_unsuccessful),
        ("expired", is_expired),
    ],
)
def test_an_answer_may_be_of_another_kind_and_nothing_is_done(
    rule: str, is_as_said: Callable[[requests.Response], bool]
) -> None:
    with failing(rule) as sandbox:
        assert is_as_said(send(sandbox))
        assert contacts(sandbox) == 0


def test_latency_delays_a_proper_answer() -> None:
    with failing("latency:seconds=0.15") as sandbox:
        started = time.monotonic()
        assert send(sandbox).status_code == 200
        assert time.monotonic() - started >= 0.15


def test_every_answer_may_be_late() -> None:
    with Sandbox(SandboxOptions(latency_seconds=0.1)) as sandbox:
        started = time.monotonic()
        assert send(sandbox).status_code == 200
        assert time.monotonic() - started >= 0.1


def test_late_answers_do_not_wait_for_each_other() -> None:
    with Sandbox(SandboxOptions(latency_seconds=0.7)) as sandbox:
        started = time.monotonic()
        with connected(sandbox.url) as one, connected(sandbox.url) as other:
            for link in (one, other):
                link.sendall(post("/contacts", UPSERT))
            assert [Answers(link).next()[0] for link in (one, other)] == [200, 200]
        assert time.monotonic() - started < 1.4


def test_a_schedule_says_what_befalls_each_request() -> None:
    schedule = (FaultRule("503"), None, FaultRule("lost"), None)
    with Sandbox(SandboxOptions(faults=Faults(schedule=schedule))) as sandbox:
        assert send(sandbox).status_code == 503
        assert send(sandbox).status_code == 200
        with pytest.raises(requests.exceptions.ConnectionError):
            send(sandbox)
        assert send(sandbox).status_code == 200
        assert noted(sandbox) == [(503, "503", 0), (200, None, 1), (None, "lost", 1), (200, None, 1)]
        assert sandbox.stats().by_fault == {"503": 1, "lost": 1}
        assert sandbox.stats().by_status == {503: 1, 200: 2}


def test_an_invalid_request_that_is_lost_has_not_acted() -> None:
    with failing("lost") as sandbox:
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.post(f"{sandbox.url}/contacts", json={"contact": {}}, timeout=5)
        assert noted(sandbox) == [(None, "lost", 0)]
