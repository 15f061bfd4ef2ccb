"""How a sandbox is set up. Frozen; no secret has a repr."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etl.errors import SettingsError
from etl.sandbox.faults import NO_FAULTS, Faults
from etl.sandbox.wire import Wire

Auth = Literal["none", "sigv4", "api_key", "bearer"]
MAX_BODY_BYTES = 10 * 1024 * 1024
"""What the gateway takes; 413 beyond."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of AWS Signature Version 4; with a `session_token`, requests must carry and sign it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """All settings of one sandbox.

    `port` 0: any free one. `database`: where to store; it is kept and gone on with; None: a file in a temporary
    directory, gone at the end. `base_path`: "" or "/Production". `wire`: the form that is accepted (`either`: both).
    `names`: what the envelope's attributes are called on the page, such as {"epost": "email"}. `credentials`: the keys
    that `sigv4` accepts; `secret`: the key or token that `api_key` and `bearer` accept. `clock_offset_seconds`: how far
    the sandbox's clock is ahead of this machine's (signatures, Date header). `latency_seconds`: of each answer.
    Raises SettingsError where they contradict each other, or `host` is not this machine and `allow_remote` is not set.
    """

    host: str = "127.0.0.1"
    port: int = 0
    database: Path | None = None
    base_path: str = ""
    wire: Wire = "either"
    names: Mapping[str, str] = field(default_factory=dict)
    auth: Auth = "none"
    credentials: tuple[Credentials, ...] = ()
    secret: str | None = field(default=None, repr=False)
    region: str = "eu-west-1"
    faults: Faults = NO_FAULTS
    seed: int = 0
    latency_seconds: float = 0.0
    clock_offset_seconds: float = 0.0
    max_body_bytes: int = MAX_BODY_BYTES
    allow_remote: bool = False

    def __post_init__(self) -> None:
        if not self.allow_remote and not _is_loopback(self.host):
            raise _refusal(
                f"the sandbox would listen on {self.host}, where others can reach it",
                "use 127.0.0.1, or allow it explicitly",
            )
        if not 0 <= self.port <= 65535:
            raise _refusal(f"port {self.port} does not exist", "use 0 (any free one) to 65535")
        if self.wire not in ("fields", "envelope", "either"):
            raise _refusal(f"unknown wire form {self.wire!r}", "use fields, envelope or either")
        if self.auth not in ("none", "sigv4", "api_key", "bearer"):
            raise _refusal(f"unknown auth {self.auth!r}", "use none, sigv4, api_key or bearer")
        if not re.fullmatch(r"(/[^\s/?#]+)*", self.base_path):
            raise _refusal(f"base path {self.base_path!r} is not understood", 'use "" or a path such as /Production')
        if self.auth == "sigv4" and not self.credentials:
            raise _refusal("auth is sigv4, and there are no credentials to check against", "give an access key")
        if self.auth in ("api_key", "bearer") and not self.secret:
            raise _refusal(f"auth is {self.auth}, and there is no secret to check against", "give the key or token")
        if self.latency_seconds < 0:
            raise _refusal("the latency is below 0", "use 0 or more seconds")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(message: str, hint: str) -> SettingsError:
    return SettingsError(message, code="sandbox", where="sandbox", hint=hint)
