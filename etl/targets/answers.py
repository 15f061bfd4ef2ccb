"""Answer → Verdict: what an answer means, by tables. Pure; what is done about it is `load.retry`'s to decide.

Sources: the company's API reference ("[ref]": success, messages, requestId), Amazon API Gateway ("[aws]": message,
x-amzn-RequestId, 429, 503, 504, the texts of a 403) and SALESmanago behind it (`{"success": false, "message": [..]}`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from etl.records import Endpoint
from etl.targets.base import Answer, NoAnswer

MAX_MESSAGE_CHARACTERS = 500
MAX_RETRY_AFTER_SECONDS = 300.0


class Kind(StrEnum):
    """What an answer means for its request.

    NOT_ARRIVED: certainly not carried out, may be sent again. AMBIGUOUS: perhaps carried out. FAILED: not carried out,
    and no use in asking again. FORBIDDEN: a 403 (or a wrong address), which is rarely about the row. CLOCK: signed with
    the wrong time. EXPIRED: credentials that were good once. STOP: the same for every row.
    """

    DELIVERED = "delivered"
    REJECTED = "rejected"
    NOT_ARRIVED = "not-arrived"
    AMBIGUOUS = "ambiguous"
    THROTTLED = "throttled"
    FAILED = "failed"
    FORBIDDEN = "forbidden"
    CLOCK = "clock"
    EXPIRED = "expired"
    STOP = "stop"


REQUEST_ID = "^[0-9A-Za-z+/=_-]{12,64}$"
"""How gateways write the id of a request (a UUID, or base64); anything else may be words."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. `message`: at most 500 characters, on one line, without the access key.

    `retry_after`: seconds, at most 300, None where the endpoint asked for none; `server_time`: Unix seconds by the
    answer's Date header; `timed_out`: the request ran into a time limit, ours or the gateway's.
    """

    kind: Kind
    code: str
    message: str = ""
    http_status: int | None = None
    request_id: str = ""
    retry_after: float | None = None
    server_time: float | None = None
    timed_out: bool = False

    @property
    def in_our_words(self) -> Verdict:
        """The same without a word of the endpoint's, which may be of somebody: code and HTTP status say it all."""
        request_id = self.request_id if re.fullmatch(REQUEST_ID, self.request_id) else ""
        if self.http_status is None or not self.message:
            return replace(self, request_id=request_id)
        return replace(self, message=f"HTTP {self.http_status}", request_id=request_id)

    @property
    def may_be_credentials(self) -> bool:
        """Whether other credentials might change it: ours may have been replaced where they are kept."""
        return self.http_status in {401, 403} and self.kind in {Kind.EXPIRED, Kind.FORBIDDEN, Kind.STOP}


@dataclass(frozen=True, slots=True)
class _Body:
    """A body as JSON. `is_json` is False for anything else; `fields` is empty where the JSON is no object."""

    is_json: bool
    fields: Mapping[str, Any]
    text: str

    @property
    def says_no(self) -> bool:
        """Whether `success` is there and false, also in another type's clothes."""
        success = self.fields.get("success", True)
        return success is False or success == 0 or (isinstance(success, str) and success.lower() == "false")

    @property
    def is_gateways(self) -> bool:
        """Whether the gateway itself speaks: `message` as text, and nothing that the integration says."""
        return isinstance(self.fields.get("message"), str) and not {"success", "messages"} & self.fields.keys()


_NO_ANSWER = {
    NoAnswer.NOT_CONNECTED: (Kind.NOT_ARRIVED, "not-connected"),
    NoAnswer.TLS: (Kind.STOP, "tls"),
    NoAnswer.TIMEOUT: (Kind.AMBIGUOUS, "timeout"),
    NoAnswer.RESET: (Kind.AMBIGUOUS, "connection-reset"),
    NoAnswer.TRUNCATED: (Kind.AMBIGUOUS, "answer-truncated"),
    NoAnswer.TOO_LARGE: (Kind.AMBIGUOUS, "answer-too-large"),
}
_BY_STATUS = {
    401: (Kind.STOP, "unauthorized"),
    403: (Kind.FORBIDDEN, "forbidden"),
    # Not among the answers after which an event certainly did not arrive, so ambiguous.
    408: (Kind.AMBIGUOUS, "request-timeout"),
    425: (Kind.AMBIGUOUS, "too-early"),
    429: (Kind.THROTTLED, "throttled"),
    501: (Kind.FAILED, "not-implemented"),
    504: (Kind.AMBIGUOUS, "gateway-timeout"),
    505: (Kind.FAILED, "http-version"),
}
_CLOCK_TEXTS = ("signature expired", "signature not yet current")
_KEYS_TEXTS = ("security token included in the request is",)
# AWS STS for session tokens; a gateway's JWT authorizer answers a 401 with the second.
_EXPIRED_TEXTS = ("security token included in the request is expired", "token has expired", "token is expired")
_CANONICAL = re.compile(r"\s*The Canonical String for this request")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")
_PROOF = re.compile(r"(?i)\b(credential=|signature=|x-amz-security-token:\s*|bearer\s+)[^\s,;\"']+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NO_ROUTE_TEXT = "no method found matching route"


def judge(answer: Answer, endpoint: Endpoint, *, now: float) -> Verdict:
    """Return what `answer` means for a request to `endpoint`. `now`: Unix seconds, for a Retry-After that is a date."""
    body = _read_body(answer.body)
    kind, code = _kind_and_code(answer, endpoint, body)
    server_time = _http_date(answer.headers.get("date", ""))
    return Verdict(
        kind=kind,
        code=code,
        message=_message(answer, body, code),
        http_status=answer.status,
        request_id=_request_id(answer, body),
        retry_after=retry_after_seconds(answer.headers.get("retry-after", ""), server_time or now),
        server_time=server_time,
        timed_out=answer.no_answer is NoAnswer.TIMEOUT or answer.status == 504,
    )


def retry_after_seconds(value: str, now: float) -> float | None:
    """Return how long a Retry-After header asks to wait, at most 300 s; None for garbage, negatives and the past."""
    text = value.strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    moment = _http_date(text)
    if moment is None or moment < now:
        return None
    return min(moment - now, MAX_RETRY_AFTER_SECONDS)


def _kind_and_code(answer: Answer, endpoint: Endpoint, body: _Body) -> tuple[Kind, str]:
    status = answer.status
    if status is None:
        if answer.no_answer is None:
            raise AssertionError("BUG: an answer without a status and without a reason")
        return _NO_ANSWER[answer.no_answer]
    if 200 <= status < 300:
        return _success_or_not(answer, body)
    if 300 <= status < 400:
        return Kind.FAILED, "redirect"
    if status == 404:
        return _not_found(answer, endpoint, body)
    if status in {401, 403} and any(part in body.text.lower() for part in _EXPIRED_TEXTS):
        return Kind.EXPIRED, "session-expired"
    if status == 403:
        return _forbidden(body)
    if status == 503:
        # An event may be sent again only where the gateway itself says so; behind it, it may have arrived.
        kind = Kind.NOT_ARRIVED if body.is_gateways and answer.no_answer is None else Kind.AMBIGUOUS
        return kind, "unavailable"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return Kind.REJECTED, f"http-{status}"
    return Kind.AMBIGUOUS, "server-error" if 500 <= status < 600 else "not-http"


def _success_or_not(answer: Answer, body: _Body) -> tuple[Kind, str]:
    if answer.no_answer is not None:
        return _NO_ANSWER[answer.no_answer]
    if body.says_no:
        return Kind.REJECTED, "not-successful"
    # A 204 has no body by definition: it is whole, and it says yes.
    if body.is_json or (answer.status == 204 and not answer.body):
        return Kind.DELIVERED, ""
    return Kind.AMBIGUOUS, "html-page" if _is_html(answer, body) else "not-json"


def _not_found(answer: Answer, endpoint: Endpoint, body: _Body) -> tuple[Kind, str]:
    if _NO_ROUTE_TEXT in body.text.lower():
        return Kind.FORBIDDEN, "wrong-address"
    if endpoint.method == "DELETE" and answer.no_answer is not None:
        # What is missing may have said that the address is wrong; asking again costs nothing.
        return _NO_ANSWER[answer.no_answer]
    if endpoint.method == "DELETE" and not _looks_like_html(body.text):
        return Kind.DELIVERED, "already-gone"
    return Kind.REJECTED, "http-404"


def _forbidden(body: _Body) -> tuple[Kind, str]:
    text = body.text.lower()
    if any(part in text for part in _CLOCK_TEXTS):
        return Kind.CLOCK, "clock"
    if any(part in text for part in _KEYS_TEXTS):
        return Kind.STOP, "wrong-keys"
    return Kind.FORBIDDEN, "forbidden"


def _read_body(body: bytes) -> _Body:
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _Body(is_json=False, fields={}, text=text)
    return _Body(is_json=True, fields=value if isinstance(value, dict) else {}, text=text)


def _message(answer: Answer, body: _Body, code: str) -> str:
    said = _said(body)
    if code == "redirect":
        said = f"redirect to {_redirect_host(answer)}; redirects are never followed"
    elif code == "html-page":
        said = f"a web page came instead of an answer{_title(body.text)}; is the address right?"
    elif code == "not-json":
        said = "the answer is not JSON" if answer.body else "the answer is empty"
    elif not said and answer.detail:
        said = answer.detail
    elif not said and _looks_like_html(body.text):
        said = f"HTTP {answer.status}, a web page{_title(body.text)}"
    elif not said and answer.status is not None and code:
        said = f"HTTP {answer.status}"
    return _shown(said, body)


def _said(body: _Body) -> str:
    """Return what the body says in `messages` or `message`, be it a text or a list."""
    for name in ("messages", "message", "Message", "error"):
        value = body.fields.get(name)
        parts = value if isinstance(value, list) else [value]
        texts = [part if isinstance(part, str) else json.dumps(part) for part in parts if part not in (None, "")]
        if texts:
            return "; ".join(texts)
    return ""


def _shown(text: str, body: _Body) -> str:
    # The gateway answers a bad signature with the whole request that it expected, session token included.
    text = _CANONICAL.split(text, maxsplit=1)[0]
    key = body.fields.get("key")
    if isinstance(key, str) and len(key) > 3:
        text = text.replace(key, "***")
    text = _ACCESS_KEY.sub("***", text)
    text = _PROOF.sub(r"\1***", text)
    # Control and format characters could forge lines or hide text in a report.
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = " ".join(text.split())
    return text if len(text) <= MAX_MESSAGE_CHARACTERS else text[: MAX_MESSAGE_CHARACTERS - 3] + "..."


def _request_id(answer: Answer, body: _Body) -> str:
    for value in (
        answer.headers.get("x-amzn-requestid"),
        answer.headers.get("apigw-requestid"),
        body.fields.get("requestId"),
    ):
        if isinstance(value, str) and _UUID.fullmatch(value):
            return value
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return _shown(str(value), body)[:100]
    return ""


def _redirect_host(answer: Answer) -> str:
    try:
        host = urlsplit(answer.headers.get("location", "")).hostname
    except ValueError:
        host = None
    return host or "another path of the same host"


def _is_html(answer: Answer, body: _Body) -> bool:
    return "html" in answer.headers.get("content-type", "").lower() or _looks_like_html(body.text)


def _looks_like_html(text: str) -> bool:
    return re.match(r"\s*(?:<!doctype html|<html|<head|<body)", text, re.IGNORECASE) is not None


def _title(text: str) -> str:
    match = re.search(r"<title[^>]*>([^<]{1,100})", text, re.IGNORECASE)
    return f" ({match[1].strip()!r})" if match else ""


@lru_cache(maxsize=16)  # an endpoint's answers of one second have the same
def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value.strip()).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
