"""AWS Signature Version 4 of requests that differ only in their time and body.

botocore makes the canonical request once per method and address, with all its rules about paths and headers; what is
left for each request are three hashes. Source: "Signature Version 4 signing process" in AWS's general reference; that
the headers are those of botocore is tested.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from etl.settings import Credentials, Secret

SERVICE = "execute-api"
_ALGORITHM = "AWS4-HMAC-SHA256"
_SOME_TIME = "20000101T000000Z"


@dataclass(frozen=True, slots=True)
class _Frame:
    """A canonical request without its time and its body's hash: `before`, time, `after`, hash."""

    before: bytes
    after: bytes
    signed: str


@dataclass(frozen=True, slots=True)
class _Day:
    """What all requests of one day share. `key`: the signing key."""

    name: str
    scope: str
    key: bytes


class Signatures:
    """Signs with one set of credentials, in one region; for any thread. Raises AssertionError without an access key."""

    def __init__(self, credentials: Credentials, region: str) -> None:
        # botocore takes a quarter of a second to import; only who signs pays for it, and before anything is sent.
        from botocore.auth import SigV4Auth
        from botocore.credentials import Credentials as BotoCredentials

        self._access_key = _revealed(credentials.access_key)
        self._secret = _revealed(credentials.secret)
        self._token = credentials.session_token.reveal() if credentials.session_token else None
        self._region = region
        self._signer: Any = SigV4Auth(BotoCredentials(self._access_key, self._secret, self._token), SERVICE, region)
        self._frames: dict[tuple[str, str, str], _Frame] = {}
        self._day = self._day_of("")
        self._second = (0, "")

    def headers(self, method: str, url: str, body: bytes, content_type: str, at: float) -> Mapping[str, str]:
        """Return `X-Amz-Date`, `Authorization` and, with a token, `X-Amz-Security-Token`. `at`: Unix seconds."""
        frame = self._frames.get((method, url, content_type)) or self._frame(method, url, content_type)
        moment = self._moment(int(at))
        day = self._day
        if day.name != moment[:8]:
            self._day = day = self._day_of(moment[:8])
        canonical = frame.before + moment.encode() + frame.after + hashlib.sha256(body).hexdigest().encode()
        text = f"{_ALGORITHM}\n{moment}\n{day.scope}\n{hashlib.sha256(canonical).hexdigest()}"
        signature = hmac.digest(day.key, text.encode(), "sha256").hex()
        found = {
            "X-Amz-Date": moment,
            "Authorization": f"{_ALGORITHM} Credential={self._access_key}/{day.scope}, "
            f"SignedHeaders={frame.signed}, Signature={signature}",
        }
        if self._token is not None:
            found["X-Amz-Security-Token"] = self._token
        return found

    def _moment(self, second: int) -> str:
        # One tuple, so that no other thread sees the one half of it.
        known, text = self._second
        if known != second:
            text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
            self._second = (second, text)
        return text

    def _day_of(self, name: str) -> _Day:
        key = f"AWS4{self._secret}".encode()
        for part in (name, self._region, SERVICE, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return _Day(name, f"{name}/{self._region}/{SERVICE}/aws4_request", key)

    def _frame(self, method: str, url: str, content_type: str) -> _Frame:
        from botocore.awsrequest import AWSRequest

        signer = self._signer
        request: Any = AWSRequest(method=method, url=url, data=b"", headers={"Content-Type": content_type})
        request.context["timestamp"] = _SOME_TIME
        signer._modify_request_before_signing(request)  # noqa: SLF001  (what add_auth does, without its clock)
        canonical = signer.canonical_request(request).encode()
        mark = f"\nx-amz-date:{_SOME_TIME}\n".encode()
        before, _, after = canonical.removesuffix(hashlib.sha256(b"").hexdigest().encode()).partition(mark)
        frame = _Frame(
            before + mark[: -len(_SOME_TIME) - 1], b"\n" + after, signer.signed_headers(signer.headers_to_sign(request))
        )
        self._frames[method, url, content_type] = frame
        return frame


def _revealed(secret: Secret | None) -> str:
    if secret is None:
        raise AssertionError("BUG: a signer without its secret")
    return secret.reveal()
