"""Answers of every kind, end to end: what they leave in results.csv, how often they were asked for, the exit code."""

from __future__ import annotations

import json
import logging
import time
from email.utils import formatdate

import pytest
from fault_server import CLOSE, HANG, RESET, Drip, FaultServer, reply
from support import CONTACT, DELETES, EVENTS, mapping_of, results_of, write_csv

import etl
from etl.load.loader import Timing
from etl.targets.client import MAX_ANSWER_BYTES

NO_WAIT = Timing(random=lambda: 0.0)


def send(folder, server, mapping=CONTACT, rows=1, target="", **options):
    """Run `rows` people against `server`, one connection unless told; return the report."""
    folder.mkdir(exist_ok=True)
    config = folder / "etl.toml"
    lines = target if "concurrency" in target else f"{target}\nconcurrency = 1"
    config.write_text(f'[targets.test]\nurl = "{server.url}"\nrate = 10000\ndeadline = 0.5\n{lines}\n')
    file = write_csv(folder / "s.csv", "E-mail;Id\n" + "".join(f"p{n}@example.com;{n}\n" for n in range(rows)))
    options = etl.Options(out=folder / "out", yes=True, **{"timing": NO_WAIT, **options})
    return etl.run(mapping_of(mapping, folder), [file], target="test", config=config, options=options)


GATEWAY_503 = reply(503, {"message": "Service Unavailable"})
LONG = reply(200, b'{"success":true,"x":"' + b"x" * MAX_ANSWER_BYTES + b'"}')
ENDINGS = {
    # answer, given each time: (status, code, part of the message, tries) of an upsert, then of an event
    "400": (reply(400, {"success": False, "messages": ["bad phone", "bad zip"]}),
            ("rejected", "http-400", "bad phone; bad zip", 1), ("rejected", "http-400", "bad phone; bad zip", 1)),
    "404": (reply(404, {"message": "Not Found"}),
            ("rejected", "http-404", "Not Found", 1), ("rejected", "http-404", "Not Found", 1)),
    "409": (reply(409, {"message": "exists"}),
            ("rejected", "http-409", "exists", 1), ("rejected", "http-409", "exists", 1)),
    "413": (reply(413, {"message": "Request Too Long"}),
            ("rejected", "http-413", "Too Long", 1), ("rejected", "http-413", "Too Long", 1)),
    "success false": (reply(200, {"success": False, "message": ["no"]}),
                      ("rejected", "not-successful", "no", 1), ("rejected", "not-successful", "no", 1)),
    "401": (reply(401, {"message": "Unauthorized"}),
            ("failed", "unauthorized", "Unauthorized", 1), ("failed", "unauthorized", "Unauthorized", 1)),
    "403": (reply(403, {"message": "Missing Authentication Token"}),
            ("failed", "forbidden", "Missing Authentication", 1), ("failed", "forbidden", "Missing Authentication", 1)),
    "redirect": (reply(302, b"", location="https://elsewhere.example.com/x?token=1"),
                 ("failed", "redirect", "redirect to elsewhere.example.com; redirects are never followed", 1),
                 ("failed", "redirect", "redirect to elsewhere.example.com", 1)),
    "307": (reply(307, b"", location="/login"), ("failed", "redirect", "another path", 1),
            ("failed", "redirect", "another path", 1)),
    "408": (reply(408), ("failed", "request-timeout", "408", 5), ("unknown", "request-timeout", "408", 1)),
    "500": (reply(500), ("failed", "server-error", "500", 5), ("unknown", "server-error", "500", 1)),
    "501": (reply(501), ("failed", "not-implemented", "501", 1), ("failed", "not-implemented", "501", 1)),
    "502": (reply(502, b"<html><title>Bad Gateway</title>"), ("failed", "server-error", "Bad Gateway", 5),
            ("unknown", "server-error", "Bad Gateway", 1)),
    "503": (GATEWAY_503, ("failed", "unavailable", "Service Unavailable", 5),
            ("failed", "unavailable", "Service Unavailable", 5)),
    "504": (reply(504, {"message": "Endpoint request timed out"}), ("failed", "gateway-timeout", "timed out", 5),
            ("unknown", "gateway-timeout", "timed out", 1)),
    "HTML": (reply(200, b"<html><title>Maintenance</title>", content_type="text/html"),
             ("failed", "html-page", "'Maintenance'", 5), ("unknown", "html-page", "'Maintenance'", 1)),
    "empty": (reply(200, b""), ("failed", "not-json", "the answer is empty", 5),
              ("unknown", "not-json", "the answer is empty", 1)),
    "text": (reply(200, b"OK"), ("failed", "not-json", "not JSON", 5), ("unknown", "not-json", "not JSON", 1)),
    "truncated": ((b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"succ', CLOSE),
                  ("failed", "answer-truncated", "cut off", 5), ("unknown", "answer-truncated", "cut off", 1)),
    "half JSON without a length": ((b'HTTP/1.1 200 OK\r\n\r\n{"success":tr', CLOSE),
                                   ("failed", "not-json", "not JSON", 5), ("unknown", "not-json", "not JSON", 1)),
    "oversized": (LONG, ("failed", "answer-too-large", "longer than", 5),
                  ("unknown", "answer-too-large", "longer than", 1)),
    "dripping": ((b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", Drip(b"z" * 500, 0.05)),
                 ("failed", "timeout", "never ended", 5), ("unknown", "timeout", "never ended", 1)),
    "silence": (HANG, ("failed", "timeout", "no answer in time", 5), ("unknown", "timeout", "no answer in time", 1)),
    "reset": (RESET, ("failed", "connection-reset", "closed before", 5),
              ("unknown", "connection-reset", "closed before", 1)),
}  # fmt: skip


@pytest.mark.parametrize("mapping", [CONTACT, EVENTS], ids=["upsert", "event"])
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_an_answer_ends_in_its_status_code_message_and_number_of_tries(tmp_path, ending, mapping):
    entry, *expected = ending
    status, code, message, tries = expected[mapping is EVENTS]
    with FaultServer([entry]) as server:
        report = send(tmp_path, server, mapping)
    (line,) = results_of(report)
    assert (line["status"], line["code"], int(line["attempts"])) == (status, code, tries)
    assert message in line["message"]
    assert len(server.requests) == tries
    assert report.exit_code == (2 if code in {"unauthorized", "forbidden"} else 1)


def test_what_is_wrong_with_the_settings_is_exit_2_only_where_nothing_arrived_before(tmp_path):
    refused = reply(401, {"message": "Unauthorized"})
    for name, first in {"delivered": reply(), "rejected": reply(400), "unknown": reply(500)}.items():
        with FaultServer([first, refused]) as server:
            report = send(tmp_path / name, server, EVENTS, rows=5)
        assert report.counts == {name: 1, "failed": 1, "blocked": 3}
        assert (report.exit_code, report.stop.code) == (3, "unauthorized")


def test_a_deletion_of_someone_who_is_gone_is_delivered(tmp_path):
    with FaultServer([reply(404, {"message": "Contact not found"})]) as server:
        report = send(tmp_path, server, DELETES)
    (line,) = results_of(report)
    assert (line["status"], line["http_status"], line["code"], report.exit_code) == (
        "delivered",
        "404",
        "already-gone",
        0,
    )


RETRY_AFTER = {"seconds": lambda: "1", "a date": lambda: formatdate(time.time() + 1.9, usegmt=True)}


@pytest.mark.parametrize("value", RETRY_AFTER.values(), ids=RETRY_AFTER)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for_by_all_workers(tmp_path, value, status):
    def script(seen):
        body = {"message": "Service Unavailable"}
        return reply(status, body, retry_after=value(), date=formatdate(usegmt=True)) if seen.number == 0 else reply()

    with FaultServer(script) as server:
        report = send(tmp_path, server, rows=60, target="concurrency = 8")
    assert report.counts == {"delivered": 60}
    first = server.requests[0].at
    assert not [seen for seen in server.requests if 0.3 < seen.at - first < 0.8]


@pytest.mark.parametrize("value", ["-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
def test_a_retry_after_that_means_nothing_holds_nobody(tmp_path, value):
    with FaultServer([reply(429, retry_after=value), reply()]) as server:
        started = time.monotonic()
        assert send(tmp_path, server, rows=3).counts == {"delivered": 3}
    assert time.monotonic() - started < 5


class TestConnections:
    def test_a_connection_that_the_server_closed_while_idle_costs_no_try_and_makes_no_event_unknown(self, tmp_path):
        closing = {n: (reply(), CLOSE) for n in range(0, 12, 3)} | {n: (reply(), RESET) for n in range(1, 12, 3)}
        with FaultServer(lambda seen: closing.get(seen.number, reply())) as server:
            report = send(tmp_path, server, EVENTS, rows=12, rate=10)
        assert [(line["status"], line["attempts"]) for line in results_of(report)] == [("delivered", "1")] * 12
        assert server.connections > 4

    def test_an_upsert_on_a_connection_that_closed_as_we_wrote_is_sent_again_at_once(self, tmp_path):
        with FaultServer([reply(), CLOSE, reply()]) as server:
            report = send(tmp_path, server, rows=3)
        assert [(line["status"], line["attempts"]) for line in results_of(report)] == [
            ("delivered", "1"), ("delivered", "2"), ("delivered", "1"),
        ]  # fmt: skip

    def test_connections_are_kept_and_no_more_than_concurrency(self, tmp_path):
        with FaultServer([reply()]) as server:
            send(tmp_path, server, rows=200, target="concurrency = 5")
        assert server.connections <= 5

    def test_a_rate_holds_over_all_workers(self, tmp_path):
        with FaultServer([reply()]) as server:
            send(tmp_path, server, rows=60, target="concurrency = 16", rate=40)
        times = sorted(seen.at for seen in server.requests)
        for first in range(len(times)):
            within = sum(times[first] <= at < times[first] + 0.5 for at in times)
            assert within <= 40 * 0.5 + 40 * 0.05 + 3


CANARY = "canary-0f9b7c"
PERSON = "zoe.canary-person@example.com"


@pytest.mark.parametrize("auth", ["bearer", "api_key"])
def test_neither_secrets_nor_people_stand_in_logs_or_the_summary_whatever_the_endpoint_echoes(
    tmp_path, monkeypatch, caplog, auth
):
    monkeypatch.setenv("CANARY", CANARY)

    def script(seen):
        echo = {"message": f"no: {json.dumps(seen.headers)} {seen.body.decode()}", "key": CANARY}
        return reply(401, echo, x_amzn_requestid=CANARY)

    caplog.set_level(logging.DEBUG)
    with FaultServer(script) as server:
        config = tmp_path / "etl.toml"
        config.write_text(f'[targets.test]\nurl = "{server.url}"\nauth = "{auth}"\n{auth}_env = "CANARY"\n')
        file = write_csv(tmp_path / "s.csv", f"E-mail;Id\n{PERSON};1\nb@example.com;2\n")
        report = etl.run(
            mapping_of(CONTACT, tmp_path), [file], target="test", config=config, options=etl.Options(out=tmp_path / "o")
        )
    assert any(CANARY in value for value in server.requests[0].headers.values())
    told = caplog.text + report.summary_path.read_text() + repr(report)
    assert CANARY not in told + report.results_path.read_text()
    assert PERSON not in told


WRONG = {"no connections": {"concurrency": 0}, "no rate": {"rate": 0.0}, "a rate that is none": {"rate": float("nan")}}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG)
def test_a_rate_or_concurrency_that_cannot_be_is_refused(tmp_path, options):
    with FaultServer([reply()]) as server, pytest.raises(etl.SettingsError, match=next(iter(options))):
        send(tmp_path, server, **options)
    assert server.requests == []


def test_a_missing_secret_is_told_before_the_file_is_read(tmp_path, monkeypatch):
    monkeypatch.delenv("CANARY", raising=False)
    with FaultServer([reply()]) as server, pytest.raises(etl.SettingsError, match="CANARY"):
        send(tmp_path, server, target='auth = "bearer"\nbearer_env = "CANARY"')
    assert not (tmp_path / "out").exists()
