"""etl.toml and the environment → Settings, read once, at the edge. Knows no network.

Secrets stand in the environment or in files of their own; etl.toml only says where. They are looked up when a target is
about to be used (`Settings.credentials`), so that `check` and other targets never need them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError

from etl.errors import SettingsError
from etl.settings.aws_profile import DEFAULT_FILE, DEFAULT_PROFILE, ProfileError, profile_keys
from etl.settings.journal import JournalSettings, read_journal
from etl.settings.log import LogSettings, TelemetrySettings, read_log, read_telemetry
from etl.settings.on_finish import Notifier, read_on_finish
from etl.settings.problems import SettingProblem, problems_of, raise_all, secret_problems
from etl.settings.report import ReportSettings, read_report
from etl.settings.target import AGREED_SETTINGS, TargetSettings, anchored, contradictions, is_loopback, target_of
from etl.settings.watch import WatchRule, read_watch

__all__ = [
    "AGREED_SETTINGS",
    "CONFIG_NAME",
    "REPORTS_FOLDER",
    "SANDBOX",
    "Credentials",
    "Secret",
    "Settings",
    "SourceSettings",
    "TargetSettings",
    "is_loopback",
    "load_settings",
]

SANDBOX = "sandbox"
CONFIG_NAME = "etl.toml"
REPORTS_FOLDER = "etl-reports"
"""Below the current directory: each run has a folder in it, unless another one is named."""

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


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
    report: ReportSettings = field(default_factory=ReportSettings)
    log: LogSettings = field(default_factory=LogSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    on_finish: tuple[Notifier, ...] = ()
    watch: tuple[WatchRule, ...] = ()

    def __reduce__(self) -> tuple[object, ...]:
        # The environment holds secrets; what crosses a process border never does.
        kept = {one.name: getattr(self, one.name) for one in fields(self)} | {"environ": {}}
        return (_settings, (kept | {"targets": dict(self.targets)},))

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
            target = target_of(name, entry)
        except ValidationError as error:
            problems += problems_of(error, f"targets.{name}", tuple(TargetSettings.model_fields))
        else:
            targets[name] = anchored(target, path.parent)
            problems += contradictions(target)
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
    report = read_report(table.get("report", {}), problems)
    log, telemetry = read_log(table.get("log", {}), problems), read_telemetry(table.get("telemetry", {}), problems)
    on_finish = read_on_finish(table.get("on_finish", {}), problems)
    problems += [
        SettingProblem(
            f"on_finish.{one.name}.targets", f"there is no target '{name}'",
            f"the targets are: {', '.join([*(entries if isinstance(entries, dict) else ()), SANDBOX])}",
        )
        for one in on_finish for name in one.targets or () if name not in {*(entries or {}), SANDBOX}
    ]  # fmt: skip
    watch = read_watch(table.get("watch", []), path.parent, problems)
    raise_all(str(path), problems)
    return Settings(
        path.parent, path, targets, default, dict(environ), sources, journal,
        report=report, log=log, telemetry=telemetry, watch=watch, on_finish=on_finish,
    )  # fmt: skip


def _settings(kept: Mapping[str, Any]) -> Settings:
    return Settings(**kept)


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
    known = ("default_target", "targets", "sources", "journal", "report", "log", "telemetry", "watch", "on_finish")
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


def _expanded(file: str, environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / file[2:] if home and file.startswith("~/") else Path(file)
