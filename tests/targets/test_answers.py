"""What answers mean: api.md "Answers" and mapping.md "On the wire", row by row."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.records import Endpoint
from etl.targets.answers import Kind, judge, retry_after_seconds
from etl.targets.base import Answer, NoAnswer

POST, DELETE = Endpoint("POST", "/events"), Endpoint("DELETE", "/contacts")
NOW = 1_700_000_000.0
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"


def verdict(status, body=None, *, endpoint=POST, no_answer=None, detail="", **headers):
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(Answer(status, named, data, no_answer, detail), endpoint, now=NOW)


TABLE = {
    "200 success": (200, {"success": True}, Kind.DELIVERED, ""),
    "200 without success": (200, {"requestId": "x"}, Kind.DELIVERED, ""),
    "201": (201, {}, Kind.DELIVERED, ""),
    "204": (204, b"", Kind.DELIVERED, ""),
    "200 success false": (200, {"success": False, "messages": ["no"]}, Kind.REJECTED, "not-successful"),
    "200 success 'false'": (200, {"success": "False"}, Kind.REJECTED, "not-successful"),
    "200 empty": (200, b"", Kind.AMBIGUOUS, "not-json"),
    "200 half JSON": (200, b'{"ok":tr', Kind.AMBIGUOUS, "not-json"),
    "200 HTML": (200, HTML, Kind.AMBIGUOUS, "html-page"),
    "301": (301, b"", Kind.FAILED, "redirect"),
    "308": (308, b"", Kind.FAILED, "redirect"),
    "400": (400, {"success": False, "messages": ["bad"]}, Kind.REJECTED, "http-400"),
    "401": (401, {"message": "Unauthorized"}, Kind.STOP, "unauthorized"),
    "403 missing token": (403, {"message": "Missing Authentication Token"}, Kind.FORBIDDEN, "forbidden"),
    "403 firewall": (403, {"message": "Forbidden"}, Kind.FORBIDDEN, "forbidden"),
    "403 mismatch": (403, {"message": "The request signature we calculated does not"}, Kind.FORBIDDEN, "forbidden"),
    "403 keys": (403, {"message": "The security token included in the request is invalid."}, Kind.STOP, "wrong-keys"),
    "403 slow": (403, {"message": "Signature expired: A is now earlier than B (C - 5 min.)"}, Kind.CLOCK, "clock"),
    "403 fast": (403, {"message": "Signature not yet current: A is still later than B"}, Kind.CLOCK, "clock"),
    "404": (404, {"message": "Not Found"}, Kind.REJECTED, "http-404"),
    "404 no route": (404, {"message": "No method found matching route x for POST."}, Kind.FORBIDDEN, "wrong-address"),
    "405": (405, b"", Kind.REJECTED, "http-405"),
    "408": (408, b"", Kind.AMBIGUOUS, "request-timeout"),
    "409": (409, b"", Kind.REJECTED, "http-409"),
    "413": (413, {"message": "Request Too Large"}, Kind.REJECTED, "http-413"),
    "422": (422, b"", Kind.REJECTED, "http-422"),
    "425": (425, b"", Kind.AMBIGUOUS, "too-early"),
    "429": (429, {"message": "Too Many Requests"}, Kind.THROTTLED, "throttled"),
    "429 HTML": (429, HTML, Kind.THROTTLED, "throttled"),
    "500": (500, {"success": False}, Kind.AMBIGUOUS, "server-error"),
    "501": (501, b"", Kind.FAILED, "not-implemented"),
    "502": (502, HTML, Kind.AMBIGUOUS, "server-error"),
    "503 gateway": (503, {"message": "Service Unavailable"}, Kind.NOT_ARRIVED, "unavailable"),
    "503 behind it": (503, {"success": False, "messages": ["busy"]}, Kind.AMBIGUOUS, "unavailable"),
    "503 HTML": (503, HTML, Kind.AMBIGUOUS, "unavailable"),
    "504": (504, {"message": "Endpoint request timed out"}, Kind.AMBIGUOUS, "gateway-timeout"),
    "520": (520, b"", Kind.AMBIGUOUS, "server-error"),
    "999": (999, b"", Kind.AMBIGUOUS, "not-http"),
}  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "code"), TABLE.values(), ids=TABLE)
def test_each_answer_has_its_meaning(status, body, kind, code):
    found = verdict(status, body)
    assert (found.kind, found.code, found.http_status) == (kind, code, status)


NO_ANSWERS = {
    NoAnswer.NOT_CONNECTED: (Kind.NOT_ARRIVED, "not-connected"),
    NoAnswer.TLS: (Kind.STOP, "tls"),
    NoAnswer.TIMEOUT: (Kind.AMBIGUOUS, "timeout"),
    NoAnswer.RESET: (Kind.AMBIGUOUS, "connection-reset"),
    NoAnswer.TRUNCATED: (Kind.AMBIGUOUS, "answer-truncated"),
    NoAnswer.TOO_LARGE: (Kind.AMBIGUOUS, "answer-too-large"),
}


@pytest.mark.parametrize("no_answer", NoAnswer)
def test_no_answer_has_its_meaning_and_keeps_the_transports_words(no_answer):
    found = verdict(None, no_answer=no_answer, detail="what was seen")
    assert ((found.kind, found.code), found.message) == (NO_ANSWERS[no_answer], "what was seen")


@pytest.mark.parametrize("no_answer", [NoAnswer.TIMEOUT, NoAnswer.TRUNCATED, NoAnswer.TOO_LARGE])
def test_a_success_whose_body_is_missing_is_ambiguous(no_answer):
    assert verdict(200, b'{"success": true}', no_answer=no_answer).kind is Kind.AMBIGUOUS


def test_a_refusal_whose_body_is_missing_is_a_refusal():
    assert verdict(400, b'{"mess', no_answer=NoAnswer.TRUNCATED).kind is Kind.REJECTED


def test_a_503_whose_body_is_missing_is_not_the_gateways():
    assert verdict(503, {"message": "x"}, no_answer=NoAnswer.TRUNCATED).kind is Kind.AMBIGUOUS


@pytest.mark.parametrize("body", [b"", {"message": "Not Found"}, {"success": False, "messages": ["no contact"]}])
def test_a_404_on_delete_means_already_gone(body):
    found = verdict(404, body, endpoint=DELETE)
    assert (found.kind, found.code) == (Kind.DELIVERED, "already-gone")


@pytest.mark.parametrize("body", [HTML, {"message": "No method found matching route /contacts"}])
def test_a_404_of_a_wrong_address_deletes_nobody(body):
    assert verdict(404, body, endpoint=DELETE).kind is not Kind.DELIVERED


MESSAGES = {
    "reference": (400, {"success": False, "messages": ["a", "b"]}, "a; b"),
    "gateway": (400, {"message": "a"}, "a"),
    "SALESmanago": (200, {"success": False, "message": ["a", "b"]}, "a; b"),
    "not text": (400, {"messages": [{"x": 1}, None, 2]}, '{"x": 1}; 2'),
    "nothing said": (400, {}, "HTTP 400"),
    "list": (400, [1], "HTTP 400"),
    "HTML": (502, HTML, "HTTP 502, a web page ('Sign in')"),
    "HTML success": (200, HTML, "a web page came instead of an answer ('Sign in'); is the address right?"),
    "half": (200, b"{", "the answer is not JSON"),
    "empty": (200, b"", "the answer is empty"),
    "delivered": (200, {}, ""),
    "several lines": (400, {"message": "a\r\n\x1b[31mb\u202ec"}, "a [31mb c"),
    "signature": (
        403,
        {"message": "It does not match.\n\nThe Canonical String for this request should have been 'x:T'"},
        "It does not match.",
    ),
    "credential": (
        403, {"message": "Credential=AKIAIOSFODNN7EXAMPLE/2023, Signature=abc"}, "Credential=***, Signature=***",
    ),
    "echoed key": (400, {"key": "MYKEY123", "messages": ["key MYKEY123 is bad"]}, "key *** is bad"),
}  # fmt: skip


@pytest.mark.parametrize(("status", "body", "message"), MESSAGES.values(), ids=MESSAGES)
def test_a_message_is_what_the_endpoint_says_on_one_line_without_keys(status, body, message):
    assert verdict(status, body).message == message


def test_a_message_has_at_most_500_characters():
    message = verdict(400, {"message": "ż" * 600}).message
    assert len(message) == 500
    assert message.endswith("ż...")


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://user:pass@evil.example.com/x?token=1", "evil.example.com"),
        ("/login", "another path of the same host"),
        ("http://[bad", "another path of the same host"),
    ],
)
def test_a_redirect_names_the_host_alone(location, host):
    assert verdict(302, location=location).message == f"redirect to {host}; redirects are never followed"


@pytest.mark.parametrize(
    ("headers", "body", "request_id"),
    [
        ({"x_amzn_requestid": "a"}, {"requestId": "b"}, "a"),
        ({"apigw_requestid": "c"}, {}, "c"),
        ({}, {"requestId": "b"}, "b"),
        ({}, {"requestId": 7}, "7"),
        ({}, {"requestId": ["x"]}, ""),
        ({"x_amzn_requestid": "x" * 300}, {}, "x" * 100),
    ],
)
def test_the_request_id_comes_from_the_header_then_from_the_body(headers, body, request_id):
    assert verdict(200, body, **headers).request_id == request_id


WAITS = {
    "0": 0.0, "3": 3.0, " 3 ": 3.0, "1.5": 1.5, "86400": 300.0, "9" * 400: 300.0, "-3": None, "": None, "soon": None,
    "nan": None, "inf": None, "1e3": None, "٣": None,
    formatdate(NOW + 60, usegmt=True): 60.0, formatdate(NOW - 60, usegmt=True): None,
    formatdate(NOW + 9999, usegmt=True): 300.0, "Thu, 99 Foo 2020 00:00:00 GMT": None,
}  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), WAITS.items())
def test_retry_after_is_seconds_or_a_date_and_never_more_than_five_minutes(value, seconds):
    assert retry_after_seconds(value, NOW) == seconds


def test_a_date_to_wait_for_is_read_by_the_servers_clock():
    found = verdict(429, retry_after=formatdate(NOW + 7205, usegmt=True), date=formatdate(NOW + 7200, usegmt=True))
    assert (found.retry_after, found.server_time) == (5.0, NOW + 7200)


def test_our_limit_and_the_gateways_are_time_outs():
    assert verdict(504).timed_out
    assert verdict(None, no_answer=NoAnswer.TIMEOUT).timed_out
    assert not verdict(500).timed_out


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_FIELDS = st.dictionaries(st.sampled_from(["success", "messages", "message", "requestId", "key"]), _JSON)


@given(st.integers(100, 999), st.binary() | _FIELDS.map(lambda v: json.dumps(v).encode()), st.text())
def test_no_body_and_no_header_can_break_the_judge(status, body, header):
    headers = dict.fromkeys(("retry-after", "date", "location", "content-type", "x-amzn-requestid"), header)
    found = judge(Answer(status, headers, body), POST, now=NOW)
    assert len(found.message) <= 500
    assert found.message.isprintable()
    assert (found.kind is Kind.DELIVERED) <= (200 <= status < 300)


@pytest.mark.parametrize("no_answer", [NoAnswer.TRUNCATED, NoAnswer.TOO_LARGE, NoAnswer.TIMEOUT])
def test_a_404_on_delete_whose_body_is_missing_may_be_a_wrong_address_and_deletes_nobody(no_answer):
    assert verdict(404, endpoint=DELETE, no_answer=no_answer).kind is Kind.AMBIGUOUS
