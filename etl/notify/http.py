"""One message over HTTP: a few tries, no redirect, no answer read, and no address in any error or log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from etl.notify.base import NotDelivered, Sending
from etl.settings import is_loopback
from etl.settings.on_finish import Notifier

CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 6.0
WAITS = (1.0, 2.0)
"""Between the tries; there is one more try than waits."""
_LONGEST_WAIT = 5.0
_LEAST = 0.2
_LIBRARY = logging.getLogger("urllib3.connectionpool")
_HINTS = {
    401: "check its secret", 403: "check its address, and whether it was switched off there",
    404: "check its address: there is nothing (any more)", 410: "there is nothing any more: make a new address there",
    407: "the proxy wants a password",
}  # fmt: skip


class _NoPassword(AuthBase):
    """Keeps requests from looking for a password in ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def send(
    url: str,
    notifier: Notifier,
    sending: Sending,
    *,
    method: Literal["GET", "POST"] = "POST",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send until it is taken (any status 2xx), three times at most. Raises NotDelivered."""
    waits = iter(WAITS)
    while True:
        try:
            _try(url, notifier, sending, method, body, headers or {})
        except _AgainError as again:
            wait = next(waits, None)
            wait = None if wait is None else max(wait, min(again.wait, _LONGEST_WAIT))
            if wait is None or sending.seconds_left < wait + _LEAST:
                raise NotDelivered(again.reason, again.hint) from None
            time.sleep(wait)
        else:
            return


class _AgainError(Exception):
    """A try that failed, and may go better the next time."""

    def __init__(self, reason: str, hint: str = "", wait: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.wait = wait


def _try(
    url: str, notifier: Notifier, sending: Sending, method: str, body: bytes | None, headers: Mapping[str, str]
) -> None:
    left = max(_LEAST, sending.seconds_left)
    session = requests.Session()
    session.trust_env = False
    try:
        with _unheard():
            answer = session.request(
                method, url, data=body, headers={"User-Agent": "salesmanago-etl", **headers}, auth=_NoPassword(),
                timeout=(min(CONNECT_SECONDS, left), min(ANSWER_SECONDS, left)), allow_redirects=False, stream=True,
                proxies=_proxies(url, sending.settings.environ),
                verify=str(sending.path(notifier.ca_file)) if notifier.ca_file else True,
            )  # fmt: skip
            status, after = answer.status_code, answer.headers.get("Retry-After", "")
            answer.close()
    except requests.exceptions.SSLError:
        hint = "check the address; behind a company proxy, `ca_file` names its certificate"
        raise NotDelivered("no secure connection can be made", hint) from None
    except requests.exceptions.ProxyError:
        raise _AgainError("the proxy cannot be used", "check HTTPS_PROXY and NO_PROXY") from None
    except requests.exceptions.ConnectTimeout:
        raise _AgainError("no connection could be made in time", _NETWORK) from None
    except requests.exceptions.ReadTimeout:
        raise _AgainError("no answer came in time") from None
    except requests.exceptions.ConnectionError:
        raise _AgainError("no connection could be made, or it broke", _NETWORK) from None
    except (requests.exceptions.RequestException, OSError) as error:
        raise NotDelivered(f"it could not be sent ({type(error).__name__})", "check its settings") from None
    finally:
        session.close()
    _judge(status, after)


_NETWORK = "check its address, and whether this machine may reach it"


def _judge(status: int, after: str) -> None:
    if 200 <= status < 300:
        return
    reason = f"the answer was {status}"
    if 300 <= status < 400:
        raise NotDelivered(f"{reason}, a redirect, which is not followed", "give the address that it leads to")
    if status == 429 or status >= 500:
        wait = 0.0
        with suppress(ValueError):
            wait = float(after)
        raise _AgainError(reason, "the other end has trouble; it is tried again after the next run", wait)
    raise NotDelivered(reason, _HINTS.get(status, "check its address and its settings"))


def _proxies(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy of the environment for an address; none for this machine or what NO_PROXY names."""
    host = (urlsplit(url).hostname or "").lower()
    proxy = environ.get("https_proxy") or environ.get("HTTPS_PROXY") or ""
    free = (environ.get("no_proxy") or environ.get("NO_PROXY") or "").lower().replace(" ", "").split(",")
    is_free = any(one == "*" or host == one.lstrip(".") or host.endswith("." + one.lstrip(".")) for one in free if one)
    return {} if not proxy or is_free or is_loopback(host) else {"https": proxy}


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep what urllib3 logs in this thread unheard: it names the address, and in that stands the secret."""
    own = threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != own

    _LIBRARY.addFilter(is_of_others)
    try:
        yield
    finally:
        _LIBRARY.removeFilter(is_of_others)
