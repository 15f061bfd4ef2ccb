"""etl.toml and the environment → Settings, read once, at the edge. Knows no network.

Secrets stand in the environment or in files of their own; etl.toml only says where. They are looked up when a target is
about to be used (`Settings.credentials`), so that `check` and other targets never need them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from etl.aws_profile import DEFAULT_FILE, DEFAULT_PROFILE, ProfileError, profile_keys
from etl.contract import Wire
from etl.errors import SettingsError
from etl.settings_journal import JournalSettings, read_journal
from etl.settings_problems import SettingProblem, problems_of, raise_all, secret_problems

SANDBOX = "sandbox"
AGREED_SETTINGS = ("url", "wire", "group_key", "auth")
"""What decides what is sent and to whom; the others are pace and patience, or say where a secret is."""
DEFAULT_REGION = "eu-west-1"
CONFIG_NAME = "etl.toml"
REPORTS_FOLDER = "etl-reports"
"""Below the current directory: each run has a folder in it, unless another one is named."""

_GATEWAY_HOST = re.compile(r"[^.]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


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


def _checked_variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise PydanticCustomError("variable", "must be the name of an environment variable, not the secret")
    return value


def _checked_header(value: str) -> str:
    if not _HEADER_NAME.fullmatch(value):
        raise PydanticCustomError("header", "is not the name of a header")
    return value


_Url = Annotated[str, AfterValidator(_checked_url)]
_Variable = Annotated[str, AfterValidator(_checked_variable)]
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
    api_key_env: _Variable | None = None
    api_key_file: str | None = Field(default=None, min_length=1)
    api_key_header: _HeaderName = "x-api-key"
    bearer_env: _Variable | None = None
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


class Secret:
    """Text that shows itself to nobody but who calls `reveal`: no repr, no str, no pickling."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a target's `auth` needs: `secret` (key, token, or secret access key); the other two for sigv4 alone."""

    secret: Secret | None = None
    access_key: Secret | None = None
    session_token: Secret | None = None


class SourceSettings(BaseModel):
    """What may be read. `allow_private`: whether https:// may lead to a private network or to this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All targets, by name. `file`: the etl.toml read, None where there is none; `folder`: where `.etl` belongs."""

    folder: Path
    file: Path | None = None
    targets: Mapping[str, TargetSettings] = field(default_factory=dict)
    default_target: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    sources: SourceSettings = field(default_factory=SourceSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)

    def __reduce__(self) -> tuple[object, ...]:
        # The environment holds secrets; what crosses a process border never does.
        targets = dict(self.targets)
        return (
            Settings,
            (self.folder, self.file, targets, self.default_target, {}, self.sources, self.journal),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The targets there are: those of the file, then the sandbox."""
        return (*self.targets, SANDBOX)

    def target(self, name: str | None = None) -> TargetSettings:
        """Return the target of that name, else the default one; SettingsError lists the targets there are."""
        chosen = name or self.default_target
        known = "the targets are: " + ", ".join(self.names)
        if chosen is None:
            raise SettingsError(
                "no target is given, and there is no default_target", code="no-target",
                where=str(self.file or ""), hint=f"add --target NAME; {known}",
            )  # fmt: skip
        if chosen == SANDBOX:
            # Port 1 is never listened on: whoever starts the sandbox says where it is, with `at`.
            return TargetSettings(name=SANDBOX, url="http://127.0.0.1:1", rate=5000.0)
        if chosen not in self.targets:
            near = get_close_matches(chosen, self.names, n=1)
            hint = f"did you mean '{near[0]}'? {known}" if near else known
            where = str(self.file or "")
            raise SettingsError(f"unknown target '{chosen}'", code="unknown-target", where=where, hint=hint)
        return self.targets[chosen]

    def credentials(self, target: TargetSettings) -> Credentials:
        """Return the target's secrets, from the environment or from their files; SettingsError where one is missing."""
        if target.auth == "sigv4" and (target.profile or target.credentials_file):
            return self._of_profile(target)
        if target.auth == "sigv4":
            token = self.environ.get("AWS_SESSION_TOKEN")
            return Credentials(
                secret=self._variable("AWS_SECRET_ACCESS_KEY", target),
                access_key=self._variable("AWS_ACCESS_KEY_ID", target),
                session_token=self._variable("AWS_SESSION_TOKEN", target) if token else None,
            )
        if target.auth == "api_key":
            return Credentials(secret=self._secret(target.api_key_env, target.api_key_file, target))
        if target.auth == "bearer":
            return Credentials(secret=self._secret(target.bearer_env, target.bearer_file, target))
        return Credentials()

    def _of_profile(self, target: TargetSettings) -> Credentials:
        usual = self.environ.get("AWS_SHARED_CREDENTIALS_FILE") or DEFAULT_FILE
        path = self.folder / _expanded(target.credentials_file or usual, self.environ)
        profile = target.profile or DEFAULT_PROFILE
        try:
            keys = profile_keys(path, profile)
        except ProfileError as error:
            raise SettingsError(
                f"{path}: {error.message}; target '{target.name}' (auth = \"sigv4\") needs it",
                code="no-secret", where=str(self.file or ""), hint=error.hint,
            ) from error  # fmt: skip
        place = f"profile '{profile}' in {path}"
        return Credentials(
            secret=self._checked_secret(keys.secret, place, target),
            access_key=self._checked_secret(keys.access_key, place, target),
            session_token=self._checked_secret(keys.token, place, target) if keys.token else None,
        )

    def _secret(self, variable: str | None, file: str | None, target: TargetSettings) -> Secret:
        if variable is not None:
            return self._variable(variable, target)
        path = self.folder / _expanded(file or "", self.environ)
        try:
            text = path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"the secret of target '{target.name}' cannot be read from {path}", code="no-secret",
                where=str(self.file or ""), hint="create the file, with the secret alone in it, readable by you",
            ) from error  # fmt: skip
        return self._checked_secret(text, f"the file {path}", target)

    def _variable(self, variable: str, target: TargetSettings) -> Secret:
        value = self.environ.get(variable, "").strip()
        return self._checked_secret(value, f"the environment variable {variable}", target)

    def _checked_secret(self, text: str, place: str, target: TargetSettings) -> Secret:
        if not text:
            problem, hint = "is not set or empty", "put the secret there"
        elif not _HEADER_VALUE.fullmatch(text):
            problem, hint = "holds blanks or letters that no secret has", "put the secret there, alone, on one line"
        else:
            return Secret(text)
        raise SettingsError(
            f"{place} {problem}; target '{target.name}' (auth = \"{target.auth}\") needs it",
            code="no-secret", where=str(self.file or ""), hint=hint,
        )  # fmt: skip


def load_settings(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    """Return the settings of `config`, else of etl.toml in `cwd`, else none but the sandbox.

    Raises SettingsError, which names every wrong key at once; it never quotes a secret.
    """
    path = cwd / (config if config is not None else CONFIG_NAME)
    if config is None and not path.exists():
        return Settings(folder=cwd, environ=dict(environ))
    table = _read(path)
    problems = list(_shape_problems(table))
    entries = table.get("targets")
    targets: dict[str, TargetSettings] = {}
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        try:
            target = _target(name, entry)
        except ValidationError as error:
            problems += problems_of(error, f"targets.{name}", tuple(TargetSettings.model_fields))
        else:
            targets[name] = _anchored(target, path.parent)
            problems += _contradictions(target)
        if isinstance(entry, dict):
            problems += secret_problems(entry, f"targets.{name}")
    default = table.get("default_target")
    if isinstance(default, str) and isinstance(entries or {}, dict) and default not in {*(entries or {}), SANDBOX}:
        names = ", ".join([*(entries or {}), SANDBOX])
        problems.append(
            SettingProblem("default_target", f"there is no target '{default}'", f"the targets are: {names}")
        )
    sources = SourceSettings()
    try:
        sources = SourceSettings.model_validate(table.get("sources", {}))
    except ValidationError as error:
        problems += problems_of(error, "sources", tuple(SourceSettings.model_fields))
    journal = read_journal(table.get("journal", {}), problems)
    raise_all(str(path), problems)
    return Settings(path.parent, path, targets, default, dict(environ), sources, journal)


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine by its name or address alone (nothing is looked up)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        hint = "give the path of an etl.toml with --config, or leave it out"
        raise SettingsError("there is no such file", code="no-settings", where=str(path), hint=hint) from error
    except (OSError, UnicodeDecodeError) as error:
        hint = "it must be a readable text file in UTF-8"
        raise SettingsError("the file cannot be read", code="settings", where=str(path), hint=hint) from error
    except tomllib.TOMLDecodeError as error:
        hint = 'texts stand in quotes: url = "https://..."; tables in brackets: [targets.production]'
        raise SettingsError(f"not valid TOML: {error}", code="settings", where=str(path), hint=hint) from error


def _shape_problems(table: dict[str, Any]) -> Iterator[SettingProblem]:
    known = ("default_target", "targets", "sources", "journal")
    yield from secret_problems(table, "")
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"the keys are: {', '.join(known)}"
            yield SettingProblem(key, "unknown setting", hint)
    if not isinstance(table.get("default_target", ""), str):
        yield SettingProblem("default_target", "must be text", 'write it like default_target = "production"')
    entries = table.get("targets", {})
    if not isinstance(entries, dict):
        yield SettingProblem("targets", "must be tables", "write [targets.NAME] above a target's settings")
    elif SANDBOX in entries:
        yield SettingProblem(f"targets.{SANDBOX}", "the name is reserved", "it always exists; choose another name")


def _target(name: str, entry: Any) -> TargetSettings:
    if not isinstance(entry, dict):
        return TargetSettings.model_validate(entry)
    # `secret_problems` reports these, with the right hint and without their values.
    literal = {problem.key.rpartition(".")[2] for problem in secret_problems(entry, "")}
    kept = {key: value for key, value in entry.items() if key not in literal}
    # `name` is a setting of ours, not of the file's: under another key it is refused like any unknown one.
    if "name" in kept:
        kept["name "] = kept.pop("name")
    return TargetSettings.model_validate({"name": name, **kept})


def _anchored(target: TargetSettings, folder: Path) -> TargetSettings:
    return target.model_copy(update={"ca_file": str(folder / target.ca_file)}) if target.ca_file else target


def _contradictions(target: TargetSettings) -> Iterator[SettingProblem]:
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


def _expanded(file: str, environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / file[2:] if home and file.startswith("~/") else Path(file)
