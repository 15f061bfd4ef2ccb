"""`etl report`: the kept reports of a run, in a view that shows less of people."""

from __future__ import annotations

import os
from pathlib import Path

import click

from etl.cli import options, output
from etl.view import WORDS, View


@click.command(
    epilog="""\b
Examples:
  etl report last --view aggregate --out for-the-channel
  etl report 20261124-02 --view pseudonymous --out support --reports xlsx
  etl report etl-reports/friday --view pseudonymous --out support
"""
)
@click.argument("run", metavar="RUN|FOLDER")
@click.option(
    "--view", "view", required=True, type=click.Choice([View.PSEUDONYMOUS.value, View.AGGREGATE.value]),
    help="Tokens in the place of keys and values, or counts alone.",
)  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Where to.")
@click.option(
    "--reports", type=options.Words(WORDS), metavar="LIST", help="Which reports.  [default: csv,html; csv always]"
)
@options.as_json
@options.config
def command(
    run: str, *, view: str, out: Path, reports: tuple[str, ...] | None, as_json: bool, config: Path | None
) -> int:
    """Make the reports of RUN again, as --view shows them, without the file that they are about.

    RUN is an id, the beginning of one, "last", or the folder of the reports. The same person has the same token in all
    runs that share a journal. What a kept report does not show cannot be had from it again. Names of files, sheets and
    columns stay as they are.

    annotated.xlsx (--reports xlsx) needs the file, as it was.
    """
    from etl.other_view import kept, other_view
    from etl.reports.summary_json import as_dict
    from etl.settings import load_settings

    settings = load_settings(config, os.environ, Path.cwd())
    report = other_view(kept(run, settings), settings, View(view), out, reports)
    if as_json:
        output.say_json(as_dict(report))
        return 0
    paths = (report.results_path, report.issues_path, report.summary_path, *report.made)
    output.say_text("".join(f"{path}\n" for path in paths))
    for note in report.notes:
        output.tell_note(note)
    return 0
