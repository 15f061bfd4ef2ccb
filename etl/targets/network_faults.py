"""Exceptions → why there is no (whole) answer, in words. Whether a byte had left is not read from them, but known."""

from __future__ import annotations

import http.client
import ssl
from typing import Any

import requests
import urllib3

from etl.targets.base import Answer, NoAnswer

FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
"""What connecting, sending and reading raise when the network or the endpoint is at fault."""

_TIMEOUTS = (TimeoutError, urllib3.exceptions.ReadTimeoutError)
_NOT_HTTP = {"BadStatusLine", "UnknownProtocol", "LineTooLong"}


def no_answer(error: BaseException, *, sent: bool, late: bool) -> Answer:
    """Return the fault of a request to which no head of an answer came. `late`: we cut it off ourselves."""
    causes = list(_causes(error))
    if not sent:
        if not late and any(_is_lasting_tls_fault(cause) for cause in causes):
            return Answer(None, no_answer=NoAnswer.TLS, detail=_tls_detail(causes))
        return Answer(None, no_answer=NoAnswer.NOT_CONNECTED, detail=_not_connected_detail(causes))
    if late or any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return Answer(None, no_answer=NoAnswer.TIMEOUT, detail="no answer in time")
    if any(type(cause).__name__ in _NOT_HTTP for cause in causes):
        return Answer(None, no_answer=NoAnswer.TRUNCATED, detail="the answer is not HTTP")
    return Answer(None, no_answer=NoAnswer.RESET, detail="the connection was closed before an answer came")


def body_fault(error: BaseException) -> tuple[NoAnswer, str]:
    """Return the fault of an answer whose head came and whose body did not, or not all of it."""
    causes = list(_causes(error))
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return NoAnswer.TIMEOUT, "the answer never ended"
    return NoAnswer.TRUNCATED, "the answer was cut off"


def _is_lasting_tls_fault(cause: BaseException) -> bool:
    """Tell a wrong certificate or protocol from a connection that merely broke during the handshake."""
    broken = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    if isinstance(cause, ssl.SSLError):
        return not isinstance(cause, broken) and "timed out" not in str(cause)
    return isinstance(cause, ssl.CertificateError)


def _tls_detail(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {cause.verify_message}"
    reasons = [str(getattr(cause, "reason", "")) for cause in causes if isinstance(cause, ssl.SSLError)]
    return f"no secure connection: {reasons[0] or 'TLS failed'}" if reasons else "no secure connection"


def _not_connected_detail(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "the host's name is not known"
        if isinstance(cause, (urllib3.exceptions.ConnectTimeoutError, TimeoutError)) and not isinstance(
            cause, urllib3.exceptions.NewConnectionError
        ):
            return "no connection in time"
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, requests.RequestException):
            return f"no connection: {cause.strerror}"
    return "no connection"


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error and all that it wraps, by cause, context, `reason` or arguments, each once."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
