"""What the endpoint says, as bytes: its own bodies, the gateway's, and the head around them.

Shapes and texts are those of the company's API reference and of Amazon API Gateway.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import orjson

JSON = "application/json"

_GATEWAY_MESSAGES: dict[int, tuple[str, str]] = {
    400: ("Bad Request", "BadRequestException"),
    401: ("Unauthorized", "UnauthorizedException"),
    403: ("Forbidden", "ForbiddenException"),
    404: ("Not Found", "NotFoundException"),
    413: ("Request Too Large", "RequestTooLargeException"),
    429: ("Too Many Requests", "TooManyRequestsException"),
    500: ("Internal server error", "InternalServerErrorException"),
    502: ("Internal server error", "InternalServerErrorException"),
    503: ("Service Unavailable", "ServiceUnavailableException"),
    504: ("Endpoint request timed out", "GatewayTimeoutException"),
}
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and the headers beyond those that every answer has."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON


def completed(*, success: bool, messages: Sequence[str], request_id: str, key: str, status: int = 200) -> Answer:
    """Return the endpoint's own answer; `key` echoes the caller's access key id, as the real one seems to do."""
    body = {"success": success, "messages": messages, "requestId": request_id, "key": key}
    return Answer(status, orjson.dumps(body))


def gateway(status: int, message: str | None = None, error_type: str | None = None) -> Answer:
    """Return the gateway's answer, `{"message": ...}`; without a text, the one that it gives for this status."""
    text, kind = _GATEWAY_MESSAGES.get(status, (_REASONS.get(status, ""), ""))
    kind = error_type or kind
    headers = (("x-amzn-ErrorType", kind),) if kind else ()
    return Answer(status, orjson.dumps({"message": message or text}), headers)


def head(answer: Answer, *, request_id: str, date: str, length: int | None, connection: str = "") -> bytes:
    """Return status line and headers with the blank line; `length` None: no Content-Length."""
    lines = [
        f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}",
        f"Date: {date}",
        f"Content-Type: {answer.content_type}",
    ]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if connection:
        lines.append(f"Connection: {connection}")
    lines.append(f"x-amzn-RequestId: {request_id}")
    lines.extend(f"{name}: {value}" for name, value in answer.headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpDate:
    """The Date header, made once a second. `offset_seconds`: how far this clock is ahead of the machine's."""

    def __init__(self, offset_seconds: float) -> None:
        self._offset_seconds = offset_seconds
        self._second = -1
        self._text = ""

    def now(self) -> float:
        """Return this clock's Unix time in seconds."""
        return time.time() + self._offset_seconds

    def text(self) -> str:
        """Return this clock's time as an HTTP date."""
        second = int(self.now())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text
