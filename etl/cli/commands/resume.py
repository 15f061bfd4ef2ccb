"""`etl resume`: go on with a run that stopped, was interrupted or died."""

from __future__ import annotations

from typing import Any

import click

from etl.cli import options
from etl.cli.running import carry_on


@click.command(
    epilog="""\b
Examples:
  etl resume 20261124-020000-1f3a
  etl resume last --deadline 06:00
"""
)
@click.argument("run")
@options.sitting_flags
def command(run: str, **flags: Any) -> int:
    """Go on with RUN where it stopped: what was confirmed is not sent again.

    RUN is an id of `etl runs`, the beginning of one, or last. Mapping, files, target and flags are those of the run,
    and must be what they were. A request of which no outcome is known is repeated if it may be (contacts, or events
    whose record says `unknown: retry`), else its row ends as unknown. A run that is finished says how it ended.
    """
    return carry_on("resume", run, flags)
