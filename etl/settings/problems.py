"""What is wrong in etl.toml, as text: key, what is wrong, what is right. Never quotes what may be a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from etl.errors import SettingsError

_OTHER_WORDS = {
    "timeout": "deadline", "read_timeout": "deadline", "base_url": "url", "endpoint": "url", "address": "url",
    "authentication": "auth", "workers": "concurrency", "rps": "rate", "rate_limit": "rate", "max_retries": "retries",
    "header": "api_key_header", "groupkey": "group_key",
}  # fmt: skip
_LITERAL = {
    "api_key": "api_key_env", "apikey": "api_key_env", "key": "api_key_env", "x_api_key": "api_key_env",
    "bearer": "bearer_env", "token": "bearer_env", "bearer_token": "bearer_env",
    "secret": "api_key_env", "password": "api_key_env", "api_secret": "api_key_env",
}  # fmt: skip
_AWS = re.compile(r"(aws_)?(access_key(_id)?|secret_(access_)?key|session_token|secret_access_key)")
_TYPES = {
    "int_type": "a whole number", "float_type": "a number", "string_type": "text", "model_type": "a table",
    "bool_type": "true or false", "list_type": "a list",
}  # fmt: skip
_HINTS = {
    "url": 'write it like url = "https://example.com/Production"', "group_key": 'write it like group_key = "main"',
    "wire": "use one of fields, envelope", "auth": "use one of sigv4, api_key, bearer, none",
    "rate": "requests a second, from 0.1 to 10000; 50 where it is left out",
    "concurrency": "requests at a time, from 1 to 256; 16 where it is left out",
    "connect_timeout": "seconds, up to 60; 5 where it is left out",
    "deadline": "seconds for a whole request, up to 600; 35 where it is left out",
    "retries": "repeats after the first try, up to 20; 4 where it is left out",
    "region": 'write it like region = "eu-west-1"', "ca_file": 'write it like ca_file = "company-ca.pem"',
    "api_key_env": 'write it like api_key_env = "ETL_API_KEY"',
    "api_key_file": 'write it like api_key_file = "api-key.txt"',
    "api_key_header": 'write it like api_key_header = "x-api-key"',
    "bearer_env": 'write it like bearer_env = "ETL_TOKEN"', "bearer_file": 'write it like bearer_file = "token.txt"',
    "profile": 'write it like profile = "etl"',
    "credentials_file": 'write it like credentials_file = "aws-credentials"',
    "allow_private": "write it like allow_private = true",
}  # fmt: skip
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_-]{1,12}")


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One wrong setting: its dotted key, what is wrong, and what is right."""

    key: str
    message: str
    hint: str


def secret_problems(table: Mapping[str, Any], at: str) -> Iterator[SettingProblem]:
    """Yield a problem for each key under which a secret itself seems to stand."""
    for key in table:
        name = key.lower().replace("-", "_")
        where = f"{at}.{key}" if at else key
        if _AWS.fullmatch(name):
            hint = "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) in the environment"
            yield SettingProblem(where, "no secret may stand in this file", hint)
        elif name in _LITERAL:
            kind = _LITERAL[name]
            hint = f'name where it is: {kind} = "NAME_OF_VARIABLE" or {kind[:-4]}_file = "path"'
            yield SettingProblem(where, "no secret may stand in this file", hint)


def problems_of(error: ValidationError, at: str, known: Sequence[str]) -> Iterator[SettingProblem]:
    """Yield pydantic's findings in our words; `at` is the dotted key of the table, `known` its keys."""
    for found in error.errors():
        key = ".".join([at, *(str(part) for part in found["loc"])]).strip()
        yield SettingProblem(key, *_worded(found, known))


def raise_all(file: str, problems: Sequence[SettingProblem]) -> None:
    """Raise one SettingsError for all problems; do nothing where there is none."""
    if not problems:
        return
    if len(problems) == 1:
        (one,) = problems
        raise SettingsError(one.message, code="settings", where=f"{file}: {one.key}", hint=one.hint)
    lines = "".join(f"\n  {p.key}: {p.message} (hint: {p.hint})" for p in problems)
    raise SettingsError(f"{len(problems)} settings are wrong{lines}", code="settings", where=file)


def _worded(found: Any, known: Sequence[str]) -> tuple[str, str]:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown setting", _unknown_hint(str(found["loc"][-1]).strip().lower(), known)
    if kind == "missing":
        return "is missing", f"add {found['loc'][-1]} = ..."
    if kind == "literal_error":
        return _literal(found["input"], str(context.get("expected", "")))
    if kind in {"url", "variable", "header", "formats"}:
        return found["msg"], _HINTS.get(str(found["loc"][-1]), _HINTS["url"])
    table = "[sources]" if "allow_private" in known else "[targets.NAME]"
    hint = _HINTS.get(str(found["loc"][-1]) if found["loc"] else "", f"write {table} above its settings")
    wanted = _TYPES.get(kind) or found["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"must be {wanted}", hint


def _unknown_hint(key: str, known: Sequence[str]) -> str:
    names = [name for name in known if name != "name"]
    near = [_OTHER_WORDS[key]] if key in _OTHER_WORDS else get_close_matches(key, names, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else f"the settings are: {', '.join(names)}"


def _literal(value: Any, expected: str) -> tuple[str, str]:
    choices = re.findall(r"'([^']*)'", expected)
    hint = f"use one of {', '.join(choices)}"
    if not isinstance(value, str) or not _PLAIN_WORD.fullmatch(value):
        return "is not one of the words allowed", hint
    near = get_close_matches(value.lower(), choices, n=1)
    return f"'{value}' is not one of the words allowed", f"did you mean '{near[0]}'? {hint}" if near else hint
