"""The table [report] of etl.toml: which reports are written, and what they show of people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from etl import view as views
from etl.settings.problems import SettingProblem, problems_of
from etl.view import WORDS, View

_HINTS = {
    "report": "write [report] above its settings",
    "formats": f'write it like formats = ["html", "xlsx"]; the reports are {", ".join(WORDS)}',
    "redact": "true: keys and values stand in no report; false where it is left out",
    "view": f"use one of {', '.join(View)}; full where it is left out",
}


class ReportSettings(BaseModel):
    """`formats`: words of WORDS; `redact`: the same as view = "pseudonymous"; `view`: what is shown of people."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    formats: list[str] = Field(default_factory=lambda: list(views.DEFAULT))
    redact: bool = False
    view: Literal["full", "pseudonymous", "aggregate"] | None = None

    @field_validator("formats")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        unknown = [word for word in value if word not in WORDS]
        if unknown:
            raise PydanticCustomError("formats", "names '{word}', which is no report", {"word": unknown[0]})
        return list(dict.fromkeys(("csv", *value)))

    @property
    def shown(self) -> View:
        """What reports show of people."""
        if self.view is not None:
            return View(self.view)
        return View.PSEUDONYMOUS if self.redact else View.FULL


def read_report(table: Any, problems: list[SettingProblem]) -> ReportSettings:
    """Return the settings of the table [report]; adds what is wrong to `problems`, and then returns the defaults."""
    try:
        settings = ReportSettings.model_validate(table)
    except ValidationError as error:
        found = problems_of(error, "report", tuple(ReportSettings.model_fields))
        problems += [replace(one, hint=_HINTS.get(one.key.split(".")[-1], one.hint)) for one in found]
        return ReportSettings()
    if settings.redact and settings.view == "full":
        problems.append(SettingProblem("report.view", "full contradicts redact = true", "keep one of the two"))
    return settings
