"""The transport against a real server that misbehaves byte by byte."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
from contextlib import closing, contextmanager

import pytest

from etl.records import Endpoint
from etl.settings import Credentials, Secret, TargetSettings
from etl.targets.auth import Anonymous, FixedHeader, Kept, signer_for
from etl.targets.base import NoAnswer
from etl.targets.client import MAX_ANSWER_BYTES, HttpTransport
from tests.fault_server import CLOSE, HANG, RESET, Drip, FaultServer, reply

UPSERT = Endpoint("POST", "/contacts")
DELETE = Endpoint("DELETE", "/contacts")
BODY = '{"contact":{"email":"zoë@example.com"}}'.encode()


@contextmanager
def transport(url, signer=None, **settings):
    target = TargetSettings(name="t", url=url, **{"deadline": 5.0, "connect_timeout": 2.0, **settings})
    with closing(HttpTransport(target, signer or Anonymous())) as made:
        yield made


def test_method_path_body_and_headers_arrive_as_they_are():
    with FaultServer([reply()]) as server, transport(server.url + "/Production/") as sender:
        answer = sender.send(DELETE, BODY)
    seen = server.requests[0]
    assert (answer.status, answer.no_answer, json.loads(answer.body)) == (200, None, {"success": True})
    assert (seen.method, seen.path, seen.body) == ("DELETE", "/Production/contacts", BODY)
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["content-length"] == str(len(BODY))
    assert seen.headers["user-agent"].startswith("salesmanago-etl/")


def test_a_get_without_a_body_has_no_content_length():
    with FaultServer([reply(404)]) as server, transport(server.url) as sender:
        assert sender.send(Endpoint("GET", "/"), b"").status == 404
    assert "content-length" not in server.requests[0].headers


def test_the_connection_is_kept_alive():
    with FaultServer([reply()]) as server, transport(server.url) as sender:
        for _ in range(5):
            assert sender.send(UPSERT, BODY).status == 200
    assert server.connections == 1


def test_header_names_are_lower_case():
    with FaultServer([reply(x_amzn_requestid="abc")]) as server, transport(server.url) as sender:
        assert sender.send(UPSERT, BODY).headers["x-amzn-requestid"] == "abc"


FAULTS = {
    "reset": (RESET, None, NoAnswer.RESET),
    "closed before an answer": (CLOSE, None, NoAnswer.RESET),
    "half a head and reset": ((b"HTTP/1.1 20", RESET), None, NoAnswer.RESET),
    "no HTTP": ((b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE), None, NoAnswer.TRUNCATED),
    "cut body": ((b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"succ', CLOSE), 200, NoAnswer.TRUNCATED),
    "reset in the body": ((b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"s', RESET), 200, NoAnswer.TRUNCATED),
    "cut in the middle of the head": ((b"HTTP/1.1 200 OK\r\nContent-Ty", CLOSE), 200, NoAnswer.TRUNCATED),
    "cut after the first line": ((b"HTTP/1.1 404 Not Found\r\n", CLOSE), 404, NoAnswer.TRUNCATED),
    "cut chunks": ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", CLOSE), 200, NoAnswer.TRUNCATED),
    "too large": (reply(200, b"x" * (MAX_ANSWER_BYTES + 1)), 200, NoAnswer.TOO_LARGE),
    "too large without a length": (
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_ANSWER_BYTES + 70_000), CLOSE), 200, NoAnswer.TOO_LARGE,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "status", "no_answer"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_its_name_and_the_next_request_is_well(entry, status, no_answer):
    with FaultServer([entry, reply()]) as server, transport(server.url) as sender:
        first, second = sender.send(UPSERT, BODY), sender.send(UPSERT, BODY)
    assert (first.status, first.no_answer) == (status, no_answer)
    assert (second.status, second.no_answer) == (200, None)
    assert len(server.requests) == 2


def test_nothing_is_ever_sent_twice_by_itself():
    with FaultServer([reply(), RESET, reply()]) as server, transport(server.url) as sender:
        sender.send(UPSERT, BODY)
        assert sender.send(UPSERT, BODY).no_answer is NoAnswer.RESET
    assert len(server.requests) == 2


def test_a_reset_on_a_kept_connection_is_ambiguous():
    with FaultServer([reply(), CLOSE]) as server, transport(server.url) as sender:
        sender.send(UPSERT, BODY)
        answer = sender.send(UPSERT, BODY)
    assert (answer.status, answer.no_answer) == (None, NoAnswer.RESET)
    assert server.connections == 1


def test_a_connection_closed_while_idle_is_replaced_without_a_fault():
    with FaultServer([(reply(), CLOSE), reply()]) as server, transport(server.url) as sender:
        sender.send(UPSERT, BODY)
        time.sleep(0.1)
        assert sender.send(UPSERT, BODY).status == 200
    assert server.connections == 2


LATE = {
    "silence": HANG,
    "dripping head": Drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 500, 0.05),
    "dripping body": (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", Drip(b"z" * 500, 0.05)),
    "dripping body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", Drip(b"z" * 500, 0.05)),
    "dripping chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n", Drip(b"z" * 500, 0.05),
    ),
    "continue for ever": Drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 20, 0.02),
}  # fmt: skip


@pytest.mark.parametrize("entry", LATE.values(), ids=LATE)
def test_a_request_takes_its_deadline_and_no_longer(entry):
    with FaultServer([entry, reply()]) as server, transport(server.url, deadline=0.4) as sender:
        started = time.monotonic()
        answer = sender.send(UPSERT, BODY)
        took = time.monotonic() - started
        again = sender.send(UPSERT, BODY)
    assert answer.no_answer is NoAnswer.TIMEOUT
    assert 0.3 < took < 1.0
    assert again.status == 200


def test_a_deadline_holds_on_a_kept_connection_too():
    with FaultServer([reply(), Drip(b"H" * 500, 0.05)]) as server, transport(server.url, deadline=0.4) as sender:
        sender.send(UPSERT, BODY)
        started = time.monotonic()
        assert sender.send(UPSERT, BODY).no_answer is NoAnswer.TIMEOUT
        assert time.monotonic() - started < 1.0


def test_a_refused_connection_never_arrived():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with transport(f"http://127.0.0.1:{port}") as sender:
        answer = sender.send(UPSERT, BODY)
    assert (answer.status, answer.no_answer) == (None, NoAnswer.NOT_CONNECTED)
    assert answer.detail == "no connection: Connection refused"


def test_an_unknown_host_never_arrived():
    with transport("https://no-such-host.invalid") as sender:
        answer = sender.send(UPSERT, BODY)
    assert (answer.no_answer, answer.detail) == (NoAnswer.NOT_CONNECTED, "the host's name is not known")


def test_a_connection_that_is_not_accepted_in_time_never_arrived():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # The queue of a listener that accepts nobody is full after a few; from then on connecting hangs.
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        with transport(f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=0.2) as sender:
            answer = sender.send(UPSERT, BODY)
        for one in waiting:
            one.close()
    assert (answer.no_answer, answer.detail) == (NoAnswer.NOT_CONNECTED, "no connection in time")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_takes_no_credentials_along(status):
    signer = FixedHeader("Authorization", Kept(Credentials(Secret("canary-1234"))), "Bearer ")
    with (
        FaultServer([reply()]) as elsewhere,
        FaultServer([reply(status, location=elsewhere.url)]) as server,
        transport(server.url, signer) as sender,
    ):
        answer = sender.send(UPSERT, BODY)
    assert (answer.status, answer.headers["location"]) == (status, elsewhere.url)
    assert elsewhere.connections == 0


def test_the_environment_changes_nothing(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine localhost login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with FaultServer([reply(set_cookie="a=b"), reply()]) as server, transport(server.url) as sender:
        assert [sender.send(UPSERT, BODY).status for _ in range(2)] == [200, 200]
    assert not {"authorization", "cookie"} & server.requests[1].headers.keys()


def test_no_secret_comes_back_in_an_answer():
    secret = "canary/secret+1234"
    echo = reply(403, {"message": f"bad key {secret}"}, x_echo=secret)
    with (
        FaultServer([echo]) as server,
        transport(server.url, FixedHeader("x-api-key", Kept(Credentials(Secret(secret))))) as sender,
    ):
        answer = sender.send(UPSERT, BODY)
    assert server.requests[0].headers["x-api-key"] == secret
    assert secret not in repr(answer)
    assert json.loads(answer.body) == {"message": "bad key ***"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def test_a_certificate_nobody_vouches_for_is_refused(certificate):
    with FaultServer([reply()], tls=certificate[0]) as server, transport(server.url) as sender:
        answer = sender.send(UPSERT, BODY)
    assert (answer.status, answer.no_answer) == (None, NoAnswer.TLS)
    assert "not trusted" in answer.detail
    assert server.requests == []


def test_a_company_certificate_is_trusted_where_the_settings_name_it(certificate):
    context, path = certificate
    with FaultServer([reply()], tls=context) as server, transport(server.url, ca_file=path) as sender:
        assert [sender.send(UPSERT, BODY).status for _ in range(3)] == [200, 200, 200]
    assert server.connections == 1


@pytest.mark.parametrize("entry", [v for k, v in LATE.items() if "continue" not in k])
def test_the_deadline_holds_under_tls(certificate, entry):
    context, path = certificate
    with FaultServer([entry], tls=context) as server, transport(server.url, ca_file=path, deadline=0.4) as sender:
        started = time.monotonic()
        assert sender.send(UPSERT, BODY).no_answer is NoAnswer.TIMEOUT
        assert time.monotonic() - started < 1.0


def test_a_handshake_that_never_ends_never_arrived():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}"
        with transport(url, connect_timeout=0.3) as sender:
            assert sender.send(UPSERT, BODY).no_answer is NoAnswer.NOT_CONNECTED


def test_speaking_tls_to_a_plain_server_is_a_lasting_fault():
    with FaultServer(lambda _: reply()) as server, transport(server.url.replace("http:", "https:")) as sender:
        answer = sender.send(UPSERT, BODY)
    assert answer.no_answer in {NoAnswer.TLS, NoAnswer.NOT_CONNECTED}


def test_every_try_is_signed_anew():
    moments = iter([1_700_000_000.0, 1_700_000_400.0])
    keys = Credentials(Secret("s" * 40), Secret("AKIDEXAMPLE"))
    target = TargetSettings(name="t", url="https://example.com", auth="sigv4")
    signer = signer_for(target, keys, lambda: next(moments))
    with FaultServer([reply(503), reply()]) as server, transport(server.url, signer) as sender:
        sender.send(UPSERT, BODY)
        sender.send(UPSERT, BODY)
    dates = [seen.headers["x-amz-date"] for seen in server.requests]
    assert dates == ["20231114T221320Z", "20231114T222000Z"]
