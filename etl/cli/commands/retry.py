"""`etl retry`: send the failed and the unknown rows of a run again."""

from __future__ import annotations

from typing import Any

import click

from etl.cli import options
from etl.cli.running import carry_on


@click.command(
    epilog="""\b
Examples:
  etl retry 20261124-020000-1f3a
  etl retry last --rate 5
"""
)
@click.argument("run")
@options.sitting_flags
def command(run: str, **flags: Any) -> int:
    """Send the failed and the unknown rows of RUN again, and what it had not begun.

    RUN is an id of `etl runs`, the beginning of one, or last. An unknown event may have arrived: sending it again may
    create it twice, so look first.
    """
    return carry_on("retry", run, flags)
