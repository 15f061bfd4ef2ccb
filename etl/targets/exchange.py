"""One request and its answer over an open connection, byte by byte: what costs most of the time of a run that sends.

A request leaves in one piece. An answer that is as plain as the endpoint's (one status line, a Content-Length, a head
that comes in one piece) is read here; every other one is left to http.client and urllib3, which start from the same
bytes. Both ways come to the same result (tested with random answers).
"""

from __future__ import annotations

import http.client
import io
import re
import socket
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

from etl.targets.base import Answer, NoAnswer
from etl.targets.network_faults import FAULTS, body_fault

MAX_ANSWER_BYTES = 1_000_000
_READ_BYTES = 65_536
_NO_CONTENT = 204
_ENDS = frozenset({"content-length", "transfer-encoding"})
"""Headers that say where a body ends."""
_PLAIN_HEAD = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [ -~]*)?\r\n((?:[A-Za-z0-9-]+:[\t -~]*\r\n)+)\r\n")
_MAX_PLAIN_HEADERS = 50
_PLAIN_LENGTH = re.compile(r"[0-9]{1,6}")
"""Below MAX_ANSWER_BYTES."""
_BODILESS = frozenset({204, 205, 304})


def head_of(request: requests.PreparedRequest, pool: urllib3.HTTPConnectionPool) -> bytes:
    """Return request line and headers as urllib3 writes them, without Content-Length and the blank line."""
    recorder = (_TlsRecorder if pool.scheme == "https" else _Recorder)(pool.host, pool.port)
    recorder.request(str(request.method), request.path_url, body=None, headers=request.headers)
    return recorder.said.replace(b"Content-Length: 0\r\n", b"").removesuffix(b"\r\n")


def request_bytes(head: bytes, headers: Mapping[str, str], body: bytes, *, has_length: bool) -> bytes:
    """Return the whole request: the head, these headers, Content-Length where it `has_length`, and the body."""
    own = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if own.count("\n") + own.count("\r") != 2 * len(headers):
        raise AssertionError("BUG: a header holds a line end")
    length = b"Content-Length: %d\r\n\r\n" % len(body) if has_length else b"\r\n"
    return b"".join((head, own.encode("latin-1"), length, body))


def send(connection: socket.socket, request: bytes) -> None:
    """Send the request. A connection that breaks meanwhile is no fault yet: the answer may be there already."""
    try:
        connection.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        return


def receive(connection: socket.socket, method: str) -> tuple[Answer, bool]:
    """Return the answer, and whether the connection is good for another request.

    Raises what `network_faults.FAULTS` lists where no whole head comes.
    """
    seen = connection.recv(_READ_BYTES)
    plain = _PLAIN_HEAD.match(seen)
    headers = _plain_headers(plain[2]) if plain else None
    if plain is None or headers is None or int(plain[1]) in _BODILESS:
        return receive_any(connection, method, seen)
    status, start = int(plain[1]), plain.end()
    end = start + int(headers["content-length"])
    while len(seen) < end:
        try:
            more = connection.recv(_READ_BYTES)
        except OSError as error:
            return Answer(status, headers, seen[start:], *body_fault(error)), False
        if not more:
            return Answer(status, headers, seen[start:], NoAnswer.TRUNCATED, "the answer was cut off"), False
        seen += more
    # What comes after an answer belongs to no request of ours.
    return Answer(status, headers, seen[start:end]), len(seen) == end


def _plain_headers(lines: bytes) -> dict[str, str] | None:
    """Return the headers, None unless a plain Content-Length says where the body ends and the connection stays open."""
    headers: dict[str, str] = {}
    count = 0
    for line in lines.decode("ascii").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" \t")
        count += 1
    if (
        len(headers) != count
        or count > _MAX_PLAIN_HEADERS
        or "transfer-encoding" in headers
        or headers.get("connection", "keep-alive").lower() != "keep-alive"
        or not _PLAIN_LENGTH.fullmatch(headers.get("content-length", ""))
    ):
        return None
    return headers


def receive_any(connection: socket.socket, method: str, seen: bytes) -> tuple[Answer, bool]:
    """Read an answer of any kind, whose first bytes were `seen`, as http.client and urllib3 understand it."""
    plain = http.client.HTTPResponse(_Replayed(seen, connection), method=method)  # type: ignore[arg-type]
    plain.begin()
    found = urllib3.HTTPHeaderDict((name, value.strip(" \t")) for name, value in plain.msg.items())
    headers = {name.lower(): value for name, value in found.itermerged()}
    response = HTTPResponse(
        plain, found, plain.status, preload_content=False, decode_content=False, original_response=plain,
        enforce_content_length=True, request_method=method,
    )  # fmt: skip
    answer = _read_body(response, headers)
    return answer, answer.no_answer is None and plain.isclosed() and not plain.will_close


def _read_body(response: HTTPResponse, headers: dict[str, str]) -> Answer:
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in response.stream(_READ_BYTES, decode_content=False):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                response.close()
                detail = f"the answer is longer than {MAX_ANSWER_BYTES:,} bytes"
                return Answer(response.status, headers, b"", NoAnswer.TOO_LARGE, detail)
    except FAULTS as error:
        response.close()
        return Answer(response.status, headers, b"".join(chunks), *body_fault(error))
    if not size and response.status != _NO_CONTENT and not _ENDS & headers.keys():
        # A head that is cut off looks whole to http.client, and so does the body that it says nothing of.
        return Answer(response.status, headers, b"", NoAnswer.TRUNCATED, "the answer was cut off")
    return Answer(response.status, headers, b"".join(chunks))


class _Recorder(HTTPConnection):
    """Keeps what would be sent."""

    said = b""

    def send(self, data: Any) -> None:
        self.said += data


class _TlsRecorder(_Recorder):
    default_port = HTTPSConnection.default_port  # type: ignore[misc]  # the stubs of its base disagree


class _Replayed(io.RawIOBase):
    """A connection to read from, whose first bytes were read already. Closing it leaves the connection open."""

    def __init__(self, seen: bytes, connection: socket.socket) -> None:
        self._seen, self._connection = seen, connection

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return it as a file, as http.client asks for it."""
        del mode
        return io.BufferedReader(self, _READ_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._seen:
            return self._connection.recv_into(buffer)
        count = min(len(buffer), len(self._seen))
        buffer[:count], self._seen = self._seen[:count], self._seen[count:]
        return count
