"""One target of etl.toml: an endpoint and how to speak to it. Holds no secret, only where secrets are."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from etl.contract import Wire
from etl.settings.kinds import Variable
from etl.settings.problems import SettingProblem, secret_problems

AGREED_SETTINGS = ("url", "wire", "group_key", "auth")
"""What decides what is sent and to whom; the others are pace and patience, or say where a secret is."""
DEFAULT_REGION = "eu-west-1"

_GATEWAY_HOST = re.compile(r"[^.]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _checked_url(value: str) -> str:
    """Return the base URL without a slash at its end; never quotes it, since a password may stand in it."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise PydanticCustomError("url", "is not an address; write it like https://example.com/Production")
    if parts.username is not None or parts.password is not None:
        raise PydanticCustomError("url", "holds a user name or password; use `auth` instead")
    if parts.query or parts.fragment:
        raise PydanticCustomError("url", "must end with its path: no ? and no #")
    if parts.scheme == "http" and not is_loopback(host):
        raise PydanticCustomError("url", "must be https: plain http is allowed to this machine alone")
    return value.rstrip("/")


def _checked_header(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        raise PydanticCustomError("header", "is not the name of a header")
    return value


_Url = Annotated[str, AfterValidator(_checked_url)]
_HeaderName = Annotated[str, AfterValidator(_checked_header)]


class TargetSettings(BaseModel):
    """One endpoint and how to speak to it; holds no secret, only where secrets are.

    `rate`: requests a second over all workers; `connect_timeout` and `deadline`: seconds, the latter for a whole
    request, longer than the gateway's own limit of 30; `retries`: repeats after the first try. `canary`: rows of each
    action that go alone and must be delivered before the others, 0: none; `patience`: seconds that an endpoint may stay
    down until it is given up (a gateway's deployment or a restart takes less than a minute).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    url: _Url
    wire: Wire = "fields"
    group_key: str | None = Field(default=None, min_length=1)
    auth: Literal["sigv4", "api_key", "bearer", "none"] = "none"
    rate: float = Field(default=50.0, ge=0.1, le=10_000, allow_inf_nan=False)
    concurrency: int = Field(default=16, ge=1, le=256)
    connect_timeout: float = Field(default=5.0, gt=0, le=60, allow_inf_nan=False)
    deadline: float = Field(default=35.0, gt=0, le=600, allow_inf_nan=False)
    retries: int = Field(default=4, ge=0, le=20)
    canary: int = Field(default=1, ge=0, le=1000)
    patience: float = Field(default=60.0, ge=0, le=86_400, allow_inf_nan=False)
    region: str | None = Field(default=None, pattern=r"\A[a-z0-9-]+\z")
    ca_file: str | None = Field(default=None, min_length=1)
    api_key_env: Variable | None = None
    api_key_file: str | None = Field(default=None, min_length=1)
    api_key_header: _HeaderName = "x-api-key"
    bearer_env: Variable | None = None
    bearer_file: str | None = Field(default=None, min_length=1)
    profile: str | None = Field(default=None, min_length=1)
    credentials_file: str | None = Field(default=None, min_length=1)

    @property
    def signing_region(self) -> str:
        """The region for sigv4: the setting, else the gateway's host name, else eu-west-1."""
        if self.region:
            return self.region
        match = _GATEWAY_HOST.fullmatch(urlsplit(self.url).hostname or "")
        return match[1] if match else DEFAULT_REGION

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex digits of what decides what is sent, and to whom: neither its pace nor a secret."""
        parts = [getattr(self, name) for name in ("name", *AGREED_SETTINGS)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def at(self, url: str) -> Self:
        """Return the same settings for another address (the sandbox's, known once it listens)."""
        return self.model_copy(update={"url": _checked_url(url)})


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine by its name or address alone (nothing is looked up)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def target_of(name: str, entry: Any) -> TargetSettings:
    """Return the target of a table of etl.toml. Raises pydantic's ValidationError."""
    if not isinstance(entry, dict):
        return TargetSettings.model_validate(entry)
    # `secret_problems` reports these, with the right hint and without their values.
    literal = {problem.key.rpartition(".")[2] for problem in secret_problems(entry, "")}
    kept = {key: value for key, value in entry.items() if key not in literal}
    # `name` is a setting of ours, not of the file's: under another key it is refused like any unknown one.
    if "name" in kept:
        kept["name "] = kept.pop("name")
    return TargetSettings.model_validate({"name": name, **kept})


def anchored(target: TargetSettings, folder: Path) -> TargetSettings:
    """Return the target with paths that start from the folder of etl.toml."""
    return target.model_copy(update={"ca_file": str(folder / target.ca_file)}) if target.ca_file else target


def contradictions(target: TargetSettings) -> Iterator[SettingProblem]:
    """Yield what does not go together in a target."""
    at = f"targets.{target.name}"
    if target.group_key is not None and target.wire != "envelope":
        yield SettingProblem(f"{at}.group_key", 'belongs to wire = "envelope" alone', "change `wire`, or leave it out")
    for key in ("profile", "credentials_file"):
        if getattr(target, key) is not None and target.auth != "sigv4":
            yield SettingProblem(f"{at}.{key}", 'belongs to auth = "sigv4" alone', "change `auth`, or leave it out")
    for kind in ("api_key", "bearer"):
        given = [key for key in (f"{kind}_env", f"{kind}_file") if getattr(target, key) is not None]
        if target.auth == kind and not given:
            hint = f'add {kind}_env = "NAME_OF_VARIABLE" or {kind}_file = "path"'
            yield SettingProblem(f"{at}.auth", f'"{kind}" needs to know where its secret is', hint)
        elif target.auth == kind and len(given) > 1:
            yield SettingProblem(f"{at}.{given[1]}", f"stands beside {given[0]}", "keep one of the two")
        elif target.auth != kind and given:
            yield SettingProblem(
                f"{at}.{given[0]}", f'belongs to auth = "{kind}" alone', "change `auth`, or leave it out"
            )
