"""The tables [[watch]] of etl.toml: which file that comes in belongs to which mapping, and how it is to be run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from etl.errors import SettingsError
from etl.guards import parse_limit
from etl.settings.problems import SettingProblem, problems_of

_TABLES = 'write [[watch]] above each rule: pattern = "contacts*.csv", mapping = "mappings/contacts.yaml"'
_HINTS = {
    "pattern": 'write it like pattern = "contacts*.csv": the names of files, without a folder',
    "mapping": 'write it like mapping = "mappings/contacts.yaml", seen from the folder of etl.toml',
    "target": 'write it like target = "production"; default_target where it is left out',
    "sheet": 'write it like sheet = "Contacts"',
    "only_changed": "write it like only_changed = true; as the mapping says where it is left out",
    "revive": "write it like revive = true", "yes": "write it like yes = true: nobody is there to be asked",
    "fail_over": 'write it like fail_over = "2%", or a number of rows',
    "max_deletes": "write it like max_deletes = 500", "max_clears": "write it like max_clears = 100",
}  # fmt: skip


def _checked_pattern(value: str) -> str:
    if "/" in value or "\\" in value:
        raise PydanticCustomError("pattern", "the pattern of a name, without a folder")
    return value


def _checked_limit(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    try:
        parse_limit(text, "")
    except SettingsError:
        raise PydanticCustomError("limit", "a number of rows, or a share of them") from None
    return text


_Text = Annotated[str, Field(min_length=1)]
_Limit = Annotated[str | None, BeforeValidator(_checked_limit)]


class WatchRule(BaseModel):
    """Files whose name `pattern` matches belong to `mapping`, and are run as the other settings say (None: default).

    `pattern`: as a shell has it, on the name alone, upper and lower case being the same. `mapping`: a path from the
    folder of etl.toml. `only_changed`: None: as the mapping says. `yes`: deletions and events created again are not
    asked about; without it they stop a run, since nobody is there. `only_changed` false sends contacts again, never
    an event.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    pattern: Annotated[_Text, AfterValidator(_checked_pattern)] = "*"
    mapping: _Text
    target: _Text | None = None
    sheet: _Text | None = None
    only_changed: bool | None = None
    revive: bool = False
    yes: bool = False
    fail_over: _Limit = None
    max_deletes: _Limit = None
    max_clears: _Limit = None

    def with_flags(self, flags: Mapping[str, Any]) -> WatchRule:
        """Return the rule with what was given on the command line, which goes before what stands here."""
        given = {name: flags.get(name) for name in type(self).model_fields if name not in {"pattern", "mapping"}}
        return self.model_copy(update={name: value for name, value in given.items() if value not in (None, False)})


def read_watch(tables: Any, folder: Path, problems: list[SettingProblem]) -> tuple[WatchRule, ...]:
    """Return the rules, in their order, mappings as paths from `folder`; adds what is wrong to `problems`."""
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        problems.append(SettingProblem("watch", "must be a list of tables", _TABLES))
        return ()
    rules: list[WatchRule] = []
    for number, table in enumerate(tables, start=1):
        try:
            rule = WatchRule.model_validate(table)
        except ValidationError as error:
            problems += _hinted(problems_of(error, f"watch.{number}", tuple(WatchRule.model_fields)))
        else:
            rules.append(rule.model_copy(update={"mapping": str(folder / Path(rule.mapping).expanduser())}))
    return tuple(rules)


def _hinted(found: Iterator[SettingProblem]) -> Iterator[SettingProblem]:
    for problem in found:
        if problem.message == "unknown setting":
            yield problem
            continue
        yield replace(problem, hint=_HINTS.get(problem.key.rpartition(".")[2], _TABLES))
