"""The tables [log] and [telemetry] of etl.toml: what is logged where, and who else is told how a run goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etl.settings.problems import SettingProblem, problems_of

ENDPOINT_VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
"""OpenTelemetry's own names for where to send to (opentelemetry.io, "OTLP Exporter Configuration")."""
_HINTS = {
    "log": "write [log] above its settings",
    "telemetry": "write [telemetry] above its settings",
    "level": "use one of debug, info, warning, error; info where it is left out",
    "file": 'write it like file = "etl.log"',
    "format": "use one of auto, json, console; auto where it is left out: JSON unless a person looks",
    "otel": "true: traces and metrics go to OTEL_EXPORTER_OTLP_ENDPOINT; false: never",
    "textfile": 'write it like textfile = "/var/lib/node_exporter/textfile/etl.prom"',
}


class LogSettings(BaseModel):
    """What is logged. `level`: None where nobody said so: info, and on a terminal warning; `file`: JSON lines.

    `format`: of what stands on stderr; `auto`: JSON lines, and for a person on a terminal lines to read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    level: Literal["debug", "info", "warning", "error"] | None = None
    file: str | None = Field(default=None, min_length=1)
    format: Literal["auto", "json", "console"] = "auto"


class TelemetrySettings(BaseModel):
    """Who else is told. `otel`: None: where the environment names an endpoint, and the extra is installed.

    `textfile`: for Prometheus' node exporter: a file, a folder, or a name with {mapping} and {target} in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    otel: bool | None = None
    textfile: str | None = Field(default=None, min_length=1)

    def wants_otel(self, environ: Mapping[str, str]) -> bool:
        """Whether traces and metrics are asked for, by the setting or else by the standard variables."""
        if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return False
        if self.otel is not None:
            return self.otel
        return any(environ.get(name, "").strip() for name in ENDPOINT_VARIABLES)


_Table = TypeVar("_Table", bound=BaseModel)


def read_log(table: Any, problems: list[SettingProblem]) -> LogSettings:
    """Return the settings of the table [log]; adds what is wrong to `problems`, and then returns the defaults."""
    return _read(LogSettings, "log", table, problems)


def read_telemetry(table: Any, problems: list[SettingProblem]) -> TelemetrySettings:
    """Return the settings of the table [telemetry]; adds what is wrong to `problems`, and then returns the defaults."""
    return _read(TelemetrySettings, "telemetry", table, problems)


def anchored(path: str, folder: Path) -> Path:
    """Return a path of etl.toml: relative ones start at its folder, `~` is the home."""
    return folder / Path(path).expanduser()


def _read(kind: type[_Table], name: str, table: Any, problems: list[SettingProblem]) -> _Table:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        found = problems_of(error, name, tuple(kind.model_fields))
        problems += [one if one.message == "unknown setting" else _hinted(one) for one in found]
        return kind()


def _hinted(problem: SettingProblem) -> SettingProblem:
    return replace(problem, hint=_HINTS.get(problem.key.rpartition(".")[2], problem.hint))
