"""`etl plan`: a check, kept as a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from etl.cli import options
from etl.cli.output import complain
from etl.cli.running import carry_out
from etl.errors import GuardError

PLAN_ENDING = ".json"


@click.command(
    epilog="""\b
Examples:
  etl plan mappings/contacts.yaml contacts.csv --out tonight.json
  etl plan mappings/opt_outs.yaml opt_outs.csv --max-deletes 500
  etl plan mappings/contacts.yaml contacts.csv --target sandbox --with-values
"""
)
@options.mapping_and_files
@click.option("--with-values", is_flag=True, help="Show the values of its samples: they are personal data.")
@options.run_flags
def command(mapping: Path, files: tuple[str, ...], *, with_values: bool, **flags: Any) -> int:
    """Check FILE... and keep what a run would send as a plan: fingerprints, counts and some samples.

    --out names the plan's file if it ends in .json, else the folder of the reports, in which it is plan.json then.
    `etl run --plan` carries a plan out: it sends exactly that, or nothing if anything has changed since.

    Where a limit (--fail-over, --max-deletes, --max-clears) would stop a run, no plan is kept.
    """
    out = flags["out"]
    file = out if out is not None and out.suffix.lower() == PLAN_ENDING else None
    if file is not None:
        flags["out"] = None
    code = carry_out("plan", mapping, files, flags, file=file, with_values=with_values)
    if code == GuardError.exit_code:
        complain("no plan was kept: a run would stop   [no-plan]")
    return code
