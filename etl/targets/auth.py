"""Credentials → headers, made at the moment of sending, over the exact bytes that are sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from etl.errors import TargetError
from etl.settings import Credentials, Secret, TargetSettings

SERVICE = "execute-api"


class Signer(Protocol):
    """Says who we are. One signer serves all threads of a run."""

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return the headers that prove who sends exactly this request, now."""

    def correct_clock(self, server_time: float) -> bool:
        """Take the server's Unix time for ours from now on; False where no clock is part of the signature."""

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that may stand in no message."""


class Anonymous:
    """`auth = "none"`."""

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def correct_clock(self, server_time: float) -> bool:
        """Return False."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


class FixedHeader:
    """A secret in a header, the same in every request: `api_key` and `bearer`."""

    def __init__(self, name: str, secret: Secret, prefix: str = "") -> None:
        self._name, self._secret, self._prefix = name, secret, prefix

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return the one header."""
        return {self._name: self._prefix + self._secret.reveal()}

    def correct_clock(self, server_time: float) -> bool:
        """Return False."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return the secret."""
        return (self._secret.reveal(),)


class SigV4:
    """AWS Signature Version 4 by botocore. `now`: Unix seconds; `clock_offset`: seconds to add to it."""

    def __init__(self, credentials: Credentials, region: str, now: Callable[[], float] = time.time) -> None:
        # botocore takes a quarter of a second to import; only who signs pays for it.
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials as BotoCredentials

        if credentials.access_key is None or credentials.secret is None:
            raise AssertionError("BUG: sigv4 without an access key")
        token = credentials.session_token
        self.clock_offset = 0.0
        self._now = now
        self._request = AWSRequest
        self._secrets = tuple(
            secret.reveal() for secret in (credentials.secret, credentials.access_key, token) if secret
        )
        self._auth = _clocked_sigv4(
            BotoCredentials(
                credentials.access_key.reveal(), credentials.secret.reveal(), token.reveal() if token else None
            ),
            region,
        )

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return `Authorization`, `X-Amz-Date` and, with a session token, `X-Amz-Security-Token`."""
        request = self._request(method=method, url=url, data=body, headers={"Content-Type": content_type})
        moment = datetime.fromtimestamp(self._now() + self.clock_offset, UTC)
        request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
        self._auth.add_auth(request)
        return {name: value for name, value in request.headers.items() if name != "Content-Type"}

    def correct_clock(self, server_time: float) -> bool:
        """Sign by the server's clock from now on; return True."""
        self.clock_offset = server_time - self._now()
        return True

    def secrets(self) -> tuple[str, ...]:
        """Return secret access key, access key id and session token."""
        return self._secrets


def _clocked_sigv4(credentials: Any, region: str) -> Any:
    from botocore.auth import SigV4Auth

    class Clocked(SigV4Auth):  # type: ignore[misc]
        """botocore's signer, but with the time that stands in the request already, so that it can be corrected."""

        def add_auth(self, request: Any) -> None:
            self._modify_request_before_signing(request)
            text = self.string_to_sign(request, self.canonical_request(request))
            self._inject_signature_to_request(request, self.signature(text, request))

    return Clocked(credentials, SERVICE, region)


def signer_for(target: TargetSettings, credentials: Credentials, now: Callable[[], float] = time.time) -> Signer:
    """Return the signer that the target's `auth` asks for; TargetError where the credentials do not belong to it."""
    if target.auth == "none":
        return Anonymous()
    if credentials.secret is None or (target.auth == "sigv4" and credentials.access_key is None):
        hint = "the settings of the target say where its secret is"
        raise TargetError(f"no credentials for target '{target.name}'", code="no-secret", hint=hint)
    if target.auth == "api_key":
        return FixedHeader(target.api_key_header, credentials.secret)
    if target.auth == "bearer":
        return FixedHeader("Authorization", credentials.secret, "Bearer ")
    return SigV4(credentials, target.signing_region, now)
