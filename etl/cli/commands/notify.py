"""`etl notify`: who is told how a run ended; and whether a message arrives there."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from etl.cli import options, output
from etl.cli.choosing import chosen
from etl.errors import JournalError, SettingsError

if TYPE_CHECKING:
    from etl.journal.model import Condition
    from etl.settings import Settings
    from etl.settings.on_finish import Notifier

_SHOWN = 3
_EXAMPLE = 'add to etl.toml: [on_finish.chat], kind = "slack", url_env = "ETL_SLACK_URL"'


@click.command(
    epilog="""\b
Examples:
  etl notify
  etl notify --test
  etl notify --test chat mail
  etl notify --schema > message.schema.json
"""
)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--test", "is_test", is_flag=True, help="Send each a message that says that it is a test.")
@click.option("--schema", is_flag=True, help="The JSON Schema of what a webhook is sent.")
@options.as_json
@options.config
def command(names: tuple[str, ...], *, is_test: bool, schema: bool, as_json: bool, config: Path | None) -> int:
    """Show who is told how a run ended, and what they were told last; with --test, try them.

    They stand in etl.toml, in tables [on_finish.NAME]. No secret is shown. Ends with 1 if a test did not arrive.
    """
    from etl.notify.message import body_schema
    from etl.settings import load_settings

    if schema:
        output.say_json(body_schema())
        return 0
    settings = load_settings(config, os.environ, Path.cwd())
    known = {notifier.name: notifier for notifier in settings.on_finish}
    asked = [chosen("notifier", name, known) for name in names] if known else list(known.values())
    if is_test or names:
        _require_some(known, settings)
    asked = asked or list(known.values())
    return _test(asked, settings, as_json=as_json) if is_test else _list(asked, settings, as_json=as_json)


def _require_some(known: dict[str, Notifier], settings: Settings) -> None:
    if not known:
        raise SettingsError("nobody is told how a run ended", code="no-notifiers",
                            where=str(settings.file or ""), hint=_EXAMPLE)  # fmt: skip


def _test(asked: Sequence[Notifier], settings: Settings, *, as_json: bool) -> int:
    from etl.notify.message import test_message
    from etl.notify.telling import test_all

    tried = [notifier for notifier in asked if notifier.when != "never"]
    outcomes = test_all(tried, settings, lambda notifier: test_message(notifier.name, time.time()))
    found = []
    for notifier in asked:
        failed = outcomes.get(notifier.name)
        state = "off" if notifier.when == "never" else "delivered" if failed is None else "failed"
        reason = 'not tried: when = "never"' if state == "off" else failed.reason if failed else ""
        found.append({"name": notifier.name, "kind": notifier.kind, "state": state, "reason": reason,
                      "hint": failed.hint if failed else ""})  # fmt: skip
    if as_json:
        output.say_json(found)
    else:
        for one in found:
            output.say_lines(_outcome(one))
    return int(any(one["state"] == "failed" for one in found))


def _outcome(one: dict[str, str]) -> list[Text]:
    style = {"delivered": "green", "failed": "red"}.get(one["state"], "dim")
    told = f"  {one['reason']}" if one["reason"] else ""
    lines = [Text.assemble((f"{one['state']:10}", style), f"{one['name']} ({one['kind']}){told}")]
    if one["hint"]:
        lines.append(Text(f"{'':10}{one['hint']}", style="dim"))
    return lines


def _list(asked: Sequence[Notifier], settings: Settings, *, as_json: bool) -> int:
    last = _last_told(asked, settings)
    if as_json:
        output.say_json([
            {"name": one.name, "kind": one.kind, "when": one.when, "told": [_plain(*told) for told in last[one.name]]}
            for one in asked
        ])  # fmt: skip
        return 0
    if not asked:
        output.say_lines([Text("Nobody is told how a run ended."), Text(_EXAMPLE, style="dim")])
    for one in asked:
        output.say_lines([Text.assemble((one.name, "bold"), f"  {one.kind}, when = {one.when}")])
        lines = [line for told in last[one.name][:_SHOWN] for line in _told(*told)]
        output.say_lines([Text(f"  {line}", style="dim") for line in lines or ["nothing was sent yet"]])
    if asked and not any("sandbox" in (one.targets or ()) for one in asked):
        output.tell_note('runs to the sandbox are told to nobody, unless targets = ["sandbox"] names it')
    return 0


def _last_told(asked: Sequence[Notifier], settings: Settings) -> dict[str, list[tuple[str, str, Condition]]]:
    from etl.journal import open_journal

    nothing: dict[str, list[tuple[str, str, Condition]]] = {one.name: [] for one in asked}
    try:
        journal = open_journal(settings, create=False) if asked else None
        if journal is None:
            return nothing
        with journal:
            return {one.name: journal.news.all_told(one.name) for one in asked}
    except JournalError as error:
        output.tell_note(f"what was told last is not known: {error.message}")
        return nothing


def _told(target: str, mapping: str, told: Condition) -> list[str]:
    state = f"{'trouble' if told.is_trouble else 'good'} since {_when(told.since)}"
    lines = []
    if told.ending:
        lines.append(f"{mapping} to {target or 'no target'}: {state}, told {_when(told.at)}")
    if told.failure:
        lines.append(f"{mapping} to {target or 'no target'}: not delivered {_when(told.failed_at)}: {told.failure}")
    return lines


def _plain(target: str, mapping: str, told: Condition) -> dict[str, Any]:
    return {
        "target": target, "mapping": mapping, "state": "trouble" if told.is_trouble else "good",
        "since": _iso(told.since), "told_at": _iso(told.at) if told.ending else None, "run": told.run or None,
        "failure": told.failure or None, "failed_at": _iso(told.failed_at),
    }  # fmt: skip


def _when(moment: float | None) -> str:
    return "" if moment is None else f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M}"


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")
