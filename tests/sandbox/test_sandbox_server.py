from __future__ import annotations

import json
import random
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from raw_client import UPSERT, Answers, connected, post, read_all

from etl.errors import SettingsError
from etl.sandbox import FaultRule, Faults, Sandbox, SandboxOptions


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def test_the_three_actions_are_carried_out_and_confirmed(sandbox: Sandbox) -> None:
    contacts, events = f"{sandbox.url}/contacts", f"{sandbox.url}/events"
    upserted = requests.post(contacts, json=UPSERT, timeout=5)
    created = requests.post(events, json={"email": "anna@example.com", "value": 12.5}, timeout=5)
    assert (upserted.status_code, created.status_code) == (200, 200)
    assert [row["email"] for row in sandbox.rows("SELECT email FROM contacts")] == ["anna@example.com"]
    assert [row["value"] for row in sandbox.rows("SELECT value FROM events")] == [12.5]
    deleted = requests.delete(contacts, json={"email": "ANNA@example.com"}, timeout=5)
    again = requests.delete(contacts, json={"email": "ANNA@example.com"}, timeout=5)
    assert deleted.status_code == 200
    assert (again.status_code, again.json()["success"], again.json()["messages"]) == (404, False, ["Contact not found"])
    assert sandbox.rows("SELECT * FROM contacts") == []
    assert [row["email"] for row in sandbox.rows("SELECT email FROM deletions")] == ["anna@example.com"]


def test_an_answer_has_the_documented_body_and_headers(sandbox: Sandbox) -> None:
    response = requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=5)
    body = response.json()
    assert list(body) == ["success", "messages", "requestId", "key"]
    assert (body["success"], body["messages"]) == (True, ["Contact upserted"])
    assert response.headers["x-amzn-RequestId"] == body["requestId"]
    assert parsedate_to_datetime(response.headers["Date"]) is not None


def test_request_ids_are_the_same_for_the_same_seed() -> None:
    found = []
    for seed in (1, 1, 2):
        with Sandbox(SandboxOptions(seed=seed)) as sandbox:
            found.append(requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=5).json()["requestId"])
    assert found[0] == found[1] != found[2]


def test_what_breaks_the_contract_is_refused_and_stores_nothing(sandbox: Sandbox) -> None:
    response = requests.post(f"{sandbox.url}/contacts", json={"contact": {"email": "anna"}, "tags": "A"}, timeout=5)
    assert response.status_code == 400
    assert response.json()["messages"] == [
        "$.contact.email: is not an e-mail address",
        "$.tags: must be of type array",
    ]
    assert sandbox.rows("SELECT * FROM contacts") == []


def test_a_body_that_is_not_json_is_refused(sandbox: Sandbox) -> None:
    for body in (b"", b"{", b'{"contact":{"email":"\xff@example.com"}}', b'{"value":NaN}'):
        response = requests.post(f"{sandbox.url}/contacts", data=body, timeout=5)
        assert response.status_code == 400
        assert response.json()["messages"][0].startswith("$: the body is not JSON: ")


@pytest.mark.parametrize(
    ("wire", "statuses"), [("fields", (200, 400)), ("envelope", (400, 200)), ("either", (200, 200))]
)
def test_only_the_configured_wire_form_is_accepted(wire: Any, statuses: tuple[int, int]) -> None:
    enveloped = {"data": {"email": "anna@example.com", "segment": ["a"]}, "group_key": "main"}
    with Sandbox(SandboxOptions(wire=wire)) as sandbox:
        answers = [requests.post(f"{sandbox.url}/contacts", json=body, timeout=5) for body in (UPSERT, enveloped)]
    assert tuple(answer.status_code for answer in answers) == statuses


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Production/contacts"),
        ("PUT", "/Production/contacts"),
        ("DELETE", "/Production/events"),
        ("POST", "/Production/contacts/"),
        ("POST", "/Production/products"),
        ("POST", "/contacts"),
        ("GET", "/"),
    ],
)
def test_an_unknown_route_is_a_missing_token_as_the_gateway_has_it(method: str, path: str) -> None:
    with Sandbox(SandboxOptions(base_path="/Production")) as sandbox:
        root = sandbox.url.removesuffix("/Production")
        response = requests.request(method, root + path, json=UPSERT, timeout=5)
    assert (response.status_code, response.json()) == (403, {"message": "Missing Authentication Token"})


def test_every_request_is_recorded_as_it_came_and_in_order(sandbox: Sandbox) -> None:
    bodies = [b' { "email" : "a@example.com" }\n', b"nonsense", b'{"email":"A@example.com","value":1.50}']
    for body in bodies:
        requests.post(f"{sandbox.url}/events?x=1", data=body, timeout=5)
    rows = sandbox.rows("SELECT * FROM requests ORDER BY seq")
    assert [row["body"] for row in rows] == bodies
    assert [row["sha256"] for row in rows] == [sha256(body).hexdigest() for body in bodies]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    told = [(r["method"], r["path"], r["wire"], r["person"], r["status"], r["acted"], r["fault"]) for r in rows]
    assert told == [
        ("POST", "/events", "fields", "a@example.com", 200, 1, None),
        ("POST", "/events", None, "", 400, 0, None),
        ("POST", "/events", "fields", "a@example.com", 200, 1, None),
    ]


def test_an_envelope_without_any_address_is_refused(sandbox: Sandbox) -> None:
    body = {"data": {"name": "Anna"}, "group_key": "main"}
    response = requests.post(f"{sandbox.url}/contacts", json=body, timeout=5)
    assert (response.status_code, response.json()["messages"]) == (
        400,
        ["$.data: no attribute holds the contact's e-mail address"],
    )


def test_no_header_is_recorded(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/contacts", json=UPSERT, headers={"Authorization": "s3cret"}, timeout=5)
    assert "s3cret" not in str(sandbox.rows("SELECT * FROM requests"))
    assert b"s3cret" not in sandbox.database.read_bytes()


def test_many_connections_at_once_lose_nothing(sandbox: Sandbox) -> None:
    def send(lane: int) -> list[int]:
        with requests.Session() as session:
            return [
                session.post(
                    f"{sandbox.url}/contacts",
                    json={"contact": {"email": f"p{lane}@example.com", "name": f"{number}"}},
                    timeout=10,
                ).status_code
                for number in range(20)
            ]

    with ThreadPoolExecutor(16) as pool:
        statuses = [status for lane in pool.map(send, range(16)) for status in lane]
    assert statuses == [200] * 320
    assert {row["name"] for row in sandbox.rows("SELECT name FROM contacts")} == {"19"}
    orders: dict[str, list[int]] = {}
    for row in sandbox.rows("SELECT person, body FROM requests ORDER BY seq"):
        orders.setdefault(row["person"], []).append(int(json.loads(row["body"])["contact"]["name"]))
    assert all(order == list(range(20)) for order in orders.values())
    assert sandbox.stats().requests == 320


def test_pipelined_requests_are_answered_in_order(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        link.sendall(b"".join(post("/events", {"externalId": str(number)}) for number in range(200)))
        answers = Answers(link)
        assert [answers.next()[0] for _ in range(200)] == [200] * 200
    stored = [row["external_id"] for row in sandbox.rows("SELECT external_id FROM events ORDER BY id")]
    assert stored == [str(number) for number in range(200)]


def test_a_delayed_answer_holds_back_the_ones_behind_it() -> None:
    faults = Faults(schedule=(FaultRule("latency", seconds=0.2), None))
    with Sandbox(SandboxOptions(faults=faults)) as sandbox, connected(sandbox.url) as link:
        link.sendall(post("/events", {"value": 1}) + post("/events", {"value": "wrong"}))
        answers = Answers(link)
        assert [answers.next()[0], answers.next()[0]] == [200, 400]


def test_a_request_in_single_bytes_is_understood(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post("/contacts", UPSERT):
            link.sendall(bytes([byte]))
        assert Answers(link).next()[0] == 200


def test_a_chunked_body_is_understood(sandbox: Sandbox) -> None:
    pieces = (piece for piece in (b'{"contact":{"email":', b'"anna@example.com"}}'))
    assert requests.post(f"{sandbox.url}/contacts", data=pieces, timeout=5).status_code == 200


def test_the_client_is_told_to_continue(sandbox: Sandbox) -> None:
    body = json.dumps(UPSERT).encode()
    whole = post("/contacts", body, "Expect: 100-continue")
    with connected(sandbox.url) as link:
        link.sendall(whole[: -len(body)])
        assert link.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(body)
        assert Answers(link).next()[0] == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        head = b"POST /contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\nExpect: 100-continue\r\n\r\n"
        link.sendall(head)
        status, headers, body = Answers(link).next()
    assert (status, headers["connection"], json.loads(body)) == (413, "close", {"message": "Request Too Large"})


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_that_is_too_large_is_refused_once_it_is_sent(sandbox: Sandbox, chunked: bool) -> None:
    body = b" " * (10 * 1024 * 1024 + 1)
    response = requests.post(f"{sandbox.url}/contacts", data=iter([body]) if chunked else body, timeout=30)
    assert (response.status_code, response.json()) == (413, {"message": "Request Too Large"})
    assert [row["status"] for row in sandbox.rows("SELECT status FROM requests")] == [413]


def test_a_body_of_ten_megabytes_is_taken(sandbox: Sandbox) -> None:
    body = json.dumps(UPSERT).encode().ljust(10 * 1024 * 1024)
    assert requests.post(f"{sandbox.url}/contacts", data=body, timeout=30).status_code == 200


def test_http_1_0_is_answered_and_the_connection_ended(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT, version="1.0"))
        answer = read_all(link)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer


def test_http_1_0_may_keep_the_connection(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        answers = Answers(link)
        for _ in range(2):
            link.sendall(post("/contacts", UPSERT, "Connection: keep-alive", version="1.0"))
            status, headers, _ = answers.next()
            assert (status, headers["connection"]) == (200, "keep-alive")


def test_head_is_answered_without_a_body(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        link.sendall(b"HEAD /contacts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = read_all(link)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.endswith(b"\r\n\r\n")


def test_a_client_that_half_closes_gets_its_answer(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT))
        link.shutdown(socket.SHUT_WR)
        assert read_all(link).startswith(b"HTTP/1.1 200 OK\r\n")


NONSENSE = [
    b"\r\n\r\n\r\n \r\n",
    b"GET\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /contacts HTTP/9.9\r\n\r\n",
    b"POST /contacts HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"POST /contacts HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST /contacts HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /contacts HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\nxx",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\x00\x01",
    b"GET / HTTP/1.1\r\n" + b"x-long: " + b"y" * 70_000 + b"\r\n\r\n",
    b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /contacts HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 999999999999\r\n\r\n",
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda sent: repr(sent[:40]))
def test_what_is_not_http_ends_its_own_connection_alone(sandbox: Sandbox, nonsense: bytes) -> None:
    with connected(sandbox.url) as link:
        link.sendall(nonsense)
        link.shutdown(socket.SHUT_WR)
        try:
            answer = read_all(link)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=5).status_code == 200


def test_random_bytes_never_stop_the_sandbox(sandbox: Sandbox) -> None:
    chance = random.Random(7)
    whole = post("/contacts", UPSERT)
    for _ in range(200):
        mutated = bytearray(whole)
        for _ in range(chance.randrange(1, 8)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        with connected(sandbox.url) as link:
            link.sendall(bytes(mutated[: chance.randrange(1, len(mutated) + 1)]))
    assert requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=5).status_code == 200


def test_a_good_request_is_answered_before_the_nonsense_behind_it(sandbox: Sandbox) -> None:
    with connected(sandbox.url) as link:
        link.sendall(post("/contacts", UPSERT) + b"\x00\x01nonsense\r\n\r\n")
        answers = Answers(link)
        assert [answers.next()[0], answers.next()[0]] == [200, 400]


def test_a_locked_database_is_an_internal_error_and_no_more(sandbox: Sandbox) -> None:
    lock = sqlite3.connect(sandbox.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    refused = requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=10)
    lock.execute("ROLLBACK")
    lock.close()
    assert (refused.status_code, refused.json()) == (500, {"message": "Internal server error"})
    assert sandbox.rows("SELECT * FROM contacts") == []
    assert requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=5).status_code == 200


def test_the_database_can_be_looked_at_while_it_is_written(sandbox: Sandbox) -> None:
    eyes = sqlite3.connect(sandbox.database, isolation_level=None)
    eyes.execute("BEGIN")
    assert eyes.execute("SELECT count(*) FROM contacts").fetchone() == (0,)
    assert requests.post(f"{sandbox.url}/contacts", json=UPSERT, timeout=5).status_code == 200
    assert eyes.execute("SELECT count(*) FROM contacts").fetchone() == (0,)
    eyes.execute("ROLLBACK")
    assert eyes.execute("SELECT count(*) FROM contacts").fetchone() == (1,)
    eyes.close()


def test_a_temporary_database_goes_and_a_named_one_stays(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        temporary = sandbox.database
    assert not temporary.exists()
    named = tmp_path / "kept.db"
    for _ in range(2):
        with Sandbox(SandboxOptions(database=named)) as sandbox:
            requests.post(f"{sandbox.url}/events", json={"value": 1}, timeout=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.db"]
    with sqlite3.connect(named) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (2,)
    connection.close()


def test_stopping_twice_and_with_open_connections_is_no_fault() -> None:
    threads = threading.active_count()
    sandbox = Sandbox(SandboxOptions(faults=Faults((FaultRule("hang", route="/events"),))))
    sandbox.start()
    with connected(sandbox.url) as idle, connected(sandbox.url) as hanging:
        hanging.sendall(post("/events", {"value": 1}))
        idle.sendall(post("/contacts", UPSERT))
        assert Answers(idle).next()[0] == 200
        sandbox.stop()
        sandbox.stop()
    assert threading.active_count() == threads
    assert sandbox.stats().by_fault == {"hang": 1}


def test_a_port_that_is_taken_is_refused(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(SettingsError) as refused, Sandbox(SandboxOptions(port=port)):
        pass
    assert str(refused.value) == (
        f"sandbox: the sandbox cannot listen on 127.0.0.1 port {port}: Address already in use\n"
        "  hint: give another port, or 0 for any free one   [sandbox-port]"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com", ""])
def test_only_loopback_is_listened_on_unless_allowed(host: str) -> None:
    with pytest.raises(SettingsError, match="where others can reach it"):
        SandboxOptions(host=host)
    assert SandboxOptions(host=host, allow_remote=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_has_several_names(host: str) -> None:
    assert SandboxOptions(host=host).host == host


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"auth": "sigv4"}, "auth is sigv4, and there are no credentials to check against"),
        ({"auth": "bearer"}, "auth is bearer, and there is no secret to check against"),
        ({"auth": "basic"}, "unknown auth 'basic'"),
        ({"wire": "xml"}, "unknown wire form 'xml'"),
        ({"base_path": "Production/"}, "base path 'Production/' is not understood"),
        ({"port": 70_000}, "port 70000 does not exist"),
        ({"latency_seconds": -1}, "the latency is below 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        SandboxOptions(**changed)
    assert refused.value.message == message
