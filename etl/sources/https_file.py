"""https:// → blocks of bytes, from the very address that was checked.

Not by fsspec: its http looks a name up again when it connects, and follows redirects by itself; a name that answers
once with a public and once with a private address would pass.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urljoin

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from etl.errors import SourceError
from etl.sources.addresses import Address, bad_address, is_loopback, is_url, parse_address, resolve
from etl.sources.spool import BLOCK_BYTES, MAX_BYTES, too_large

MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}
_UNSAFE = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True)
class Waits:
    """How long is waited, in seconds: for a connection, for the next bytes, and for the whole file."""

    connect: float = 10.0
    block: float = 60.0
    whole: float = 3600.0


def read_https(address: Address, *, may_connect: Callable[[str], bool], waits: Waits) -> Iterator[bytes]:
    """Yield the file's bytes; every SourceError is raised before its end is reached, and none holds the URL's secrets.

    `may_connect`: whether a numeric address is one to connect to; asked at each redirect too, before it is followed.
    Content-Encoding is left as it is: the caller unpacks what is packed.
    """
    deadline = time.monotonic() + waits.whole
    at = address
    for _ in range(MAX_REDIRECTS + 1):
        with _answer(at, address, may_connect, waits) as answer:
            if answer.status in _REDIRECTS:
                at = _next(at, answer.headers.get("Location"), address.name)
                continue
            _require_file(answer, address.name)
            yield from _body(answer, address.name, deadline)
            return
    raise _refused(
        f"more than {MAX_REDIRECTS} redirects", "remote-failed", address.name, "give the address they end at"
    )


class _Answer:
    """An answer, and the pool that it keeps open; both are closed at the end of a `with`."""

    def __init__(self, response: urllib3.BaseHTTPResponse, pool: urllib3.HTTPConnectionPool) -> None:
        self.response, self._pool = response, pool
        self.status, self.headers = response.status, response.headers

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()
        self._pool.close()


def _answer(at: Address, given: Address, may_connect: Callable[[str], bool], waits: Waits) -> _Answer:
    port = at.port or _PORTS[at.scheme]
    ips = resolve(at.host, port, given.name, may_connect)
    if at.scheme == "http" and not all(map(is_loopback, ips)):
        raise bad_address("http:// is not read: anybody on the way could change the file", given.name, "use https://")
    headers = {"Host": _host_header(at), "Accept-Encoding": "identity", "User-Agent": "salesmanago-etl"}
    if given.user is not None and at.origin == given.origin:
        headers |= urllib3.make_headers(basic_auth=f"{given.user}:{given.password or ''}")
    for place, ip in enumerate(ips):
        pool = _pool(at, ip, port, waits)
        try:
            response = pool.urlopen(
                "GET", _target(at), headers=headers, redirect=False, retries=False, preload_content=False,
                decode_content=False, assert_same_host=False,
            )  # fmt: skip
        except (NewConnectionError, ConnectTimeoutError) as error:
            pool.close()
            if place == len(ips) - 1:
                raise _fault(error, at.host, given.name) from None
        except HTTPError as error:
            pool.close()
            raise _fault(error, at.host, given.name) from None
        else:
            return _Answer(response, pool)
    raise AssertionError(f"BUG: no address of {at.host} was tried")


def _pool(at: Address, ip: str, port: int, waits: Waits) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=waits.connect, read=waits.block)
    host = f"[{ip}]" if ":" in ip else ip
    if at.scheme == "http":
        return urllib3.HTTPConnectionPool(host, port, timeout=timeout, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        host, port, timeout=timeout, maxsize=1, server_hostname=at.host, ssl_context=ssl.create_default_context()
    )


def _host_header(at: Address) -> str:
    host = f"[{at.host}]" if ":" in at.host else at.host.encode("idna").decode("ascii")
    return host if at.port is None else f"{host}:{at.port}"


def _target(at: Address) -> str:
    path = _UNSAFE.sub(lambda found: quote(found[0]), at.path)
    query = _UNSAFE.sub(lambda found: quote(found[0]), at.query)
    return f"{path}?{query}" if query else path


def _next(at: Address, location: str | None, name: str) -> Address:
    base = f"{at.scheme}://{_host_header(at)}{_target(at)}"
    try:
        following = urljoin(base, location or "")
    except ValueError:
        following = ""
    if not location or not is_url(following):
        raise _refused("a redirect that leads nowhere", "remote-failed", name, "give the address of the file itself")
    if not following.startswith(("https://", f"{at.scheme}://")):
        raise _refused("a redirect away from https://", "remote-failed", name, "give the address of the file itself")
    try:
        return parse_address(following)
    except SourceError as error:
        raise bad_address(f"a redirect to what is not read: {error.message}", name, error.hint) from None


def _require_file(answer: _Answer, name: str) -> None:
    status = answer.status
    if status == 200:
        length = answer.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > MAX_BYTES:
            raise too_large(name)
        return
    if status in {404, 410}:
        raise _refused(
            f"there is no such file ({status})", "remote-missing", name, "check the address, and whether it has expired"
        )
    if status in {401, 403, 407}:
        hint = "check user and password; a link that was signed may have expired: make a new one"
        raise _refused(f"the server does not give the file ({status})", "remote-forbidden", name, hint)
    if status == 429 or status >= 500:
        raise _refused(f"the server cannot give the file now ({status})", "remote-failed", name, "try again later")
    raise _refused(f"the server answers with {status} and no file", "remote-failed", name, "check the address")


def _body(answer: _Answer, name: str, deadline: float) -> Iterator[bytes]:
    response = answer.response
    length = answer.headers.get("Content-Length")
    if length is None and not getattr(response, "chunked", False):
        raise _refused(
            "the server does not say how long the file is, so that a cut one could not be told",
            "remote-no-length",
            name,
            "download it, and give the file",
        )
    read = 0
    try:
        # One piece as it arrives: a server that drips cannot hold us longer than the deadline.
        while block := response.read1(BLOCK_BYTES, decode_content=False):
            read += len(block)
            if time.monotonic() > deadline:
                raise _timeout(name)
            yield block
    except HTTPError as error:
        raise _fault(error, "", name) from None
    if length is not None and length.isdecimal() and read != int(length):
        raise _cut(name)


def _fault(error: HTTPError, host: str, name: str) -> SourceError:
    if isinstance(error, SSLError):
        reason = getattr(error.args[0] if error.args else error, "verify_message", "")
        if not reason:
            return _refused("no safe connection (TLS) to the server", "remote-tls", name, "check host and port")
        hint = "check the address; SSL_CERT_FILE names the certificates of a company of your own"
        return _refused(f"the certificate of the server is not trusted ({reason})", "remote-tls", name, hint)
    # NewConnectionError first: in some versions of urllib3 it is a ConnectTimeoutError too.
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return _timeout(name)
    if isinstance(error, NewConnectionError):
        return _refused(
            f"no connection to '{host}'",
            "remote-unreachable",
            name,
            "check the address and the connection to the network",
        )
    if isinstance(error, ProtocolError):
        return _cut(name)
    return _refused(f"the file cannot be fetched ({type(error).__name__})", "remote-failed", name, "try again later")


def _timeout(name: str) -> SourceError:
    return _refused("the server takes too long", "remote-timeout", name, "try again later, or download it yourself")


def _cut(name: str) -> SourceError:
    return _refused("the connection broke off; nothing is read", "remote-cut", name, "try again")


def _refused(message: str, code: str, name: str, hint: str) -> SourceError:
    return SourceError(message, code=code, where=name, hint=hint)
