"""The tables [on_finish.NAME] of etl.toml: who is told how a run ended. Holds no secret, only where secrets are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.utils import parseaddr
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from etl.settings.kinds import File, Variable
from etl.settings.problems import SettingProblem, problems_of
from etl.settings.target import is_loopback

KINDS = ("slack", "webhook", "email", "heartbeat")
PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""The usual port of each `security` of a mail server."""

_SANDBOX = "sandbox"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_SECRET_WORD = re.compile(r"(?i)token|secret|password|passwd|api_?key|^key$|^sig$|signature|^auth$|^code$")
_IN_URL = "holds a secret; none may stand in this file"
_NAME_IT = 'name where it is: {0}_env = "NAME_OF_VARIABLE" or {0}_file = "path"'
_LITERAL = {
    "password": "password", "secret": "secret", "token": "secret", "key": "secret", "signing_key": "secret",
    "webhook": "url", "webhook_url": "url",
}  # fmt: skip
_HINTS = {
    "kind": f"use one of {', '.join(KINDS)}", "when": "use one of trouble, always, never; trouble where it is left out",
    "url": 'write it like url = "https://hooks.example.com/etl"',
    "url_env": 'write it like url_env = "ETL_SLACK_URL"', "url_file": 'write it like url_file = "slack-url.txt"',
    "secret_env": 'write it like secret_env = "ETL_WEBHOOK_SECRET"',
    "secret_file": 'write it like secret_file = "webhook-secret.txt"',
    "password_env": 'write it like password_env = "ETL_MAIL_PASSWORD"',
    "password_file": 'write it like password_file = "mail-password.txt"',
    "ca_file": 'write it like ca_file = "company-ca.pem"', "host": 'write it like host = "mail.example.com"',
    "port": "587 for starttls, 465 for tls, 25 for none, where it is left out",
    "security": "use one of starttls, tls, none; starttls where it is left out",
    "user": 'write it like user = "etl"', "from": 'write it like from = "etl@example.com"',
    "to": 'write it like to = ["night@example.com"]',
    "fail": "true: trouble is told at once, at the same address with /fail behind it; false where it is left out",
    "start": "true: the beginning is told too, at the same address with /start behind it; false where it is left out",
    "bad_rows": "use one of fail, pass; pass: exit code 1 is success for it; fail where it is left out",
    "targets": 'write it like targets = ["production"]', "mappings": 'write it like mappings = ["newsletter"]',
    "method": "use one of get, post; get where it is left out",
}  # fmt: skip
_HEARTBEAT_WHEN = "a heartbeat is always sent; never switches it off"


def _checked_url(value: str) -> str:
    """Return an address that may stand in a file; never quotes it, since a secret may be in it."""
    problem = url_problem(value)
    if problem:
        raise PydanticCustomError("url", problem)
    if any(_SECRET_WORD.search(name) for name, _ in parse_qsl(urlsplit(value).query)):
        raise PydanticCustomError("url", _IN_URL)
    return value


def url_problem(value: str) -> str:
    """Return what is wrong with an address to send to, without quoting it; "" where it is right."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"} or not _PRINTABLE.fullmatch(value):
        return "is not an address; write it like https://hooks.example.com/etl"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password"
    if parts.fragment:
        return "must have no #"
    if parts.scheme == "http" and not is_loopback(host):
        return "must be https: plain http is allowed to this machine alone"
    return ""


def _checked_host(value: str) -> str:
    if not _PRINTABLE.fullmatch(value) or "/" in value or "@" in value:
        raise PydanticCustomError("variable", "is not the name of a mail server")
    return value


def _checked_address(value: str) -> str:
    if any(ord(sign) < 32 for sign in value) or not _ADDRESS.fullmatch(parseaddr(value)[1]):
        raise PydanticCustomError("variable", "is not an e-mail address")
    return value


def _checked_recipients(value: list[str]) -> list[str]:
    if not value:
        raise PydanticCustomError("variable", "names nobody")
    return value


_Url = Annotated[str, AfterValidator(_checked_url)]
_Address = Annotated[str, AfterValidator(_checked_address)]
When = Literal["trouble", "always", "never"]


class Notifier(BaseModel):
    """What all kinds have. `when`: on changes between good and bad alone, after every run, or never.

    `targets`, `mappings`: names of those that it is about, None: all, but for the sandbox, which must be named.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    kind: str
    when: When = "trouble"
    ca_file: File | None = None
    targets: list[str] | None = None
    mappings: list[str] | None = None

    def is_about(self, target: str, mapping: str) -> bool:
        """Whether it is told of runs of this mapping to this target; "": one that never got so far as to have one."""
        is_target = target in {"", *self.targets} if self.targets is not None else target != _SANDBOX
        return is_target and (self.mappings is None or mapping in self.mappings)


class SlackNotifier(Notifier):
    """An incoming webhook as Slack, Mattermost and Rocket.Chat have it; who knows its URL may write to the channel."""

    kind: Literal["slack"]
    url_env: Variable | None = None
    url_file: File | None = None


class WebhookNotifier(Notifier):
    """Any address that takes JSON; `secret_env`, `secret_file`: the key by which the body is signed."""

    kind: Literal["webhook"]
    url: _Url | None = None
    url_env: Variable | None = None
    url_file: File | None = None
    secret_env: Variable | None = None
    secret_file: File | None = None


class HeartbeatNotifier(Notifier):
    """A dead man's switch: it alarms when nothing comes. `fail`, `start`: whether trouble and start are told too.

    `bad_rows`: whether rows that went wrong, and nothing else (exit code 1), are trouble for it.
    """

    kind: Literal["heartbeat"]
    when: Literal["always", "never"] = "always"
    url: _Url | None = None
    url_env: Variable | None = None
    url_file: File | None = None
    fail: bool = False
    start: bool = False
    bad_rows: Literal["fail", "pass"] = "fail"
    method: Literal["get", "post"] = "get"


class EmailNotifier(Notifier):
    """A mail server. `security`: none is allowed to this machine alone; `port`: None: the usual one of PORTS."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_alias=True)

    kind: Literal["email"]
    host: Annotated[str, AfterValidator(_checked_host)]
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = Field(default=None, min_length=1)
    password_env: Variable | None = None
    password_file: File | None = None
    sender: _Address = Field(alias="from")
    to: Annotated[list[_Address], AfterValidator(_checked_recipients)]


_MODELS: Mapping[str, type[Notifier]] = {
    "slack": SlackNotifier, "webhook": WebhookNotifier, "email": EmailNotifier, "heartbeat": HeartbeatNotifier
}  # fmt: skip


def read_on_finish(table: Any, problems: list[SettingProblem]) -> tuple[Notifier, ...]:
    """Return the notifiers of the tables [on_finish.NAME], in order; what is wrong is added to `problems` instead."""
    if not isinstance(table, dict):
        problems.append(SettingProblem("on_finish", "must be tables", "write [on_finish.NAME] above their settings"))
        return ()
    found = []
    for name, entry in table.items():
        own: list[SettingProblem] = []
        notifier = _notifier(name, entry, own)
        problems += own
        if notifier is not None and not own:
            found.append(notifier)
    return tuple(found)


def _notifier(name: str, entry: Any, problems: list[SettingProblem]) -> Notifier | None:
    at = f"on_finish.{name}"
    if not _NAME.fullmatch(name):
        problems.append(
            SettingProblem("on_finish", "a name has other signs than letters, digits, - and _", "rename it")
        )
        return None
    if not isinstance(entry, dict):
        problems.append(SettingProblem(at, "must be a table", f"write [{at}] above its settings"))
        return None
    kind = entry.get("kind")
    if kind not in KINDS:
        known = 'write kind = "slack", or webhook, email, heartbeat'
        problems.append(SettingProblem(f"{at}.kind", "is missing" if kind is None else "is none that is known", known))
        return None
    problems += _secrets(entry, at, kind)
    model = _MODELS[kind]
    kept = {key: value for key, value in entry.items() if _literal(key, kind) is None}
    # `name` is a setting of ours, not of the file's: under another key it is refused like any unknown one.
    if "name" in kept:
        kept["name "] = kept.pop("name")
    if kind == "email" and isinstance(kept.get("to"), str):
        kept["to"] = [kept["to"]]
    try:
        notifier = model.model_validate({"name": name, **kept})
    except ValidationError as error:
        known_keys = tuple(one.alias or key for key, one in model.model_fields.items())
        problems += [_hinted(one, at, kind) for one in problems_of(error, at, known_keys)]
        return None
    told = {problem.key for problem in problems}
    problems += [one for one in _contradictions(notifier, at) if one.key not in told]
    return notifier


def _literal(key: str, kind: str) -> str | None:
    """Return the stem of the settings that say where a secret is, where `key` is a name for the secret itself."""
    word = key.lower().replace("-", "_")
    return "url" if kind == "slack" and word == "url" else _LITERAL.get(word)


def _secrets(entry: Mapping[str, Any], at: str, kind: str) -> Iterator[SettingProblem]:
    for key in entry:
        stem = _literal(key, kind)
        if stem is not None:
            yield SettingProblem(f"{at}.{key}", "no secret may stand in this file", _NAME_IT.format(stem))


def _hinted(problem: SettingProblem, at: str, kind: str) -> SettingProblem:
    key = problem.key.removeprefix(f"{at}.").split(".")[0]
    if problem.message == _IN_URL:
        return replace(problem, hint=_NAME_IT.format("url"))
    if key == "when" and kind == "heartbeat":
        return replace(problem, hint=_HEARTBEAT_WHEN)
    if problem.message == "unknown setting" or problem.message.endswith("words allowed"):
        return problem
    return replace(problem, hint=_HINTS.get(key, problem.hint))


def _contradictions(notifier: Notifier, at: str) -> Iterator[SettingProblem]:
    for stem in ("url", "secret", "password"):
        places = [name for name in (stem, f"{stem}_env", f"{stem}_file") if getattr(notifier, name, None) is not None]
        for second in places[1:]:
            yield SettingProblem(f"{at}.{second}", f"stands beside {places[0]}", "keep one of the two")
        is_needed = stem != "password" and hasattr(notifier, f"{stem}_env")
        if is_needed and not places:
            yield SettingProblem(f"{at}.{stem}", _MISSING[stem], _NAME_IT.format(stem))
    if isinstance(notifier, EmailNotifier):
        yield from _of_mail(notifier, at)


_MISSING = {"url": "its address is missing", "secret": "the key that signs the body is missing"}


def _of_mail(mail: EmailNotifier, at: str) -> Iterator[SettingProblem]:

    has_password = mail.password_env is not None or mail.password_file is not None
    if mail.user is not None and not has_password:
        yield SettingProblem(f"{at}.user", "its password is missing", _NAME_IT.format("password"))
    if has_password and mail.user is None:
        yield SettingProblem(f"{at}.user", "is missing", "a password needs a user")
    if mail.security == "none" and not is_loopback(mail.host):
        hint = "use starttls or tls: mail without encryption is allowed to this machine alone"
        yield SettingProblem(f"{at}.security", "none to another machine", hint)
