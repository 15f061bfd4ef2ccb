"""What was sent for one person, and why → the terminal or JSON."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from etl.cli import output
from etl.cli.history_view import STATES, STATUSES
from etl.cli.remembering import moment
from etl.moments import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl.history import Left, Sent, Why
    from etl.journal.model import RunRecord
    from etl.kept_reports import Line, Place

_INDENT = "    "
_MOST_WIDTH = 120
_ACTIONS = {"contact.delete": "deleted"}


def show_sent(sent: Sequence[Sent]) -> None:
    """Print the deliveries for a person: one block each, the newest first."""
    width = min(output.console(sys.stdout).width, _MOST_WIDTH)
    lines: list[Text] = []
    for one in sent:
        lines += [Text(""), *_block(one, width)] if lines else _block(one, width)
    output.say_lines(lines)


def sent_as_dict(sent: Sent) -> dict[str, Any]:
    """Return a delivery as plain values; times as ISO 8601 in UTC."""
    past, (file, sheet, row) = sent.entry.past, sent.place
    return {
        "run": sent.entry.run,
        "target": sent.entry.target,
        "mapping": sent.run.new.mapping,
        "action": sent.entry.action,
        "file": file,
        "sheet": sheet,
        "row": row,
        "record": sent.entry.record,
        "status": past.state,
        "sent_at": iso(past.sent_at) or None,
        "http_status": past.http_status,
        "attempts": past.attempts,
        "request_id": past.request_id,
        "code": past.code,
        "message": past.message,
        "duration_ms": past.duration_ms,
        "payload_sha256": past.digest.hex(),
        "changed": None if sent.entry.changed is None else list(sent.entry.changed),
        "confirmed_before": {"run": sent.before.entry.run, "at": iso(sent.before.at)} if sent.before else None,
    }


def show_behind(rows: Sequence[tuple[RunRecord, Line]]) -> None:
    """Print rows of kept reports, one a line."""
    lines = [
        Text.assemble(
            (f"{run.id}  ", "bold"),
            output.visible(place_in_words((line.file, line.sheet, line.row))),
            f"  {line.action}  ",
            (line.status, STATUSES.get(line.status, "")),
            f"  {output.visible(line.code)}",
        )
        for run, line in rows
    ]
    for line in lines:
        line.rstrip()
    output.say_lines(lines)


def behind_as_dict(run: RunRecord, line: Line) -> dict[str, Any]:
    """Return a row of a kept report as plain values."""
    return {
        "run": run.id,
        "target": run.new.target,
        "mapping": run.new.mapping,
        "action": line.action,
        "file": line.file,
        "sheet": line.sheet,
        "row": int(line.row) if line.row.isdecimal() else None,
        "status": line.status,
        "code": line.code,
    }


def show_why(why: Why) -> None:
    """Print, the newest first, why rows were sent or left alone."""
    width = min(output.console(sys.stdout).width, _MOST_WIDTH)
    lines: list[Text] = []
    for one in why.found:
        first, *rest = textwrap.wrap(output.visible(reason_of(one)), width, subsequent_indent="  ")
        lines += [*[Text("")] * bool(lines), Text(first), *map(Text, rest)]
    output.say_lines(lines)


def why_as_dict(why: Why) -> dict[str, Any]:
    """Return the reasons as plain values."""
    return {
        "reasons": [_reason_as_dict(one) for one in why.found],
        "reports_looked_into": why.looked_into - why.unread,
        "reports_gone": why.unread,
    }


def reason_of(one: Sent | Left) -> str:
    """Return in one sentence why a row was sent, or left alone."""
    from etl.history import Sent

    return _reason_of_sent(one) if isinstance(one, Sent) else _reason_of_left(one)


def place_in_words(place: Place | tuple[str, str, str]) -> str:
    """Return where a row stands: `contacts.xlsx, sheet May, row 17`."""
    file, sheet, row = place
    return ", ".join(
        part for part in (output.shown_path(file) if file else "", f"sheet {sheet}" * bool(sheet), f"row {row}") if part
    )


def _block(sent: Sent, width: int) -> list[Text]:
    past = sent.entry.past
    status = STATES.get(past.state, past.state)
    head = Text.assemble(
        (moment(past.sent_at, "never sent"), "bold"), "  ", sent.entry.action, "  ",
        (status, STATUSES.get(past.state, "")), (output.visible(f"  {sent.entry.target}"), "dim"),
    )  # fmt: skip
    facts = [
        f"{place_in_words(sent.place)}; run {sent.entry.run}",
        _answer(sent),
        f"{past.message or past.code}" if past.state != "delivered" else "",
        _changed(sent),
    ]
    wrapped = (line for fact in facts if fact for line in textwrap.wrap(output.visible(fact), width - len(_INDENT)))
    return [head, *(Text(_INDENT + line) for line in wrapped)]


def _answer(sent: Sent) -> str:
    past = sent.entry.past
    told = [f"HTTP {past.http_status}"] if past.http_status is not None else []
    if past.duration_ms is not None:
        told.append(f"after {past.duration_ms:,.0f} ms")
    if past.attempts > 1:
        told.append(f"{past.attempts} attempts")
    if past.request_id:
        told.append(f"request {past.request_id}")
    return ", ".join(told)


def _changed(sent: Sent) -> str:
    if sent.entry.changed is None or sent.entry.action != "contact.upsert" or sent.deleted is not None:
        return ""
    since = f" since {moment(sent.before.at)}" if sent.before else ""
    return f"changed{since}: {', '.join(sent.entry.changed)}" if sent.entry.changed else f"nothing changed{since}"


def _reason_of_sent(sent: Sent) -> str:
    state, action = sent.entry.past.state, sent.entry.action
    verb = _ACTIONS.get(action, "sent") if state == "delivered" else f"sent ({STATES.get(state, state)})"
    start = f"{verb} in {sent.entry.run} on {moment(sent.at)} ({place_in_words(sent.place)}, {action})"
    if action != "contact.upsert":
        missing = sent.place[0] == "missing.csv"
        return f"{start}, {'since the file no longer held it' if missing else 'as the row asks for it'}"
    return f"{start}, {_difference(sent)}"


def _difference(sent: Sent) -> str:
    """Return in what an upsert differed from what was confirmed before it."""
    changed, before = sent.entry.changed, sent.before
    if sent.deleted is not None:
        return f"because nothing was confirmed of it since it was deleted on {moment(sent.deleted.at)}"
    what = f"what was confirmed on {moment(before.at)} in {before.entry.run}" if before else "what was confirmed before"
    if changed is None and before is not None and sent.entry.past.state != "delivered":
        return f"after {what}; in which fields they differ is kept of delivered rows alone"
    if changed is None:
        return "because nothing was confirmed of it before"
    if not changed:
        return f"as every row of that run; nothing differs from {what}"
    because = "because" if sent.run.new.options.get("only_changed") else "as every row of that run;"
    return f"{because} {_listed(changed)} {'differs' if len(changed) == 1 else 'differ'} from {what}"


def _reason_of_left(left: Left) -> str:
    line, run = left.line, left.run
    place = place_in_words((line.file, line.sheet, line.row))
    start = f"left alone in {run.id} on {moment(run.new.started_at)} ({place}, {line.action})"
    if line.status == "unchanged" and left.confirmed is not None:
        since = f"{moment(left.confirmed.at)} in {left.confirmed.entry.run}"
        return f"{start}: every field is as confirmed on {since}"
    return f"{start}: {line.status}{f', {line.message}' if line.message else ''}"


def _listed(fields: Sequence[str]) -> str:
    *most, last = fields
    return f"{', '.join(most)} and {last}" if most else last


def _reason_as_dict(one: Sent | Left) -> dict[str, Any]:
    from etl.history import Sent

    if isinstance(one, Sent):
        return {"sent": True, "reason": reason_of(one), **sent_as_dict(one)}
    line = one.line
    return {
        "sent": False,
        "reason": reason_of(one),
        **behind_as_dict(one.run, line),
        "message": line.message,
        "confirmed_before": {"run": one.confirmed.entry.run, "at": iso(one.confirmed.at)} if one.confirmed else None,
    }


def unread_note(why: Why) -> str:
    """Return what could not be looked into, "" where all could."""
    if not why.unread:
        return ""
    if why.looked_into == 1:
        return "the reports of the last run are gone; rows that it left alone are not known"
    return f"the reports of {why.unread} of the last {why.looked_into} runs are gone; what they left alone is not known"
