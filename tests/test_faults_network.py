"""The network ails, and the endpoint with it: what is told of every row is what became of it.

Answers of each kind stand in test_delivery_answers.py, byte by byte in targets/test_transport.py; here is what only a
whole run shows: how much is asked of an endpoint that refuses, who else is told, and that nothing is told that is not.
"""

from __future__ import annotations

import ssl
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from fault_runs import hold, send
from fault_server import FaultServer, reply
from support import CONTACT, EVENTS, results_of, rig
from toxic_proxy import KINDS, Toxic, ToxicProxy

from etl.load.loader import Timing
from etl.sandbox import FaultRule, Faults

pytestmark = pytest.mark.timeout(30)

MAPPINGS = {"upsert": CONTACT, "event": EVENTS}
AMBIGUOUS = {"connection-reset", "timeout", "answer-truncated", "not-json"}
MILD = {
    "latency": [Toxic("latency", seconds=0.05, jitter=0.04), Toxic("latency", "up", seconds=0.01)],
    "bandwidth": [Toxic("bandwidth", per_second=4_000), Toxic("bandwidth", "up", per_second=6_000)],
    "slow_close": [Toxic("slow_close", seconds=0.3), Toxic("slow_close", "up", seconds=0.3)],
    "slicer": [Toxic("slicer", size=30, seconds=0.002), Toxic("slicer", "up", size=7, seconds=0.0005)],
    "all mild ones": [
        Toxic("latency", seconds=0.01), Toxic("slicer", size=60), Toxic("bandwidth", "up", per_second=20_000),
    ],
}  # fmt: skip


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS)
@pytest.mark.parametrize("toxics", MILD.values(), ids=MILD)
def test_what_is_merely_slow_or_in_pieces_is_delivered_at_the_first_try(tmp_path, toxics, mapping):
    with rig(tmp_path) as server, ToxicProxy(server.sandbox.url, toxics) as proxy:
        report = send(tmp_path, proxy.url, mapping, target="deadline = 5")
    assert hold(report, server.database, 12) == {"delivered": 12}
    assert report.delivery["retries"] == 0


HARSH = {
    # The first connections ail (`every` third), those made anew do not.
    "latency beyond the deadline": ([Toxic("latency", seconds=3, every=3)], {"timeout"}),
    "bandwidth of a trickle": ([Toxic("bandwidth", per_second=100, every=3)], {"timeout"}),
    "timeout of the answer": ([Toxic("timeout", seconds=0.2, every=3)], {"connection-reset"}),
    "timeout of the request": ([Toxic("timeout", "up", seconds=0.2, every=3)], {"connection-reset"}),
    "silence": ([Toxic("timeout", seconds=9, every=3)], {"timeout"}),
    "reset at once": ([Toxic("reset_peer", every=3)], {"connection-reset"}),
    "reset before the request is passed on": ([Toxic("reset_peer", "up", every=3)], {"connection-reset"}),
    "reset later": ([Toxic("reset_peer", seconds=0.1, every=3)], {"connection-reset"}),
    "no more than 40 bytes of the answer": ([Toxic("limit_data", size=40, every=3)], {"answer-truncated"}),
    "no more than the head": ([Toxic("limit_data", size=300, every=3)], {"answer-truncated"}),
    "no more than 100 bytes of the request": ([Toxic("limit_data", "up", size=100, every=3)], {"connection-reset"}),
    "one answer, then the end of the next": ([Toxic("limit_data", size=500, every=2)], {"answer-truncated"}),
}


@pytest.mark.parametrize(("toxics", "codes"), HARSH.values(), ids=HARSH)
def test_what_breaks_on_some_connections_loses_no_upsert_and_doubles_no_event(tmp_path, toxics, codes):
    with rig(tmp_path) as server, ToxicProxy(server.sandbox.url, toxics) as proxy:
        upserts = send(tmp_path / "upserts", proxy.url)
        assert hold(upserts, server.database, 12) == {"delivered": 12}
        events = send(tmp_path / "events", proxy.url, EVENTS)
        counts = hold(events, server.database, 12)
    assert upserts.delivery["retries"] > 0
    assert counts["unknown"] > 0
    assert counts["unknown"] + counts["delivered"] == 12
    assert {code for _, code, _, _ in events.outcomes} <= codes


def test_the_proxy_has_all_eight_toxics_and_each_is_used():
    used = {
        toxic.kind for table in (MILD.values(), [toxics for toxics, _ in HARSH.values()]) for t in table for toxic in t
    }
    assert used | {"down"} == set(KINDS)


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS)
def test_an_endpoint_that_is_down_for_a_moment_costs_tries_and_no_rows(tmp_path, mapping):
    with rig(tmp_path, latency_seconds=0.01) as server, ToxicProxy(server.sandbox.url) as proxy:

        def interrupt():
            while server.sandbox.stats().requests < 20:
                time.sleep(0.005)
            proxy.toxics = [Toxic("down")]
            time.sleep(0.3)
            proxy.toxics = []

        meddler = threading.Thread(target=interrupt)
        meddler.start()
        report = send(tmp_path, proxy.url, mapping, rows=120, timing=Timing(random=lambda: 0.9))
        meddler.join()
    counts = hold(report, server.database, 120)
    assert counts["delivered"] + counts["unknown"] == 120
    # What was in flight, no more: a refused connection certainly carried nothing.
    assert counts["unknown"] <= (4 if mapping is EVENTS else 0)
    assert report.delivery["retries"] > 0


BURST = 9
SOON = Timing(random=lambda: 0.1)
"""Waits of 50, 100, 200 and 400 ms between tries."""
BURSTS = {"500": 0, "502": 0, "503": BURST, "504": 0}
"""How many events of a burst are delivered in the end: the gateway's 503 alone says that nothing was done."""


@pytest.mark.parametrize("kind", BURSTS)
def test_a_burst_of_errors_is_outlived_with_as_many_requests_more_and_no_others(tmp_path, kind):
    with rig(tmp_path, faults=Faults((FaultRule(kind, after=10, count=BURST),))) as server:
        report = send(tmp_path, server.sandbox.url, rows=40, timing=SOON)
    assert hold(report, server.database, 40) == {"delivered": 40}
    assert len(server.requests()) == 40 + BURST


@pytest.mark.parametrize(("kind", "delivered"), BURSTS.items(), ids=BURSTS)
def test_events_of_a_burst_are_unknown_but_where_the_gateway_says_that_nothing_was_done(tmp_path, kind, delivered):
    with rig(tmp_path, faults=Faults((FaultRule(kind, after=10, count=BURST, acted=not delivered),))) as server:
        report = send(tmp_path, server.sandbox.url, EVENTS, rows=40, timing=SOON)
    counts = hold(report, server.database, 40)
    assert counts == (Counter(delivered=40) if delivered else Counter(delivered=40 - BURST, unknown=BURST))
    assert len(server.requests()) == 40 + delivered


@pytest.mark.parametrize("kind", BURSTS)
def test_errors_for_good_stop_the_run_long_before_every_row_was_tried(tmp_path, kind):
    with rig(tmp_path, faults=Faults((FaultRule(kind),))) as server:
        report = send(tmp_path, server.sandbox.url, rows=600, target="patience = 0.1")
    assert hold(report, server.database, 600) == {"failed": 600}
    assert (report.exit_code, report.stop.code) == (3, "endpoint-down")
    assert len(server.requests()) < 200


REFUSALS = {
    "401": (reply(401, {"message": "Unauthorized"}), "unauthorized"),
    "403": (reply(403, {"message": "Missing Authentication Token"}), "forbidden"),
    "403 of a firewall": (reply(403, b"<html><title>Blocked</title>", content_type="text/html"), "forbidden"),
    "403 of wrong keys": (
        reply(403, {"message": "The security token included in the request is invalid."}), "wrong-keys",
    ),
    "404 of a wrong address": (reply(404, {"message": "No method found matching route x for POST."}), "wrong-address"),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "code"), REFUSALS.values(), ids=REFUSALS)
def test_an_endpoint_that_refuses_everybody_is_asked_once_per_connection_at_most(tmp_path, entry, code):
    with FaultServer([entry]) as server:
        report = send(tmp_path, server.url, rows=500, target="concurrency = 8")
    assert (report.exit_code, report.stop.code) == (2, code)
    assert 1 <= len(server.requests) <= 8
    assert report.counts["blocked"] >= 500 - 8
    assert set(report.counts) <= {"blocked", "failed", "rejected"}


def test_a_session_that_expires_in_the_middle_stops_the_run_and_keeps_what_was_delivered(tmp_path, monkeypatch):
    for name, value in {"ACCESS_KEY_ID": "ASIAEXAMPLE", "SECRET_ACCESS_KEY": "s" * 40, "SESSION_TOKEN": "t"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    expired = reply(403, {"message": "The security token included in the request is expired"})
    with FaultServer(lambda seen: reply() if seen.number < 30 else expired) as server:
        report = send(tmp_path, server.url, rows=500, target='auth = "sigv4"\nconcurrency = 8')
    assert all(seen.headers["x-amz-security-token"] == "t" for seen in server.requests)
    assert report.counts["delivered"] == 30
    assert report.counts["blocked"] >= 500 - 30 - 8
    assert report.exit_code == 3
    assert len(server.requests) <= 30 + 2 * 8


@pytest.mark.parametrize(("status", "auth"), [(301, "sigv4"), (302, "bearer"), (307, "sigv4"), (308, "bearer")])
def test_a_redirect_elsewhere_leads_nobody_there(tmp_path, monkeypatch, auth, status):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 40)
    monkeypatch.setenv("TOKEN", "canary-token-1234")
    lines = 'auth = "sigv4"' if auth == "sigv4" else 'auth = "bearer"\nbearer_env = "TOKEN"'
    with (
        FaultServer([reply()]) as elsewhere,
        FaultServer([reply(status, b"", location=f"{elsewhere.url}/contacts")]) as server,
    ):
        report = send(tmp_path, server.url, rows=5, target=lines)
    assert report.counts == {"failed": 5}
    assert {line["code"] for line in results_of(report)} == {"redirect"}
    assert len(server.requests) == 5
    assert elsewhere.connections == 0


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS)
def test_a_host_without_an_address_is_an_endpoint_that_is_down_and_nothing_is_unknown(tmp_path, mapping):
    report = send(tmp_path, "https://no-such-host.invalid", mapping, rows=4, target="patience = 0.1")
    assert report.counts == {"failed": 4}
    assert (report.exit_code, report.stop.code) == (3, "endpoint-down")
    assert report.stop.message.endswith("the host's name is not known")


AUTHORITY = """[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = names
[names]
commonName = supplied
"""


def certificate(folder: Path, name: str, until: str) -> tuple[ssl.SSLContext, str]:
    """Return a server's side of TLS, and the file of its certificate: for `name`, good until YYYYMMDD."""
    (folder / "ca.cnf").write_text(AUTHORITY)
    (folder / "names.cnf").write_text(f"subjectAltName=DNS:{name}\n")
    (folder / "index.txt").touch()
    asked = f"openssl req -new -newkey rsa:2048 -nodes -subj /CN={name} -keyout key.pem -out asked.pem"
    signed = (
        "openssl ca -batch -selfsign -config ca.cnf -extfile names.cnf -keyfile key.pem -in asked.pem -out cert.pem "
        f"-startdate 20200101000000Z -enddate {until}000000Z"
    )
    for command in (asked, signed):
        try:
            subprocess.run(command.split(), check=True, capture_output=True, cwd=folder)
        except FileNotFoundError:
            pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


CERTIFICATES = {
    "of nobody known": ("localhost", "20491231", False, "self-signed certificate"),
    "of another host": ("other.example.com", "20491231", True, "Hostname mismatch"),
    "that has expired": ("localhost", "20210101", True, "certificate has expired"),
}


@pytest.mark.parametrize(("name", "until", "known", "reason"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_wrong_certificate_stops_the_run_before_a_byte_of_it_is_sent(tmp_path, name, until, known, reason):
    context, path = certificate(tmp_path, name, until)
    lines = f"concurrency = 8\n{f'ca_file = {path!r}' if known else ''}"
    with FaultServer([reply()], tls=context) as server:
        report = send(tmp_path, server.url, EVENTS, rows=300, target=lines)
    assert (report.exit_code, report.stop.code) == (2, "tls")
    assert reason in report.stop.message
    assert server.requests == []
    # A failed handshake is not tried again.
    assert server.connections <= 8
    assert report.counts["blocked"] >= 300 - 8
    assert set(report.counts) <= {"blocked", "failed"}
