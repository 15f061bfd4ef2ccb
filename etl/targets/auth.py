"""Credentials → headers, made at the moment of sending, over the exact bytes that are sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from etl.errors import SettingsError, TargetError
from etl.settings import Credentials, Secret, TargetSettings
from etl.targets.sigv4 import Signatures

Reread = Callable[[], Credentials]
"""Reads the credentials from where they are, once more; raises SettingsError where that cannot be done."""


class Signer(Protocol):
    """Says who we are. One signer serves all threads of a run."""

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return the headers that prove who sends exactly this request, now."""

    def correct_clock(self, server_time: float) -> bool:
        """Take the server's Unix time for ours from now on; False where no clock is part of the signature."""

    def refresh(self, sent_at: float) -> bool:
        """Read the credentials again; tell whether there are others than a request had that left at `sent_at`.

        `sent_at`: by the signer's `clock`. Where they were replaced since then, nothing is read. For any thread.
        """

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that may stand in no message, those of replaced credentials included."""


class Kept:
    """The credentials in use. `reread`: None where they cannot change; `clock`: monotonic seconds."""

    def __init__(
        self, credentials: Credentials, reread: Reread | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.current = credentials
        self.secrets = _texts(credentials)
        self._reread = reread
        self._clock = clock
        self._lock = threading.Lock()
        self._replaced_at: float | None = None

    def refresh(self, sent_at: float) -> bool:
        """See `Signer.refresh`. What cannot be read, or is what it was, changes nothing."""
        with self._lock:
            # Requests that left together are refused together: the first reads again for them all.
            if self._replaced_at is not None and sent_at < self._replaced_at:
                return True
            if self._reread is None:
                return False
            try:
                found = self._reread()
            except SettingsError:
                return False
            texts = _texts(found)
            if texts == _texts(self.current):
                return False
            # The endpoint may still quote the old ones, to requests that are under way.
            self.secrets = tuple(dict.fromkeys((*texts, *self.secrets)))
            self.current = found
            self._replaced_at = self._clock()
            return True


class Anonymous:
    """`auth = "none"`."""

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def correct_clock(self, server_time: float) -> bool:
        """Return False."""
        return False

    def refresh(self, sent_at: float) -> bool:
        """Return False."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


class FixedHeader:
    """A secret in a header, the same in every request: `api_key` and `bearer`."""

    def __init__(self, name: str, kept: Kept, prefix: str = "") -> None:
        self._name, self._kept, self._prefix = name, kept, prefix

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return the one header."""
        return {self._name: self._prefix + _required(self._kept.current.secret).reveal()}

    def correct_clock(self, server_time: float) -> bool:
        """Return False."""
        return False

    def refresh(self, sent_at: float) -> bool:
        """Read the secret's file again; a variable of our own environment never changes."""
        return self._kept.refresh(sent_at)

    def secrets(self) -> tuple[str, ...]:
        """Return the secret."""
        return self._kept.secrets


class SigV4:
    """AWS Signature Version 4 (`targets.sigv4`). `now`: Unix seconds; `clock_offset`: seconds to add to it."""

    def __init__(self, kept: Kept, region: str, now: Callable[[], float] = time.time) -> None:
        self.clock_offset = 0.0
        self._now = now
        self._kept = kept
        self._region = region
        self._signing = (kept.current, Signatures(kept.current, region))

    def headers(self, method: str, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return `Authorization`, `X-Amz-Date` and, with a session token, `X-Amz-Security-Token`."""
        return self._signatures().headers(method, url, body, content_type, self._now() + self.clock_offset)

    def correct_clock(self, server_time: float) -> bool:
        """Sign by the server's clock from now on; return True."""
        self.clock_offset = server_time - self._now()
        return True

    def refresh(self, sent_at: float) -> bool:
        """Read the profile again, where the settings name one."""
        return self._kept.refresh(sent_at)

    def secrets(self) -> tuple[str, ...]:
        """Return secret access key, access key id and session token."""
        return self._kept.secrets

    def _signatures(self) -> Signatures:
        credentials, signatures = self._signing
        if credentials is not self._kept.current:
            credentials = self._kept.current
            signatures = Signatures(credentials, self._region)
            # One tuple, so that no other thread sees the one half of it.
            self._signing = (credentials, signatures)
        return signatures


def _required(secret: Secret | None) -> Secret:
    if secret is None:
        raise AssertionError("BUG: a signer without its secret")
    return secret


def _texts(credentials: Credentials) -> tuple[str, ...]:
    parts = (credentials.secret, credentials.access_key, credentials.session_token)
    return tuple(secret.reveal() for secret in parts if secret)


def signer_for(
    target: TargetSettings,
    credentials: Credentials,
    now: Callable[[], float] = time.time,
    *,
    reread: Reread | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Signer:
    """Return the signer that the target's `auth` asks for; TargetError where the credentials do not belong to it.

    `now`: Unix seconds; `reread` and `clock` are for `Signer.refresh`.
    """
    if target.auth == "none":
        return Anonymous()
    if credentials.secret is None or (target.auth == "sigv4" and credentials.access_key is None):
        hint = "the settings of the target say where its secret is"
        raise TargetError(f"no credentials for target '{target.name}'", code="no-secret", hint=hint)
    kept = Kept(credentials, reread, clock)
    if target.auth == "api_key":
        return FixedHeader(target.api_key_header, kept)
    if target.auth == "bearer":
        return FixedHeader("Authorization", kept, "Bearer ")
    return SigV4(kept, target.signing_region, now)
