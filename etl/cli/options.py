"""Flags that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from etl.view import DEFAULT, WORDS, View

Command = TypeVar("Command", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)
LEVELS = ("debug", "info", "warning", "error")


class Number(click.ParamType[float]):
    """A number from `least` to `most`; whole, unless `fractions`. The help keeps silent about the range."""

    name = "number"

    def __init__(self, least: float, most: float, *, fractions: bool = False) -> None:
        self._least, self._most, self._convert = least, most, float if fractions else int

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; a usage error where `value` is none, or out of range."""
        try:
            number = self._convert(value)
        except ValueError:
            number = None
        if number is None or not self._least <= number <= self._most:
            kind = "a whole number" if self._convert is int else "a number"
            self.fail(f"'{value}' is not {kind} from {self._least:,} to {self._most:,}", param, ctx)
        return number


class Words(click.ParamType[tuple[str, ...]]):
    """Words of a list, with commas between."""

    name = "list"

    def __init__(self, known: tuple[str, ...]) -> None:
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the words, each once; a usage error where one is not known."""
        words = [word.strip().lower() for word in value.split(",") if word.strip()] if isinstance(value, str) else value
        for word in words:
            if word not in self._known:
                self.fail(f"'{word}' is none of {', '.join(self._known)}", param, ctx)
        return tuple(dict.fromkeys(words))


MANY = 10**12

target = click.option("--target", metavar="NAME", help="Where to: a target of etl.toml, or sandbox.")
config = click.option("--config", type=_PATH, metavar="FILE", help="Settings to use.  [default: ./etl.toml, if there]")
sheet = click.option("--sheet", metavar="NAME", help="The workbook's sheet.  [default: found by the mapping's columns]")
as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout; everything else goes to stderr.")

_DEADLINE = click.option("--deadline", metavar="TIME", help="Begin nothing more after 06:00, or after 2h.")
_REVIVE = click.option("--revive", is_flag=True, help="Bring back contacts that were deleted through us.")
_QUIET = click.option("--quiet", is_flag=True, help="Only errors and the paths of the reports.")
_PACE = (
    click.option(
        "--rate",
        type=Number(0.1, 10_000, fractions=True),
        metavar="N",
        help="Requests a second, over all connections.",
    ),
    click.option("--concurrency", type=Number(1, 256), metavar="N", help="Connections at once."),
    click.option(
        "--canary", type=Number(0, 1000), metavar="N",
        help="Rows of each action that go alone before the others.  [default: 1]",
    ),
    _DEADLINE,
)  # fmt: skip
_LIMITS = (
    click.option("--fail-over", metavar="N|N%", help="Stop if more rows than this are invalid, or refused."),
    click.option("--max-deletes", metavar="N|N%", help="Send nothing if more contacts than this would be deleted."),
    click.option("--max-clears", metavar="N|N%", help="Send nothing if more fields than this would be cleared."),
    click.option(
        "--accept-file", is_flag=True, help="Take the file, though it is not what the mapping expects (source: expect)."
    ),
    click.option("--yes", is_flag=True, help="Delete, and create events again, without asking."),
)
_REPORTS = (
    click.option(
        "--reports", type=Words(WORDS), metavar="LIST",
        help=f"Which reports: {','.join(WORDS)}; csv always.  [default: {','.join(DEFAULT)}]",
    ),
    click.option("--redact", is_flag=True, help="A token in the place of every key and value, the same for the same."),
    click.option(
        "--view", type=click.Choice([one.value for one in View]),
        help="What reports show of people: all, tokens (as --redact), or counts alone.",
    ),
)  # fmt: skip
_LOG = (
    click.option(
        "--log-level", type=click.Choice(LEVELS), metavar="LEVEL",
        help=f"The least that is logged: {', '.join(LEVELS)}.  [default: info; on a terminal warning]",
    ),
    click.option("--log-file", type=_PATH, metavar="FILE", help="Log there as well, a JSON object a line."),
)  # fmt: skip
_SHOWN = (
    _QUIET,
    as_json,
    config,
)
_RUN = (
    target,
    click.option(
        "--out", type=_PATH, metavar="DIR", help="Folder for the reports.  [default: a new one in ./etl-reports]"
    ),
    click.option("--limit", type=Number(1, MANY), metavar="N", help="Take the first N rows alone."),
    sheet,
    click.option(
        "--only-changed/--all", default=None,
        help="Leave alone what was confirmed before, or nothing.  [default: as the mapping says]",
    ),
    _REVIVE,
    *_PACE,
    *_LIMITS,
    *_REPORTS,
    *_LOG,
    *_SHOWN,
)  # fmt: skip


def run_flags(function: Command) -> Command:
    """Add the flags that `run` and `check` share."""
    for option in reversed(_RUN):
        function = option(function)
    return function


def watch_flags(function: Command) -> Command:
    """Add the flags of a run that make sense for each file of many, without somebody there to watch it."""
    changed = click.option("--only-changed", is_flag=True, help="Leave alone what was confirmed before.")
    pace = (option for option in _PACE if option is not _DEADLINE)
    for option in reversed((target, sheet, changed, _REVIVE, *pace, *_LIMITS, *_REPORTS, *_LOG, _QUIET, config)):
        function = option(function)
    return function


def sitting_flags(function: Command) -> Command:
    """Add the flags of `resume` and `retry`: what is not about the rows themselves."""
    for option in reversed((*_PACE, *_LIMITS, *_REPORTS, *_LOG, *_SHOWN)):
        function = option(function)
    return function


def mapping_and_files(function: Command) -> Command:
    """Add the arguments MAPPING FILE..."""
    # Text as it is given: a path would lose a slash of s3://, and a pattern or `-` is no path.
    function = click.argument("files", nargs=-1, required=True, metavar="FILE...")(function)
    return click.argument("mapping", type=_PATH)(function)
