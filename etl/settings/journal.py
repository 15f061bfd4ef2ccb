"""The table [journal] of etl.toml: where the memory between runs is kept, and how keys stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from etl.settings.kinds import File, Variable
from etl.settings.problems import SettingProblem, problems_of

JOURNAL_FILE = Path(".etl") / "journal.db"
"""Below the folder of etl.toml, else below the current one."""
KEEP_DAYS = 400
"""How long runs and deliveries are kept: a year, and a month to look back on it."""

_HINTS = {
    "journal": "write [journal] above its settings", "path": 'write it like path = "memory/journal.db"',
    "url": 'write it like url = "postgresql://etl@db.example.com/etl"',
    "password_env": 'write it like password_env = "ETL_JOURNAL_PASSWORD"',
    "password_file": 'write it like password_file = "journal-password.txt"',
    "key_env": 'write it like key_env = "ETL_JOURNAL_KEY"', "key_file": 'write it like key_file = "journal.key"',
    "keep_days": f"days that runs are kept; {KEEP_DAYS} where it is left out",
    "reconnect_seconds": "seconds that a database which is gone is waited for; 60 where it is left out",
}  # fmt: skip
_IN_URL = "holds a password; no secret may stand in this file"
_NAME_IT = 'name where it is: {0}_env = "NAME_OF_VARIABLE" or {0}_file = "path"'
_LITERAL = {
    "password": "password", "secret": "password", "token": "password", "pgpassword": "password",
    "key": "key", "hash_key": "key", "hashing_key": "key",
}  # fmt: skip


def _checked_url(value: str) -> str:
    """Return a PostgreSQL URL; never quotes it, since a password may stand in it."""
    try:
        parts = urlsplit(value)
        password = parts.password
        asked = parse_qs(parts.query)
    except ValueError:
        raise PydanticCustomError("url", "is not the address of a PostgreSQL database") from None
    if parts.scheme not in {"postgresql", "postgres"} or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise PydanticCustomError("url", "is not the address of a PostgreSQL database")
    if password is not None or any(name.lower() in {"password", "sslpassword"} for name in asked):
        raise PydanticCustomError("url", _IN_URL)
    return value


class JournalSettings(BaseModel):
    """Where the journal is: a file (`path`), or a PostgreSQL database (`url`, without its password).

    `keys`: whether a person's key stands in it as a keyed hash or as text; `key_env`, `key_file`: the hashing key, else
    a file beside the database; `keep_days`: age after which runs and their deliveries are removed;
    `reconnect_seconds`: how long a database that is gone is waited for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: File | None = None
    url: Annotated[str, AfterValidator(_checked_url)] | None = None
    password_env: Variable | None = None
    password_file: File | None = None
    keys: Literal["hashed", "plain"] = "hashed"
    key_env: Variable | None = None
    key_file: File | None = None
    keep_days: int = Field(default=KEEP_DAYS, ge=1, le=36_500)
    reconnect_seconds: float = Field(default=60.0, ge=0, le=3_600, allow_inf_nan=False)

    def file(self, folder: Path) -> Path:
        """Return the database file; `folder`: what a relative path starts from."""
        return folder / (Path(self.path).expanduser() if self.path is not None else JOURNAL_FILE)


def read_journal(table: Any, problems: list[SettingProblem]) -> JournalSettings:
    """Return the settings of the table [journal]; adds what is wrong to `problems`, and then returns the defaults."""
    found = list(_secrets(table)) if isinstance(table, dict) else []
    kept = {key: value for key, value in table.items() if _literal(key) is None} if isinstance(table, dict) else table
    try:
        settings = JournalSettings.model_validate(kept)
    except ValidationError as error:
        found += [_hinted(p) for p in problems_of(error, "journal", tuple(JournalSettings.model_fields))]
        settings = JournalSettings()
    else:
        found += _contradictions(settings)
    problems += found
    return settings


def _secrets(table: Mapping[str, Any]) -> Iterator[SettingProblem]:
    for key in table:
        kind = _literal(key)
        if kind is not None:
            yield SettingProblem(f"journal.{key}", "no secret may stand in this file", _NAME_IT.format(kind))


def _hinted(problem: SettingProblem) -> SettingProblem:
    if problem.message == _IN_URL:
        return replace(problem, hint=f"leave it out, and {_NAME_IT.format('password')}")
    if problem.message == "unknown setting" or problem.message.endswith("words allowed"):
        return problem
    return replace(problem, hint=_HINTS.get(problem.key.rpartition(".")[2], problem.hint))


def _literal(key: str) -> str | None:
    return _LITERAL.get(key.lower().replace("-", "_"))


def _contradictions(settings: JournalSettings) -> Iterator[SettingProblem]:
    for first, second in (("path", "url"), ("password_env", "password_file"), ("key_env", "key_file")):
        if getattr(settings, first) is not None and getattr(settings, second) is not None:
            yield SettingProblem(f"journal.{second}", f"stands beside {first}", "keep one of the two")
    if settings.url is None:
        for name in ("password_env", "password_file"):
            if getattr(settings, name) is not None:
                yield SettingProblem(f"journal.{name}", "belongs to `url` alone", "add `url`, or leave it out")
