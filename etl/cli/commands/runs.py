"""`etl runs`: the runs of the journal, the newest first."""

from __future__ import annotations

from pathlib import Path

import click

from etl.cli import options, output
from etl.cli.remembering import NO_JOURNAL, remembered


@click.command(
    epilog="""\b
Examples:
  etl runs
  etl runs --target production --limit 5
  etl runs --json | jq -r '.[] | select(.resumable) | .id'
"""
)
@click.option(
    "--limit", type=options.Number(1, options.MANY), default=20, metavar="N", help="The newest N.  [default: 20]"
)
@click.option("--target", metavar="NAME", help="Those to this target alone.")
@click.option("--mapping", metavar="NAME", help="Those of the mapping of this name alone.")
@options.as_json
@options.config
def command(limit: int, *, target: str | None, mapping: str | None, as_json: bool, config: Path | None) -> int:
    """List the runs that were made here: when, of what, how they ended, and how many rows went well.

    A run whose process is gone without an end has died; `etl resume` goes on with it, as with one that was stopped or
    interrupted. "bad" counts the rows that are invalid, rejected, failed or unknown.
    """
    with remembered(config) as (settings, journal):
        from etl.cli.history_view import as_dict, show_runs
        from etl.history import told

        records = [] if journal is None else journal.runs(limit=limit, target=target, mapping=mapping)
        runs = [] if journal is None else [told(journal, settings, record) for record in records]
        if as_json:
            output.say_json([as_dict(run) for run in runs])
        elif journal is None:
            output.tell(NO_JOURNAL)
        elif not runs:
            output.tell("There is no such run." if target or mapping else "No run was made yet.")
        else:
            show_runs(runs)
    return 0
