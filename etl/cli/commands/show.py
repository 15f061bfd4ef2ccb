"""`etl show`: one run, or what was sent for one person, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from etl.cli import options, output
from etl.cli.remembering import NO_JOURNAL, remembered
from etl.errors import JournalError

if TYPE_CHECKING:
    from etl.journal import Journal
    from etl.settings import Settings


@click.command(
    epilog="""\b
Examples:
  etl show last
  etl show 20261124-02
  etl show --key someone@example.com
  etl show --why someone@example.com --target production
  etl show --token p-7f3a2cqkd5mx
"""
)
@click.argument("run", required=False)
@click.option("--key", metavar="KEY", help="What was sent for this e-mail address, or as the event of this externalId.")
@click.option("--why", metavar="KEY", help="Which field's change made its rows be sent or left alone.")
@click.option("--token", metavar="TOKEN", help="Which rows are behind a token of a redacted report.")
@click.option("--target", metavar="NAME", help="With --key, --why or --token: at this target alone.")
@options.as_json
@options.config
def command(
    run: str | None,
    *,
    key: str | None,
    why: str | None,
    token: str | None,
    target: str | None,
    as_json: bool,
    config: Path | None,
) -> int:
    """Show RUN: facts, counts, files, and what to do next. RUN is an id, the beginning of one, or "last".

    With --key: what was sent for a person, when, and what came back, the newest first. With --why: for what reason.
    Rows that were left alone are not in the journal; those of the last five runs of each target are read from the
    reports that are kept.

    With --token: the rows behind a token of a redacted report, as those reports have them. --key tells the token.
    """
    given = (("a run", run), ("--key", key), ("--why", why), ("--token", token))
    asked = [name for name, value in given if value is not None]
    if len(asked) != 1:
        told = "give a run, --key, --why or --token" if not asked else f"{' and '.join(asked)} exclude each other"
        raise click.UsageError(told)
    if target is not None and run is not None:
        raise click.UsageError("--target goes with --key, --why or --token: a run has one target")
    with remembered(config) as (settings, journal):
        if run is not None:
            _run(journal, settings, run, as_json=as_json)
        elif key is not None:
            _sent(journal, key, target, as_json=as_json)
        elif token is not None:
            _behind(journal, token, target, as_json=as_json)
        else:
            _why(journal, why or "", target, as_json=as_json)
    return 0


def _run(journal: Journal | None, settings: Settings, name: str, *, as_json: bool) -> None:
    from etl.cli.history_view import as_dict, show_run
    from etl.history import find, told

    if journal is None:
        raise JournalError(
            "there is no journal yet", code="no-runs", where=str(settings.folder), hint="it begins with the first run"
        )
    run = told(journal, settings, find(journal, name))
    if as_json:
        output.say_json(as_dict(run))
    else:
        show_run(run)


def _sent(journal: Journal | None, key: str, target: str | None, *, as_json: bool) -> None:
    from etl.cli.person_view import sent_as_dict, show_sent
    from etl.history import sent_for
    from etl.masking import Masker

    sent = [] if journal is None else sent_for(journal, key, target)
    if as_json:
        output.say_json([sent_as_dict(one) for one in sent])
    elif sent:
        show_sent(sent)
    else:
        output.tell(NO_JOURNAL if journal is None else _nothing(target))
    if journal is not None and not as_json:
        output.tell(f"In redacted reports: {Masker(journal.masks).key(key)}")


def _behind(journal: Journal | None, token: str, target: str | None, *, as_json: bool) -> None:
    from etl.cli.person_view import behind_as_dict, show_behind
    from etl.history import rows_behind

    rows = [] if journal is None else rows_behind(journal, token, target)
    if as_json:
        output.say_json([behind_as_dict(run, line) for run, line in rows])
    elif rows:
        show_behind(rows)
    else:
        output.tell(NO_JOURNAL if journal is None else "No row of this token is in the reports of the last runs.")


def _why(journal: Journal | None, key: str, target: str | None, *, as_json: bool) -> None:
    from etl.cli.person_view import show_why, unread_note, why_as_dict
    from etl.history import Why, why

    found = Why((), 0, 0) if journal is None else why(journal, key, target)
    if as_json:
        output.say_json(why_as_dict(found))
    elif found.found:
        show_why(found)
    else:
        output.tell(NO_JOURNAL if journal is None else _nothing(target))
    if unread_note(found) and not as_json:
        output.tell_note(unread_note(found))


def _nothing(target: str | None) -> str:
    return f"Nothing is known of this key{f' at {target}' if target else ''}."
