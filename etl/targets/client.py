"""Transport over requests: one kept-alive connection, one request, one answer; nothing repeated, nothing followed.

`requests` is used below its Session: a Session follows redirects, reads the environment and keeps cookies. Whether a
fault left the endpoint untouched is not read from exceptions, which mix the cases up, but known: the connection notes
the moment from which a byte may have left.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection

from etl.records import Endpoint
from etl.settings import TargetSettings
from etl.targets.auth import Signer
from etl.targets.base import Answer, NoAnswer
from etl.targets.deadline import Watch, Watchdog

MAX_ANSWER_BYTES = 1_000_000
CONTENT_TYPE = "application/json"
_READ_BYTES = 65_536
SHORTEST_SECRET = 6
"""Characters below which a secret is not looked for in answers."""


class HttpTransport:
    """Sends to one target, over one connection; used by one thread (see `targets.base.Transport`)."""

    def __init__(self, target: TargetSettings, signer: Signer, watchdog: Watchdog | None = None) -> None:
        self._target = target
        self._signer = signer
        self._watchdog = watchdog or Watchdog()
        self._wire = _Wire(self._watchdog.watch())
        self._adapter = _Adapter(self._wire)
        self._verify: bool | str = target.ca_file or True
        self._prepared: dict[Endpoint, requests.PreparedRequest] = {}
        # A secret of a few letters would be found in every word.
        self._secrets = tuple(secret.encode() for secret in signer.secrets() if len(secret) >= SHORTEST_SECRET)

    def send(self, endpoint: Endpoint, body: bytes) -> Answer:
        """Send `body`, signed now, and return the answer, without our secrets in it; takes `deadline` seconds at most.

        Looking up a host's name cannot be cut off, and each of its addresses has `connect_timeout` seconds.
        """
        request = self._request(endpoint, body)
        wire = self._wire
        wire.sent = False
        wire.watch.arm(time.monotonic() + self._target.deadline)
        try:
            answer = self._exchange(request)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            answer = _no_answer(error, sent=wire.sent, late=wire.watch.disarm())
        else:
            if wire.watch.disarm():
                # A body without a length looks whole where we cut it off; so nothing that came late counts.
                answer = Answer(answer.status, answer.headers, b"", NoAnswer.TIMEOUT, "the answer never ended")
        if answer.no_answer is not None:
            # Our handle would keep a connection open that urllib3 has given up.
            wire.watch.close()
        return self._redacted(answer)

    def close(self) -> None:
        """Close the connection."""
        self._adapter.close()
        self._watchdog.release(self._wire.watch)

    def _request(self, endpoint: Endpoint, body: bytes) -> requests.PreparedRequest:
        template = self._prepared.get(endpoint)
        if template is None:
            # Preparing takes longer than all the rest together; only body and signature differ between requests.
            url = self._target.url + endpoint.path
            template = requests.Request(endpoint.method, url, headers=_fixed_headers()).prepare()
            self._prepared[endpoint] = template
        request = requests.PreparedRequest()
        request.method, request.url, request.body = template.method, template.url, body or None
        request.hooks = template.hooks
        request.headers = CaseInsensitiveDict(template.headers)
        if body:
            request.headers["Content-Length"] = str(len(body))
        method, url = str(template.method), str(template.url)
        request.headers.update(self._signer.headers(method, url, body, CONTENT_TYPE))
        return request

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        limits = (self._target.connect_timeout, self._target.deadline)
        response = self._adapter.send(request, stream=True, timeout=limits, verify=self._verify)
        headers = {name.lower(): value for name, value in response.headers.items()}
        chunks: list[bytes] = []
        size = 0
        try:
            for chunk in response.raw.stream(_READ_BYTES, decode_content=False):
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    response.raw.close()
                    detail = f"the answer is longer than {MAX_ANSWER_BYTES:,} bytes"
                    return Answer(response.status_code, headers, b"", NoAnswer.TOO_LARGE, detail)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            response.raw.close()
            kind, detail = _body_fault(error)
            return Answer(response.status_code, headers, b"".join(chunks), kind, detail)
        response.raw.release_conn()
        return Answer(response.status_code, headers, b"".join(chunks))

    def _redacted(self, answer: Answer) -> Answer:
        text = repr(answer.headers).encode() + answer.body + answer.detail.encode()
        if not any(secret in text for secret in self._secrets):
            return answer
        body, detail, headers = answer.body, answer.detail, dict(answer.headers)
        for secret in self._secrets:
            shown = secret.decode()
            body = body.replace(secret, b"***")
            detail = detail.replace(shown, "***")
            headers = {name: value.replace(shown, "***") for name, value in headers.items()}
        return Answer(answer.status, headers, body, answer.no_answer, detail)


def transport_factory(target: TargetSettings, signer: Signer) -> Callable[[], HttpTransport]:
    """Return what makes a transport for each thread of a run; all share the signer and one deadline thread."""
    return partial(HttpTransport, target, signer, Watchdog())


class _Wire:
    """What transport and connection share. `sent`: whether a byte of the request under way may have left."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.sent = False


class _Adapter(HTTPAdapter):
    """An adapter for one target and one connection at a time, which is made by us."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._pool: Any = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        # Looked up once: finding the same pool again takes a tenth of the time of a request.
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
            kind = _TlsConnection if self._pool.scheme == "https" else _PlainConnection
            self._pool.ConnectionCls = partial(kind, wire=self._wire)
        return self._pool

    def close(self) -> None:
        # The pool manager closes a pool only once nobody holds it any more, and we do.
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        super().close()

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        # There is never a proxy.
        del proxies
        return request.path_url


class _Watched:
    """Tells the wire of each new connection, and when the first byte is about to leave."""

    wire: _Wire

    def _new_conn(self) -> Any:
        connection = super()._new_conn()  # type: ignore[misc]
        self.wire.watch.attach(connection)
        return connection

    def send(self, data: Any) -> None:
        if getattr(self, "sock", None) is None:
            self.connect()  # type: ignore[attr-defined]
        self.wire.sent = True
        super().send(data)  # type: ignore[misc]


class _PlainConnection(_Watched, HTTPConnection):
    def __init__(self, *args: Any, wire: _Wire, **kwargs: Any) -> None:
        self.wire = wire
        super().__init__(*args, **kwargs)


class _TlsConnection(_Watched, HTTPSConnection):
    def __init__(self, *args: Any, wire: _Wire, **kwargs: Any) -> None:
        self.wire = wire
        super().__init__(*args, **kwargs)


def _fixed_headers() -> dict[str, str]:
    try:
        release = version("salesmanago-etl")
    except PackageNotFoundError:
        release = "0"
    return {
        "User-Agent": f"salesmanago-etl/{release}",
        "Content-Type": CONTENT_TYPE,
        "Accept": CONTENT_TYPE,
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
    }


def _no_answer(error: Exception, *, sent: bool, late: bool) -> Answer:
    """Return the fault of a request to which no head of an answer came."""
    causes = list(_causes(error))
    if not sent:
        if not late and any(_is_lasting_tls_fault(cause) for cause in causes):
            return Answer(None, no_answer=NoAnswer.TLS, detail=_tls_detail(causes))
        return Answer(None, no_answer=NoAnswer.NOT_CONNECTED, detail=_not_connected_detail(causes))
    timeouts = (TimeoutError, urllib3.exceptions.ReadTimeoutError)
    if late or any(isinstance(cause, timeouts) for cause in causes):
        return Answer(None, no_answer=NoAnswer.TIMEOUT, detail="no answer in time")
    if any(type(cause).__name__ in {"BadStatusLine", "UnknownProtocol", "LineTooLong"} for cause in causes):
        return Answer(None, no_answer=NoAnswer.TRUNCATED, detail="the answer is not HTTP")
    return Answer(None, no_answer=NoAnswer.RESET, detail="the connection was closed before an answer came")


def _body_fault(error: Exception) -> tuple[NoAnswer, str]:
    causes = list(_causes(error))
    if any(isinstance(cause, (TimeoutError, urllib3.exceptions.ReadTimeoutError)) for cause in causes):
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
