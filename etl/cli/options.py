"""Flags that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)


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


MANY = 10**12

target = click.option("--target", metavar="NAME", help="Where to: a target of etl.toml, or sandbox.")
config = click.option("--config", type=_PATH, metavar="FILE", help="Settings to use.  [default: ./etl.toml, if there]")
sheet = click.option("--sheet", metavar="NAME", help="The workbook's sheet.  [default: found by the mapping's columns]")
as_json = click.option("--json", "as_json", is_flag=True, help="JSON on stdout; everything else goes to stderr.")

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
    click.option("--deadline", metavar="TIME", help="Begin nothing more after 06:00, or after 2h."),
)  # fmt: skip
_LIMITS = (
    click.option("--fail-over", metavar="N|N%", help="Stop if more rows than this are invalid, or refused."),
    click.option("--max-deletes", metavar="N|N%", help="Send nothing if more contacts than this would be deleted."),
    click.option("--max-clears", metavar="N|N%", help="Send nothing if more fields than this would be cleared."),
    click.option("--yes", is_flag=True, help="Delete, and create events again, without asking."),
)
_SHOWN = (
    click.option("--quiet", is_flag=True, help="Only errors and the paths of the reports."),
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
    click.option("--revive", is_flag=True, help="Bring back contacts that were deleted through us."),
    *_PACE,
    *_LIMITS,
    *_SHOWN,
)  # fmt: skip


def run_flags(function: Command) -> Command:
    """Add the flags that `run` and `check` share."""
    for option in reversed(_RUN):
        function = option(function)
    return function


def sitting_flags(function: Command) -> Command:
    """Add the flags of `resume` and `retry`: what is not about the rows themselves."""
    for option in reversed((*_PACE, *_LIMITS, *_SHOWN)):
        function = option(function)
    return function


def mapping_and_files(function: Command) -> Command:
    """Add the arguments MAPPING FILE..."""
    # Text as it is given: a path would lose a slash of s3://, and a pattern or `-` is no path.
    function = click.argument("files", nargs=-1, required=True, metavar="FILE...")(function)
    return click.argument("mapping", type=_PATH)(function)
