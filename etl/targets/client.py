"""Transport over requests: one kept-alive connection, one request, one answer; nothing repeated, nothing followed.

`requests` is used below its Session: a Session follows redirects, reads the environment and keeps cookies. It prepares
the requests and its adapter makes the connections, TLS included; what goes over them is `targets.exchange`'s. Whether a
fault left the endpoint untouched is not read from exceptions, which mix the cases up, but known: noted is the moment
from which a byte may have left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from etl.records import Endpoint
from etl.release import PROGRAM, program_version
from etl.settings import TargetSettings
from etl.targets.auth import Signer
from etl.targets.base import Answer, NoAnswer
from etl.targets.deadline import Watch, Watchdog
from etl.targets.exchange import MAX_ANSWER_BYTES as MAX_ANSWER_BYTES  # noqa: PLC0414 - what a transport takes
from etl.targets.exchange import head_of, receive, request_bytes, send
from etl.targets.network_faults import FAULTS, no_answer

CONTENT_TYPE = "application/json"
SHORTEST_SECRET = 6
"""Characters below which a secret is not looked for in answers."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What all requests to one endpoint share. `head`: their first lines; see `exchange.head_of`."""

    method: str
    url: str
    head: bytes


class HttpTransport:
    """Sends to one target, over one connection; used by one thread (see `targets.base.Transport`)."""

    def __init__(self, target: TargetSettings, signer: Signer, watchdog: Watchdog | None = None) -> None:
        self._target = target
        self._signer = signer
        self._watchdog = watchdog or Watchdog()
        self._watch = self._watchdog.watch()
        self._adapter = _Adapter(target.ca_file or True, self._watch)
        self._connection: HTTPConnection | None = None
        self._sent = False
        self._prepared: dict[Endpoint, _Prepared] = {}
        self._answered, self._numbers = "", False
        self._shown: tuple[str, ...] | None = None
        self._secrets: tuple[bytes, ...] = ()

    def send(self, endpoint: Endpoint, body: bytes) -> Answer:
        """Send `body`, signed now, and return the answer, without our secrets in it; takes `deadline` seconds at most.

        Looking up a host's name cannot be cut off, and each of its addresses has `connect_timeout` seconds.
        """
        self._sent, may_stay = False, False
        self._watch.arm(time.monotonic() + self._target.deadline)
        try:
            answer, may_stay = self._exchange(endpoint, body)
        except FAULTS as error:
            answer = no_answer(error, sent=self._sent, late=self._watch.disarm())
        else:
            if self._watch.disarm():
                # A body without a length looks whole where we cut it off; so nothing that came late counts.
                answer = Answer(answer.status, answer.headers, b"", NoAnswer.TIMEOUT, "the answer never ended")
            elif self._was_given_before(answer):
                answer = Answer(None, no_answer=NoAnswer.TRUNCATED, detail="the answer before it came once more")
        if answer.no_answer is not None or not may_stay:
            self._disconnect()
        return self._redacted(answer)

    def close(self) -> None:
        """Close the connection."""
        self._disconnect()
        self._adapter.close()
        self._watchdog.release(self._watch)

    def _was_given_before(self, answer: Answer) -> bool:
        """Tell whether it is the last answer again, late and twice, where the endpoint numbers its answers."""
        number = answer.headers.get("x-amzn-requestid") or answer.headers.get("apigw-requestid") or ""
        before, self._answered = self._answered, number
        # An endpoint that says the same of every answer numbers none.
        self._numbers = self._numbers or bool(number and before and number != before)
        return self._numbers and bool(number) and number == before

    def _prepare(self, endpoint: Endpoint) -> _Prepared:
        # Preparing takes longer than all the rest together; only body and signature differ between requests.
        url = self._target.url + endpoint.path
        request = requests.Request(endpoint.method, url, headers=_fixed_headers()).prepare()
        head = head_of(request, self._adapter.pool_for(request))
        self._prepared[endpoint] = prepared = _Prepared(str(request.method), str(request.url), head)
        return prepared

    def _exchange(self, endpoint: Endpoint, body: bytes) -> tuple[Answer, bool]:
        prepared = self._prepared.get(endpoint) or self._prepare(endpoint)
        method = prepared.method
        headers = self._signer.headers(method, prepared.url, body, CONTENT_TYPE)
        request = request_bytes(prepared.head, headers, body, has_length=bool(body) or method != "GET")
        connection = self._connection
        if connection is None or not connection.is_connected:
            # One that the endpoint has closed, or that holds what no request of ours asked for.
            self._disconnect()
            connection = self._connection = self._adapter.connection(self._target.connect_timeout)
            connection.connect()
            connection.sock.settimeout(self._target.deadline)
        self._sent = True
        send(connection.sock, request)
        return receive(connection.sock, method)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        # Our handle would keep a connection open that was given up.
        self._watch.close()

    def _redacted(self, answer: Answer) -> Answer:
        known = self._signer.secrets()
        if known is not self._shown:
            # A secret of a few letters would be found in every word.
            self._secrets = tuple(secret.encode() for secret in known if len(secret) >= SHORTEST_SECRET)
            self._shown = known
        text = "\n".join((*answer.headers.values(), answer.detail)).encode() + answer.body
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


class _Adapter(HTTPAdapter):
    """An adapter for one target, for which it makes connections with the settings that requests has for them."""

    def __init__(self, verify: bool | str, watch: Watch) -> None:
        self._verify = verify
        self._watch = watch
        self._pool: Any = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def pool_for(self, request: requests.PreparedRequest) -> Any:
        """Return urllib3's pool for the target's host, made once; there is never a proxy."""
        if self._pool is None:
            self._pool = self.get_connection_with_tls_context(request, self._verify)
            self.cert_verify(self._pool, str(request.url), self._verify, None)  # type: ignore[no-untyped-call]
            kind = _TlsConnection if self._pool.scheme == "https" else _PlainConnection
            self._pool.ConnectionCls = partial(kind, watch=self._watch)
        return self._pool

    def connection(self, connect_timeout: float) -> HTTPConnection:
        """Return a new connection of the pool, not yet connected and not the pool's to close."""
        connection: HTTPConnection = self._pool._new_conn()  # noqa: SLF001  (a pool only lends its connections)
        connection.timeout = connect_timeout
        return connection


class _Watched:
    """Tells the watch of each new connection, before TLS begins on it."""

    watch: Watch

    def _new_conn(self) -> Any:
        connection = super()._new_conn()  # type: ignore[misc]
        self.watch.attach(connection)
        return connection


class _PlainConnection(_Watched, HTTPConnection):
    def __init__(self, *args: Any, watch: Watch, **kwargs: Any) -> None:
        self.watch = watch
        super().__init__(*args, **kwargs)


class _TlsConnection(_Watched, HTTPSConnection):
    def __init__(self, *args: Any, watch: Watch, **kwargs: Any) -> None:
        self.watch = watch
        super().__init__(*args, **kwargs)


def _fixed_headers() -> dict[str, str]:
    return {
        "User-Agent": f"{PROGRAM}/{program_version() or '0'}",
        "Content-Type": CONTENT_TYPE,
        "Accept": CONTENT_TYPE,
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
    }
