"""The end of a run → one message: was the night good, what is new, what to do next, where the reports are.

It goes to a chat channel: figures, names of fields and codes, never a key, an address, a cell or an endpoint's words.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

from etl.errors import (
    GuardError,
    JournalError,
    MappingError,
    SettingsError,
    SourceError,
    TargetError,
    impersonal,
)
from etl.journal.model import Condition
from etl.moments import iso
from etl.news import Kind, News
from etl.night import Night
from etl.wording import mending, next_step, plural, sentence

SHAPE = 1
"""Version of the webhook's JSON. Keys may be added to it; those that are there keep their meaning."""
_SHOWN_KINDS = 5
_SHOWN_FILES = 3
_LONGEST = 600
_ADDRESS = re.compile(r"[^\s@\"'<>(){}:,;]+@[^\s@\"'<>(){}:,;]+")
_LONG_NUMBER = re.compile(r"\+?[0-9]{9,}")
"""A run's id and a moment are shorter."""
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`")


class Change(StrEnum):
    """What a run changed, beside what was told before. The last three are told where every run is."""

    TROUBLE = "trouble"
    CHANGED = "changed"
    RECOVERED = "recovered"
    STILL_BAD = "still-bad"
    GOOD = "good"
    TEST = "test"


_TITLES = {
    Change.TROUBLE: "Trouble", Change.CHANGED: "Trouble has changed", Change.RECOVERED: "Good again",
    Change.STILL_BAD: "Trouble as before", Change.GOOD: "Good", Change.TEST: "Test",
}  # fmt: skip
BAD = frozenset({Change.TROUBLE, Change.CHANGED, Change.STILL_BAD})


@dataclass(frozen=True, slots=True)
class Message:
    """What is said. `title`: one line; `facts`: what follows, as (label, text); `body`: the same for programs."""

    change: Change
    title: str
    facts: tuple[tuple[str, str], ...]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n".join([self.title, *(f"{label}: {text}" for label, text in self.facts)])

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look."""
        return self.change in BAD


def message_of(night: Night, change: Change, told: Condition | None) -> Message:
    """Return what to say of a night to somebody who was told `told` before."""
    since = told.since if change is Change.RECOVERED and told else night.now.since if night.now else night.ended_at
    news = night.news.for_whom(told.kinds) if told is not None and told.is_trouble else night.news
    news = news if change in BAD else News()
    step = _next(night)
    facts = {
        "Had been bad since": _when(since) if change is Change.RECOVERED else "",
        "Bad since": _when(since) if change in {Change.CHANGED, Change.STILL_BAD} else "",
        "News": str(news),
        "New": "; ".join(map(_told, news.new[:_SHOWN_KINDS])) + _more(len(news.new) - _SHOWN_KINDS),
        "Known": "; ".join(map(_told, news.known[:_SHOWN_KINDS])) + _more(len(news.known) - _SHOWN_KINDS),
        "Files": ", ".join(map(safe_name, night.given[:_SHOWN_FILES])) + _more(len(night.given) - _SHOWN_FILES),
        "Next": f"{step} ({_place(night)})" if step else "",
        "Reports": _reports(night),
        "Run": night.run_id if night.report is not None or night.is_known else "",
    }
    title = f"{_TITLES[change]}: {_name(night.mapping)}: {verdict(night)}"
    return Message(change, title, tuple((label, text) for label, text in facts.items() if text),
                   _body(night, change, since, news, step))  # fmt: skip


def test_message(name: str, now: float) -> Message:
    """Return a message that says of itself that it is a test."""
    title = f"TEST: this is a test of the notifier '{name}' of salesmanago-etl; no run has ended"
    body = _empty_body() | {
        "event": "test",
        "change": Change.TEST.value,
        "verdict": title,
        "ended_at": iso(now, "seconds"),
    }
    return Message(Change.TEST, title, (("Sent by", platform.node()), ("At", _when(now))), body)


def verdict(night: Night) -> str:
    """Return in one sentence how it ended, without anybody's values."""
    where = f" to {_name(night.target)}" if night.target else ""
    code = night.ending.code
    stopped = f" [{code}]" if code else ""
    if night.report is not None:
        counted = sentence(night.report)
        if night.report.stop is None:
            return counted
        return f"stopped: {said(code, night.report.stop.message, '')}{stopped}. {counted}"
    if code == "interrupted":
        return f"the {night.verb}{where} was interrupted before anything was sent{stopped}"
    told = said(code, getattr(night.error, "message", ""), _of_class(night.error))
    return f"the {night.verb}{where} ended with exit code {night.ending.exit_code}: {told}{stopped}"


_SAFE = frozenset({
    "fail-over", "max-deletes", "max-clears", "not-confirmed", "deadline", "plan-differs", "file-changed",
    "unexpected-file", "file-missing", "file-empty", "file-unreadable", "not-a-file", "no-file", "no-secret",
    "unknown-target", "no-target", "no-settings", "validation-off", "run-under-way", "forgetting-under-way", "lock",
    "lock-lost", "reports-not-written", "out", "no-mapping-file", "mapping-changed", "settings-changed", "copy-gone",
    "quote-unclosed", "workbook-damaged", "sheet-unknown", "no-psycopg",
})  # fmt: skip
"""Codes whose sentences are ours and hold figures, or quote nothing that may not be left out."""
_SAID = {
    "endpoint-down": "the endpoint did not answer", "canary": "the first rows were not delivered; no others were sent",
    "too-many-rejects": "the endpoint refused too many rows", "unauthorized": "the endpoint does not know who we are",
    "forbidden": "the endpoint refuses our requests", "interrupted": "it was interrupted",
    "wrong-keys": "the endpoint does not know our access key", "tls": "no secure connection to the endpoint",
    "session-expired": "our session at the endpoint has expired", "clock": "the clock of this machine is wrong",
    "wrong-address": "the endpoint does not know our paths", "mapping": "the mapping is wrong",
    "internal-error": "a fault of the program", "settings": "etl.toml is wrong",
}  # fmt: skip


def said(code: str, message: str, otherwise: str) -> str:
    """Return what may be said of a stop or an error: its message without what it quotes, or words of our own."""
    if code in _SAFE or (code.startswith("journal-") and message):
        first = _QUOTED.sub("'…'", message.splitlines()[0] if message else "").removesuffix(":")
        clean = _LONG_NUMBER.sub("(number)", _ADDRESS.sub("(address)", first))
        return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"
    return _SAID.get(code) or otherwise or "see the reports"


def _of_class(error: BaseException | None) -> str:
    for kind, words in (
        (MappingError, "the mapping is wrong, or does not fit the file"),
        (SourceError, "the file cannot be read as it is"),
        (SettingsError, "the command, a setting or a folder is wrong"),
        (TargetError, "the endpoint cannot be used"),
        (JournalError, "the journal cannot be used"),
        (GuardError, "a guard stopped it"),
    ):
        if isinstance(error, kind):
            return words
    return f"a fault of the program ({type(error).__name__})"


def _next(night: Night) -> str:
    if not night.ending.is_trouble:
        return ""
    if night.report is not None:
        step = next_step(night.report)
    else:
        step = f"etl resume {night.run_id}" if night.is_known and night.ending.exit_code != 2 else ""
    return step or _by_hand(night)


def _place(night: Night) -> str:
    folder = night.settings.folder.absolute() if night.settings else Path.cwd()
    return f"on {platform.node()}, in {folder}"


def _by_hand(night: Night) -> str:
    if night.ending.code == "internal-error":
        return "look into the log of the job; the traceback is in the newest file of .etl/faults"
    if night.ending.code == "unexpected-file":
        return "look at the file; the same command with --accept-file takes it all the same"
    if night.ending.code == "run-under-way":
        return "etl runs"
    if night.report is not None:
        names = [path.name for path in night.report.made]
        has_fix = any(name.startswith("to_fix") for name in names)
        told = mending(night.report, names) if has_fix or night.report.stop is not None else ""
        return f"{told[:1].lower()}{told[1:]}".removesuffix(".") or f"etl show {night.run_id}"
    return "look into the log of the job, which says more, or start the same command by hand"


def _reports(night: Night) -> str:
    return f"{platform.node()}:{night.report.out.absolute()}" if night.report is not None else ""


def _told(kind: Kind) -> str:
    return f"{kind} ({kind.rows:,} {plural(kind.rows, 'row')})" if kind.rows else str(kind)


def _more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def safe_name(given: str) -> str:
    """Return a file's own name, without its folder, and without an address in it."""
    name = given if "://" in given else PurePath(given).name
    return _name(name or given)


def _name(text: str) -> str:
    shown = "".join(sign for sign in text if sign.isprintable())[:80]
    return impersonal(shown) if "@" in shown else shown


def _when(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M %Z}"


def _empty_body() -> dict[str, Any]:
    return {
        "version": SHAPE, "event": "", "change": "", "verdict": "", "verb": "", "run": None, "mapping": "",
        "target": "", "exit_code": None, "code": "", "rows": None, "counts": {}, "news": News().as_dict(),
        "since": None, "started_at": None, "ended_at": None, "next": "", "host": platform.node(), "reports": None,
    }  # fmt: skip


def _body(night: Night, change: Change, since: float, news: News, step: str) -> dict[str, Any]:
    report = night.report
    return _empty_body() | {
        "event": "run.finished",
        "change": change.value,
        "verdict": verdict(night),
        "verb": night.verb,
        "run": night.run_id or None,
        "mapping": _name(night.mapping),
        "target": _name(night.target),
        "exit_code": night.ending.exit_code,
        "code": night.ending.code,
        "rows": report.rows if report is not None else None,
        "counts": dict(report.counts) if report is not None else {},
        "news": news.as_dict(),
        "since": iso(since, "seconds"),
        "started_at": iso(night.began_at, "seconds"),
        "ended_at": iso(night.ended_at, "seconds"),
        "next": step,
        "reports": str(report.out.absolute()) if report is not None else None,
    }


def body_schema() -> dict[str, Any]:
    """Return the JSON Schema of what a webhook is sent."""
    text, number, count = {"type": "string"}, {"type": "number"}, {"type": "integer", "minimum": 0}
    moment: dict[str, Any] = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    kind = _closed({
        "what": {"enum": ["issue", "endpoint", "row", "stop"]}, "code": text, "field": text, "rows": count,
        "new": {"type": "boolean"},
    })  # fmt: skip
    news = _closed({
        "new_kinds": count, "new_rows": count, "known_kinds": count, "known_rows": count, "known_rows_before": count,
        "trend": {"enum": ["", "rising", "falling", "steady"]}, "gone_kinds": count,
        "kinds": {"type": "array", "items": kind},
    })  # fmt: skip
    shape = _closed({
        "version": {"const": SHAPE}, "event": {"enum": ["run.finished", "test"]},
        "change": {"enum": [change.value for change in Change]}, "verdict": text,
        "verb": {"enum": ["", "run", "resume", "retry"]}, "run": {"type": ["string", "null"]}, "mapping": text,
        "target": text, "exit_code": {"type": ["integer", "null"]}, "code": text,
        "rows": {"type": ["integer", "null"]}, "counts": {"type": "object", "additionalProperties": number},
        "news": news, "since": moment, "started_at": moment, "ended_at": moment, "next": text, "host": text,
        "reports": {"type": ["string", "null"]},
    })  # fmt: skip
    shape["additionalProperties"] = True
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What salesmanago-etl sends to a webhook when a run ends",
        **shape,
    }


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
